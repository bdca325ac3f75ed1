// SPDX-License-Identifier: MIT
//
// Panics: what is still certain is printed, then nothing moves any more.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/thread.h>
#include <kernel/command_line.h>
#include <kernel/cpu.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/process.h>
#include <kernel/thread.h>
#include <kernel/trap.h>

#define LINE_SIZE       256
#define BACKTRACE_LIMIT 24

static atomic_bool panicking;

bool panic_is_under_way(void)
{
	return atomic_load_explicit(&panicking, memory_order_relaxed);
}

// The first to come goes on; another CPU, or a panic within the panic, halts.
static void begin(void)
{
	arch_irq_disable();
	if (atomic_exchange(&panicking, true))
		arch_halt();
	log_emergency();
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].online && &cpus[i] != cpu_self())
			arch_ipi_send(&cpus[i]);
}

static void print_place(void)
{
	const struct cpu *cpu = cpu_self();
	const struct thread *thread = cpu->current;

	if (thread == NULL)
		log_error("on CPU %u, before the first thread", cpu->index);
	else
		log_error("on CPU %u, thread %lu \"%s\" of %s", cpu->index, (unsigned long)thread->object.id,
			thread->name, thread->process ? thread->process->name : "the kernel");
}

static void print_backtrace(const uintptr_t *addresses, size_t count, bool of_fault)
{
	log_error("backtrace:");
	for (size_t i = 0; i < count; i++)
		log_address(LOG_ERROR, addresses[i], i > 0 || !of_fault);
}

static _Noreturn void finish(void)
{
	if (command_line_is("tern.panic", "off"))
		arch_power_off();
	arch_halt();
}

void panic(const char *format, ...)
{
	char reason[LINE_SIZE];
	uintptr_t addresses[BACKTRACE_LIMIT];
	va_list arguments;

	begin();
	va_start(arguments, format);
	format_text(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	log_error("kernel panic: %s", reason);
	print_place();
	print_backtrace(addresses, arch_backtrace(addresses, BACKTRACE_LIMIT), false);
	finish();
}

void trap_kernel_fault(const char *name, const struct arch_frame *frame, const struct fault *fault)
{
	uintptr_t addresses[BACKTRACE_LIMIT];

	begin();
	log_error("kernel panic: %s, address %p, code %#lx", name, (void *)(uintptr_t)fault->address,
		(unsigned long)fault->isa_code);
	print_place();
	arch_frame_log(frame);
	print_backtrace(addresses, arch_backtrace_frame(frame, addresses, BACKTRACE_LIMIT), true);
	finish();
}
