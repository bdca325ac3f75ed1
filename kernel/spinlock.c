// SPDX-License-Identifier: MIT
//
// Spin locks. In debug builds each CPU keeps a list of those it holds, and their ranks must rise.

#include <arch/cpu.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/spinlock.h>

void spin_init(struct spinlock *lock, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INITIALIZER(rank);
}

#ifdef TERN_DEBUG

void spin_check_order(const struct spinlock *lock, bool nested)
{
	const struct cpu *cpu = cpu_self();

	assert(!arch_irq_enabled());
	for (unsigned i = 0; i < cpu->locks_held_count; i++) {
		const struct spinlock *held = cpu->locks_held[i];

		if (held->rank > lock->rank || (held->rank == lock->rank && !(nested && held < lock)))
			panic("lock of rank %u taken with one of rank %u held", lock->rank, held->rank);
	}
}

void spin_note_taken(struct spinlock *lock)
{
	struct cpu *cpu = cpu_self();

	assert(cpu->locks_held_count < LOCKS_HELD_MAX);
	cpu->locks_held[cpu->locks_held_count++] = lock;
	lock->owner = cpu->index + 1;
}

void spin_note_released(struct spinlock *lock)
{
	struct cpu *cpu = cpu_self();
	unsigned i = cpu->locks_held_count;

	assert(spin_is_held(lock));
	lock->owner = 0;
	while (cpu->locks_held[--i] != lock)
		assert(i > 0);
	cpu->locks_held_count--;
	for (; i < cpu->locks_held_count; i++)
		cpu->locks_held[i] = cpu->locks_held[i + 1];
}

bool spin_is_held(const struct spinlock *lock)
{
	return lock->owner == cpu_self()->index + 1;
}

bool spin_none_held(void)
{
	return cpu_self()->locks_held_count == 0;
}

#else

bool spin_is_held(const struct spinlock *lock)
{
	(void)lock;
	return true;
}

bool spin_none_held(void)
{
	return true;
}

#endif

// Interrupts are off: whoever shoots a translation down must not have to wait for us.
void spin_wait(void)
{
	arch_cpu_relax();
	tlb_shootdown_ipi();
}

void spin_lock_contended(struct spinlock *lock)
{
	cpu_self()->locks_contended[lock->rank]++;
	do {
		while (atomic_load_explicit(&lock->taken, memory_order_relaxed) != 0)
			spin_wait();
	} while (!spin_try_lock(lock));
}
