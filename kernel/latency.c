// SPDX-License-Identifier: MIT
//
// Measuring how long interrupts stay off. Only in kernels built with -Dlatency=true.

#include <arch/time.h>
#include <kernel/cpu.h>
#include <kernel/latency.h>
#include <kernel/log.h>
#include <kernel/syscall.h>
#include <kernel/thread.h>
#include <stdatomic.h>

static struct section {
	uint64_t start; // 0: none is under way
	const char *what;
} sections[ARCH_CPU_MAX];

static _Atomic uint64_t longest;

void latency_begin(const char *what)
{
	struct section *section = &sections[cpu_self()->index];

	if (section->start == 0)
		*section = (struct section){arch_time_now(), what};
}

void latency_begin_call(void)
{
	latency_begin(syscall_name(arch_syscall_number(&thread_current()->arch)));
}

void latency_end(uintptr_t until)
{
	struct section *section = &sections[cpu_self()->index];
	uint64_t start = section->start, length = arch_time_now() - start;
	uint64_t before = atomic_load_explicit(&longest, memory_order_relaxed);

	section->start = 0;
	if (start == 0 || length <= before)
		return;
	// Another CPU's may be longer; then only its line says so.
	if (!atomic_compare_exchange_strong(&longest, &before, length))
		return;
	log_info("interrupts were off for %lu ns in %s, until:", (unsigned long)length, section->what);
	log_address(LOG_INFO, until, false);
	// Not a part of the next one.
	section->start = 0;
}

void latency_begin_interrupt(const char *what)
{
	latency_end((uintptr_t)latency_begin_interrupt);
	latency_begin(what);
}
