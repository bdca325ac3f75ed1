// SPDX-License-Identifier: MIT
//
// How long interrupts stay off: measured by kernels that are built for it (-Dlatency=true), from each entry to
// the return to user mode or to a preemption point. Whenever a section was longer than all before, the log says
// so.

#ifndef KERNEL_LATENCY_H
#define KERNEL_LATENCY_H

#include <stdint.h>

#ifdef TERN_LATENCY
#define LATENCY_MEASURED true // all system calls go through trap_syscall
// A section begins on this CPU, if none has; `what` is kept.
void latency_begin(const char *what);
// The same in a system call, named after it.
void latency_begin_call(void);
// The same in an interrupt: what was under way has ended.
void latency_begin_interrupt(const char *what);
// Interrupts are about to be enabled; `until` is an address that says where.
void latency_end(uintptr_t until);
#else
#define LATENCY_MEASURED false
static inline void latency_begin(const char *what)
{
	(void)what;
}

static inline void latency_begin_call(void)
{
}

static inline void latency_begin_interrupt(const char *what)
{
	(void)what;
}

static inline void latency_end(uintptr_t until)
{
	(void)until;
}
#endif

#endif
