// SPDX-License-Identifier: MIT
//
// The CPUs: their data, how they start, and preemption points.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/latency.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/scheduler.h>
#include <kernel/string.h>
#include <kernel/syscall.h>
#include <kernel/thread.h>

#define IDLE_STACK_SIZE ((size_t)16 * 1024)
#define START_TIMEOUT   1000000000 // nanoseconds

struct cpu cpus[ARCH_CPU_MAX];
unsigned cpu_count = 1;

static struct thread idle_threads[ARCH_CPU_MAX];
static struct arch_thread abandoned_contexts[ARCH_CPU_MAX]; // of the boot code

static vaddr_t stack_top(const struct thread *thread)
{
	return thread->kernel_stack + thread->kernel_stack_size;
}

static void prepare(struct cpu *cpu, unsigned index)
{
	struct thread *idle = &idle_threads[index];

	cpu->index = index;
	cpu->bit = (uint64_t)1 << index;
	cpu->handlers = syscall_table;
	cpu->timer_deadline = DEADLINE_NEVER;
	cpu->budget_end = DEADLINE_NEVER;
	run_queue_init(&cpu->run_queue);
	timeout_queue_init(&cpu->timeouts);
	spin_init(&idle->lock, RANK_THREAD);
	list_init(&idle->run_link);
	atomic_init(&idle->state, THREAD_RUNNING);
	atomic_init(&idle->on_cpu, true);
	format_into(idle->name, sizeof(idle->name), "idle %u", index);
	idle->cpu = (uint16_t)index;
	idle->affinity = (uint64_t)1 << index;
	idle->kernel_stack_size = IDLE_STACK_SIZE;
	idle->kernel_stack = kernel_stack_allocate(&root_account, IDLE_STACK_SIZE);
	if (idle->kernel_stack == 0)
		panic("no memory for the stack of CPU %u", index);
	arch_thread_init_kernel(&idle->arch, stack_top(idle), scheduler_idle);
	// The one reference that never goes.
	atomic_init(&idle->object.references, 1);
	cpu->idle = idle;
	cpu->current = idle;
	cpu->payer = idle;
}

static void start(struct cpu *cpu)
{
	uint64_t deadline = arch_time_now() + START_TIMEOUT;

	if (!arch_cpu_start(cpu, boot_machine.cpu_hardware_ids[cpu->index], stack_top(cpu->idle))) {
		log_warning("CPU %u does not start", cpu->index);
		return;
	}
	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
		if (arch_time_now() > deadline) {
			log_warning("CPU %u does not come up", cpu->index);
			return;
		}
		spin_wait();
	}
}

void cpu_start_others(void)
{
	unsigned count = boot_machine.cpu_count < ARCH_CPU_MAX ? (unsigned)boot_machine.cpu_count
							       : ARCH_CPU_MAX;

	for (unsigned i = 0; i < count; i++)
		prepare(&cpus[i], i);
	cpu_count = count;
	for (unsigned i = 1; i < count; i++)
		start(&cpus[i]);
}

void cpu_main(struct cpu *cpu)
{
	assert(cpu == cpu_self());
	(void)cpu;
	interrupt_controller->init_cpu();
	arch_time_init_cpu();
	cpu_enter_idle();
}

void cpu_enter_idle(void)
{
	struct cpu *cpu = cpu_self();

	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	arch_context_switch(&abandoned_contexts[cpu->index], &cpu->idle->arch);
	panic("an idle thread has ended");
}

void cpu_note_quiescent(void)
{
	struct cpu *cpu = cpu_self();

	atomic_fetch_add_explicit(&cpu->quiescent, 1, memory_order_release);
	// What is looked up from now on is looked up after that.
	atomic_thread_fence(memory_order_seq_cst);
}

void preemption_point(void)
{
	ASSERT_NO_LOCKS_HELD();
	assert(!arch_irq_enabled());
	// While the machine starts nothing else can run.
	if (!cpu_self()->online)
		return;
	assert(!cpu_self()->blocked);
	cpu_note_quiescent();
	latency_end((uintptr_t)__builtin_return_address(0));
	arch_irq_enable();
	// An ISA may let interrupts in only after one more instruction.
	arch_cpu_relax();
	arch_irq_disable();
	latency_end((uintptr_t)preemption_point); // of an interrupt
	latency_begin("a long call");
	if (atomic_load_explicit(&cpu_self()->reschedule, memory_order_relaxed)) {
		scheduler_switch();
		// What happened to the thread meanwhile, its frame included, trap_exit looks at.
		cpu_set_work(cpu_self());
	}
}
