// SPDX-License-Identifier: MIT
//
// Kicks: each ends a wait or is there when the thread goes on, also one that comes just when another one has ended its wait.

#include "core_machine.h"
#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/memory.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>
#include <stdlib.h>

static struct guest_state state;
static unsigned wakes;
static bool kick_when_woken;

uint64_t direct_calls_limit = SYSCALL_TABLE_SIZE;
const struct wait_operations budget_wait = {"budget", NULL, NULL};
static const struct wait_operations operations = {"test", NULL, NULL};

// From here on the thread may run, on another CPU too.
void scheduler_enqueue(struct thread *thread)
{
	CHECK(thread_get_state(thread) == THREAD_READY);
	wakes++;
	atomic_store(&thread->state, (atomic_load(&thread->state) & ~(uint64_t)0xff) | THREAD_RUNNING);
	host_cpu->blocked = false;
	if (kick_when_woken)
		atomic_store(&thread->kicked, true);
}

// --- What is not called here

void scheduler_poke(struct thread *thread)
{
	(void)thread;
	abort();
}

void trap_exit(void)
{
	abort();
}

void arch_enter_user(struct arch_thread *thread)
{
	(void)thread;
	abort();
}

void arch_registers_get(struct arch_thread *thread, struct registers *registers)
{
	(void)thread;
	(void)registers;
	abort();
}

bool arch_registers_set(struct arch_thread *thread, const struct registers *registers)
{
	(void)thread;
	(void)registers;
	abort();
}

void arch_guest_begin(struct arch_cpu *cpu, struct arch_thread *thread)
{
	(void)cpu;
	(void)thread;
	abort();
}

void arch_guest_end(struct arch_cpu *cpu, struct arch_thread *thread)
{
	(void)cpu;
	(void)thread;
	abort();
}

struct syscall_result arch_guest_enter(void)
{
	abort();
}

bool arch_guest_begin_directly(
	struct arch_cpu *cpu, struct arch_thread *thread, const struct registers *registers)
{
	(void)cpu;
	(void)thread;
	(void)registers;
	abort();
}

void arch_guest_end_directly(struct arch_cpu *cpu, struct arch_thread *thread, struct registers *registers)
{
	(void)cpu;
	(void)thread;
	(void)registers;
	abort();
}

void address_space_load(struct cpu *cpu, struct address_space *space)
{
	(void)cpu;
	(void)space;
	abort();
}

enum error address_space_map(struct address_space *space, struct memory *memory,
	const struct map_request *request, uint64_t allowed, vaddr_t *address)
{
	(void)space;
	(void)memory;
	(void)request;
	(void)allowed;
	(void)address;
	abort();
}

enum error address_space_unmap(struct address_space *space, vaddr_t address, uint64_t length)
{
	(void)space;
	(void)address;
	(void)length;
	abort();
}

struct memory *memory_create(struct account *account, uint64_t size, uint64_t flags)
{
	(void)account;
	(void)size;
	(void)flags;
	abort();
}

enum memory_result memory_get_page(
	struct memory *memory, uint64_t offset, bool write, paddr_t *frame, bool *writable)
{
	(void)memory;
	(void)offset;
	(void)write;
	(void)frame;
	(void)writable;
	abort();
}

// --- Tests

static void wait(uint64_t deadline)
{
	wakes = 0;
	atomic_store(&thread_current()->kicked, false);
	thread_prepare_wait(&operations, NULL, THREAD_BLOCKED, deadline);
}

// As sys_guest_kick.
static void kick(void)
{
	atomic_store(&thread_current()->kicked, true);
	guest_check_kick(thread_current());
}

int main(void)
{
	struct thread *thread;

	core_machine_start(1);
	core_machine_make_threads();
	thread = thread_current();
	thread->guest_state = &state;
	// A wait that is not interruptible: the kick stays.
	wait(DEADLINE_NEVER);
	kick();
	CHECK(wakes == 0 && atomic_load(&thread->kicked));
	state.interruptible = true;
	guest_check_kick(thread);
	CHECK(wakes == 1 && !atomic_load(&thread->kicked) && thread->arch.result.error == ERR_CANCELLED);
	// One that is, with a deadline.
	wait(1000);
	kick();
	CHECK(wakes == 1 && !atomic_load(&thread->kicked) && thread->timeout.queue == NULL);
	// A second kick, just when the first one has woken the thread: it is for what the thread does next.
	wait(1000);
	kick_when_woken = true;
	kick();
	CHECK(wakes == 1 && atomic_load(&thread->kicked));
	return 0;
}
