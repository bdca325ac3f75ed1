// SPDX-License-Identifier: MIT
//
// The first user program: its image is part of the kernel's.

#ifndef KERNEL_INIT_PROCESS_H
#define KERNEL_INIT_PROCESS_H

// Makes its process, gives it the root account, all resources and the boot archive, and starts it. Panics
// where that fails: there is nothing to go on with.
void init_process_start(void);

#endif
