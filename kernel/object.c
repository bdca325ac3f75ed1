// SPDX-License-Identifier: MIT
//
// Kernel objects: creation, references, destruction.
//
// An object whose last reference went is first destroyed (object_operations.destroy), at the end of the
// kernel entry that dropped it. Its memory is freed once every CPU has been quiescent, that is outside the
// kernel or at a preemption point, since then: until that, a look-up on another CPU may still hold the
// pointer.

#include <arch/smp.h>
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/object.h>

#define FREE_STEP    64  // objects freed between preemption points
#define HURRY_BEYOND 256 // so many waiting: other CPUs are asked to be quiescent

static _Atomic uint64_t last_id = 1; // 1 is the root account's

const struct object_operations *const object_operations[OBJECT_TYPE_COUNT] = {
	[OBJECT_PROCESS] = &process_operations,
	[OBJECT_THREAD] = &thread_operations,
	[OBJECT_ADDRESS_SPACE] = &address_space_operations,
	[OBJECT_MEMORY] = &memory_operations,
	[OBJECT_ENDPOINT] = &endpoint_operations,
	[OBJECT_REPLY] = &reply_operations,
	[OBJECT_NOTIFICATION] = &notification_operations,
	[OBJECT_INTERRUPT] = &interrupt_operations,
	[OBJECT_TIMER] = &timer_operations,
	[OBJECT_ACCOUNT] = &account_operations,
	[OBJECT_RESOURCE] = &resource_operations,
	[OBJECT_SCHEDULING_CONTEXT] = &scheduling_context_operations,
};

static struct reaper *reaper_self(void)
{
	return &cpu_self()->reaper;
}

static void push(struct object **list, struct object *object)
{
	object->next_dead = *list;
	*list = object;
}

static struct object *pop(struct object **list)
{
	struct object *object = *list;

	if (object)
		*list = object->next_dead;
	return object;
}

void *object_create(enum object_type type, struct account *account)
{
	const struct object_operations *operations = object_operations[type];
	struct object *object;
	char *memory;
	bool charged;

	// Whoever just looked it up has not counted it.
	if (!object_try_get(&account->object))
		return NULL;
	charged = account_charge_object(account);
	memory = charged ? cache_allocate(operations->cache) : NULL;
	if (memory == NULL) {
		if (charged)
			account_uncharge_object(account);
		object_put(&account->object);
		return NULL;
	}
	object = (struct object *)(memory + operations->offset);
	atomic_init(&object->references, 1);
	object->type = (uint8_t)type;
	object->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
	object->account = account;
	spin_init(&object->derivation_lock, RANK_DERIVATION);
	return memory;
}

bool object_try_get(struct object *object)
{
	unsigned references = atomic_load_explicit(&object->references, memory_order_relaxed);

	while (references != 0)
		if (atomic_compare_exchange_weak_explicit(&object->references, &references, references + 1,
			    memory_order_relaxed, memory_order_relaxed))
			return true;
	return false;
}

void object_put(struct object *object)
{
	unsigned references = atomic_fetch_sub_explicit(&object->references, 1, memory_order_release);

	assert(references != 0);
	if (references != 1)
		return;
	atomic_thread_fence(memory_order_acquire);
	push(&reaper_self()->dying, object);
	cpu_set_work(cpu_self());
}

static void destroy(struct object *object)
{
	const struct object_operations *operations = object_operations[object->type];
	struct account *account = object->account;
	struct reaper *reaper;

	if (operations->destroy)
		operations->destroy(object);
	account_uncharge_object(account);
	object_put(&account->object);
	reaper = reaper_self();
	push(&reaper->destroyed, object);
	reaper->count++;
}

// Whether all other CPUs have been quiescent since the wait began.
static bool all_were_quiescent(const struct cpu *self)
{
	for (const struct cpu *cpu = cpus; cpu < cpus + cpu_count; cpu++)
		if (cpu != self && cpu->online &&
			atomic_load_explicit(&cpu->quiescent, memory_order_acquire) ==
				self->reaper.seen[cpu->index])
			return false;
	return true;
}

static void begin_wait(struct cpu *self)
{
	struct reaper *reaper = &self->reaper;

	reaper->waiting = reaper->destroyed;
	reaper->destroyed = NULL;
	reaper->hurried = false;
	atomic_thread_fence(memory_order_seq_cst);
	for (struct cpu *cpu = cpus; cpu < cpus + cpu_count; cpu++) {
		if (cpu == self)
			continue;
		reaper->seen[cpu->index] = atomic_load_explicit(&cpu->quiescent, memory_order_relaxed);
		// Its next one is noted by trap_exit.
		cpu_set_work(cpu);
	}
}

static void hurry(struct cpu *self)
{
	self->reaper.hurried = true;
	for (unsigned i = 0; i < cpu_count; i++)
		if (&cpus[i] != self && cpus[i].online &&
			atomic_load_explicit(&cpus[i].quiescent, memory_order_relaxed) ==
				self->reaper.seen[i])
			arch_ipi_send(&cpus[i]);
}

static void free_objects(struct object *list)
{
	unsigned step = 0;

	for (struct object *object = pop(&list); object; object = pop(&list)) {
		const struct object_operations *operations = object_operations[object->type];

		cache_free(operations->cache, (char *)object - operations->offset);
		if (++step % FREE_STEP == 0)
			preemption_point();
	}
}

static void free_quiescent(void)
{
	struct cpu *self = cpu_self();
	struct reaper *reaper = &self->reaper;
	struct object *list;

	while (reaper->waiting || reaper->destroyed) {
		if (reaper->waiting == NULL)
			begin_wait(self);
		if (!all_were_quiescent(self)) {
			if (!reaper->hurried && (reaper->count > HURRY_BEYOND || self->current == self->idle))
				hurry(self);
			return;
		}
		list = reaper->waiting;
		reaper->waiting = NULL;
		reaper->count = 0;
		free_objects(list);
		self = cpu_self();
		reaper = &self->reaper;
	}
}

bool object_reap_pending(void)
{
	const struct reaper *reaper = reaper_self();

	return reaper->dying || reaper->destroyed || reaper->waiting;
}

void object_reap(void)
{
	struct object *object;

	ASSERT_NO_LOCKS_HELD();
	while ((object = pop(&reaper_self()->dying))) {
		destroy(object);
		// It may have taken long, and so may what comes next.
		preemption_point();
	}
	free_quiescent();
}
