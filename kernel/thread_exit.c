// SPDX-License-Identifier: MIT
//
// The end of a thread: on its own kernel stack, in trap_exit, with nothing held; or, where it waits, on that of whoever kills it.

#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/futex.h>
#include <kernel/ipc.h>
#include <kernel/panic.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <kernel/thread.h>

// What others see of the end: the mappings gone, unless all of the space goes with the process, and the cleared word, which may be
// in memory shared with other processes.
static void leave_space(struct thread *thread)
{
	struct process *process = thread->process;
	uint32_t zero = 0;

	address_space_switch(process->space);
	// Whoever sees the word cleared may take the addresses for another thread.
	if (!process->exiting)
		thread_unmap(thread, process->space);
	if (thread->clear_tid_address &&
		copy_to_user((void __user *)(uintptr_t)thread->clear_tid_address, &zero, sizeof(zero)) ==
			ERR_OK)
		futex_wake_address(thread->clear_tid_address, 1);
}

// The thread's state becomes ZOMBIE, or DEAD where somebody has waited for it.
static void publish_end(struct thread *thread)
{
	bool joined;

	spin_lock(&thread->lock);
	// A joiner whose wait has ended otherwise takes itself out.
	joined = thread->joiner && thread_claim(thread->joiner);
	// First: a joiner may look at the thread on another CPU as soon as it is awake.
	atomic_store(&thread->state, joined || thread->detached ? THREAD_DEAD : THREAD_ZOMBIE);
	if (joined) {
		thread_wake_with(thread->joiner, ERR_OK, thread->exit_status);
		thread->joiner = NULL;
		object_put(&thread->object);
	}
	spin_unlock(&thread->lock);
}

static void end(struct thread *thread)
{
	futex_thread_exit(thread);
	ipc_thread_exit(thread);
	guest_thread_exit(thread);
	leave_space(thread);
	if (thread == thread_current())
		address_space_switch(NULL);
	process_remove_thread(thread);
	publish_end(thread);
	binding_signal(&thread->watch);
	binding_end(&thread->watch, &thread->object);
	arch_fpu_release(&thread->arch);
}

bool thread_end_waiting(struct thread *thread)
{
	// Its address space has to be there, and another thread that keeps the process.
	if (thread->process != thread_current()->process || !thread_leave_wait(thread))
		return false;
	// It may be on its way off a CPU still. From here on nobody lets it run again.
	if (atomic_load(&thread->on_cpu) || thread->guest_state) {
		thread_wake(thread);
		return false;
	}
	end(thread);
	object_put(&thread->object);
	return true;
}

void thread_exit_current(void)
{
	struct thread *thread = thread_current();

	// Many that are killed follow each other without a return to user mode.
	preemption_point();
	end(thread);
	// The reference that kept it while it ran goes when its stack is out of use.
	cpu_self()->ended = true;
	scheduler_switch();
	panic("a thread runs after its end");
}
