// SPDX-License-Identifier: MIT
//
// What the ISAs call: system calls, faults and interrupts come in here, and every entry from user mode ends
// in trap_exit.

#include <arch/cpu.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/crash.h>
#include <kernel/ipc.h>
#include <kernel/latency.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <kernel/trap.h>

uint64_t direct_calls_limit = LATENCY_MEASURED ? 0 : SYSCALL_TABLE_SIZE;

void trap_syscall(void)
{
	latency_begin_call();
	syscall_dispatch();
}

// A page fault that memory management can resolve is none. What remains says what it is.
static struct fault resolve(const struct thread *thread, const struct fault *fault)
{
	struct fault rest = *fault;

	if (fault->kind == FAULT_PAGE)
		rest.kind = address_space_fault(thread_space(thread), fault->address, fault->access);
	return rest;
}

void trap_fault(const struct fault *fault)
{
	struct thread *thread = thread_current();
	struct fault rest;

	latency_begin("a fault");
	rest = resolve(thread, fault);
	if (rest.kind == FAULT_NONE || (rest.kind == FAULT_PAGER && ipc_ask_pager(&rest)))
		return;
	if (thread->guest) {
		guest_exit_fault(thread, &rest);
	} else if (!ipc_send_fault(&rest)) {
		crash_log(thread, &rest);
		process_terminate(thread->process, EXIT_FAULT, rest.kind);
	}
}

void trap_syscall_exit(struct syscall_result result)
{
	// The others' results are in the frame, or will be.
	if (result.error != SYSCALL_BLOCKED.error)
		arch_syscall_set_result(&thread_current()->arch, result);
	trap_exit();
}

void trap_exit(void)
{
	struct thread *thread = thread_current();

	ASSERT_NO_LOCKS_HELD();
	for (;;) {
		struct cpu *cpu = cpu_self();

		// Cleared before anything is looked at: what comes later sets it again.
		atomic_store(&cpu->work, 0);
		cpu_note_quiescent();
		if (cpu->blocked) {
			// Whoever killed or kicked it before it waited could not end the wait.
			if (atomic_load(&thread->killed))
				thread_abort_wait(thread, ERR_CANCELLED);
			else
				guest_check_kick(thread);
			scheduler_leave();
			continue;
		}
		if (object_reap_pending())
			object_reap();
		if (log_watcher_due())
			log_signal_watcher();
		if (atomic_load(&thread->killed))
			thread_exit_current();
		if (thread->suspended)
			thread_park_current();
		else if (cpu_self()->out_of_budget) // what came before may have moved it
			scheduling_context_enforce();
		else if (thread->guest && atomic_load(&thread->kicked))
			guest_exit_kicked(thread);
		else if (scheduler_must_switch())
			scheduler_leave();
		else
			break;
	}
	// What waits for other CPUs is looked at again each time. Work keeps a thread that is stepped off the fast path.
	if (object_reap_pending() || thread_is_hindered(thread, HINDRANCE_STEP))
		cpu_set_work(cpu_self());
	cpu_self()->direct_calls = thread->guest ? 0 : direct_calls_limit;
	latency_end((uintptr_t)trap_exit);
}

void trap_exit_switched(void)
{
	const struct cpu *cpu = cpu_self();
	const struct thread *thread = cpu->current;

	// Whoever wants the thread to stop says so before he looks whether it is on a CPU.
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 || cpu->direct_calls == 0 ||
		atomic_load_explicit(&thread->hindrances, memory_order_relaxed) != 0 || thread->guest ||
		object_reap_pending() || log_watcher_due())
		trap_exit();
}

void trap_interrupt(uint32_t line)
{
	latency_begin_interrupt("an interrupt");
	cpu_self()->interrupts++;
	interrupt_raise(line);
}

void trap_timer(void)
{
	uint64_t now = arch_time_now();

	latency_begin_interrupt("the timer");
	cpu_self()->interrupts++;
	timeout_run(now);
	scheduler_timer(now);
}

void trap_ipi(void)
{
	latency_begin_interrupt("an IPI");
	cpu_self()->ipis++;
	if (panic_is_under_way())
		arch_halt();
	tlb_shootdown_ipi();
	scheduler_ipi();
}
