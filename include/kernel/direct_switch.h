// SPDX-License-Identifier: MIT
//
// Direct switches, from the current thread in its system call to one that waits, without the scheduler: ended wait,
// begun wait, and on to user mode. docs/fast_path.md argues their races.

#ifndef KERNEL_DIRECT_SWITCH_H
#define KERNEL_DIRECT_SWITCH_H

#include <arch/mmu.h>
#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/process.h>
#include <kernel/thread.h>

#define RARE(condition) __builtin_expect((condition), 0)
#define INLINE          static inline __attribute__((always_inline))

// One plain access to what others may change, as by a relaxed atomic operation; compilers give those no addressing modes.
#define ONCE(type, lvalue) (*(volatile type *)&(lvalue))
#ifdef __SANITIZE_THREAD__
#define SET_ONCE(type, lvalue, value) atomic_store_explicit(&(lvalue), value, memory_order_relaxed)
#else
#define SET_ONCE(type, lvalue, value) (ONCE(type, lvalue) = (value))
#endif

// The state word with which a running thread begins its next wait.
INLINE uint64_t direct_next_wait(const struct thread *self)
{
	return atomic_load_explicit(&self->state, memory_order_relaxed) - THREAD_RUNNING +
		(1 << 8 | THREAD_BLOCKED);
}

// Whether a handle names what a thread remembers of it.
INLINE bool direct_is_target(const struct target *target, handle_t handle)
{
	uint64_t tenancy = target->tenancy;

	return (target->handle == handle) & (ONCE(const uint64_t, target->slot->tenancy) == tenancy);
}

// Looks the handle up and remembers it. False: it is none of an object of that type with that right.
INLINE bool direct_find(struct target *target, handle_t handle, enum object_type type, rights_t right)
{
	const struct capability_table *table = &thread_current()->process->table;
	struct capability found;

	if (capability_read(table, handle, &found) != ERR_OK || found.object->type != type ||
		!(found.rights & right))
		return false;
	found.index = (uint16_t)handle;
	*target = (struct target){
		.handle = handle,
		.slot = capability_slot(table, (uint32_t)handle),
		.what = (char *)found.object - object_operations[type]->offset,
		.tenancy = found.tenancy,
		.badge = found.badge,
	};
	return true;
}

// 0: a thread belongs to this CPU, and nothing hinders it. The priority is what is shifted out.
INLINE uint64_t direct_hindrances(const struct thread *thread, const struct cpu *cpu)
{
	return (ONCE(const uint64_t, thread->place) ^ cpu->place) << 16;
}

// Whether a thread that waits may run here as soon as it is claimed.
INLINE bool direct_is_unhindered(const struct thread *thread, const struct cpu *cpu)
{
	return direct_hindrances(thread, cpu) == 0;
}

// The same of one that has the current thread's priority, at once.
INLINE bool direct_follows(const struct thread *thread, const struct thread *self)
{
	uint64_t place = ONCE(const uint64_t, thread->place), own = ONCE(const uint64_t, self->place);

	return !RARE(place != own) && !RARE((uint32_t)place != 0);
}

#ifdef ARCH_EXCHANGE_IF
#define direct_exchange_if arch_exchange_if
#else
INLINE bool direct_exchange_if(volatile void *word, uint64_t expected, uint64_t value)
{
	return __atomic_compare_exchange_n(
		(volatile uint64_t *)word, &expected, value, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
#endif

// Puts `value` in place of what is above `limit`, and returns that; 0: it is not, or just changed.
#ifdef ARCH_EXCHANGE_ABOVE
#define direct_exchange_above arch_exchange_above
#else
INLINE uint64_t direct_exchange_above(volatile void *word, uint64_t limit, uint64_t value)
{
	uint64_t seen = __atomic_load_n((volatile uint64_t *)word, __ATOMIC_RELAXED);

	return seen > limit && direct_exchange_if(word, seen, value) ? seen : 0;
}
#endif

// Ends a thread's wait and makes it run. Whoever wants it to stop announces that in the CPU's work word before he
// looks whether it is on a CPU; we look at that word last. A thread that another has claimed may be anywhere: it is left alone.
INLINE bool direct_claim(struct thread *thread, uint64_t waiting)
{
	if (RARE(!direct_exchange_if(&thread->state, waiting, waiting - THREAD_BLOCKED + THREAD_RUNNING)))
		return false;
	SET_ONCE(bool, thread->on_cpu, true);
	return true;
}

// The present wait of a thread that is in a queue: its state, unless another has claimed that wait.
INLINE uint64_t direct_present_wait(const struct thread *thread)
{
	return ONCE(const uint64_t, thread->state) | THREAD_BLOCKED;
}

INLINE bool direct_claim_waiting(struct thread *thread)
{
	return direct_claim(thread, direct_present_wait(thread));
}

// The current thread waits from now on: its frame is what others may change.
INLINE void direct_begin_wait(struct thread *self, const struct wait_operations *operations, uint64_t state)
{
	SET_ONCE(const struct wait_operations *, self->wait_operations, operations);
	atomic_store(&self->state, state);
}

// As address_space_load, in its order; false: that must be called.
INLINE bool direct_load(struct cpu *cpu, struct address_space *space)
{
	bool kept;

	ONCE(struct address_space *, cpu->address_space) = space;
	return arch_mmu_try_switch(&cpu->arch, &space->arch, &kept) &&
		(!kept || ARCH_TLB_BROADCAST || (ONCE(uint64_t, space->cpus) & cpu->bit) != 0);
}

#endif
