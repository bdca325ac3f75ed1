// SPDX-License-Identifier: MIT
//
// The canary of the compiler's stack protector (debug builds).

#ifndef KERNEL_STACK_PROTECTOR_H
#define KERNEL_STACK_PROTECTOR_H

// Gives the canary an unpredictable value. Once, by a function that never returns, when random_fill works.
void stack_protector_init(void);

#endif
