// SPDX-License-Identifier: MIT
//
// The end: a broken invariant of the kernel itself.

#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <stdbool.h>

// Stops the other CPUs, prints reason, CPU, thread and a symbolised backtrace to the early console, and
// halts, or powers off where the command line says `tern.panic=off`. Any context, any lock held; a panic
// within a panic just halts.
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Whether a CPU has panicked: the others stop at their next interrupt.
bool panic_is_under_way(void);

#endif
