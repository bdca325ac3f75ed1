// SPDX-License-Identifier: MIT
//
// Futexes with an owner, who inherits the priority of those who wait.
//
// Of the threads that wait for such a futex the first one, by priority and then by arrival, stands for it: it knows the
// owner, is in the table, and in the list of the futexes that the owner owns. What a thread inherits is the priority of the
// first in its list. As its priority changes, its place among those who wait for the same futex does, and then what the owner of that one
// inherits, and so on. Nobody can wait where that would lead back to itself, so this ends; it goes a few links at a time. One lock
// guards all of it: futexes that nobody waits for do not come here.

#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/futex.h>
#include <kernel/ipc.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <kernel/thread.h>

#define BUCKETS       256
#define CHAIN_MAX     32    // owners that wait for each other below one that is named
#define LINKS_AT_ONCE 4     // of a chain; the rest follows soon
#define SOON          20000 // nanoseconds

static struct spinlock lock = SPINLOCK_INITIALIZER(RANK_INHERITANCE);
static struct list_node table[BUCKETS]; // thread.wait_link of first waiters
// Threads whose priority has changed, of which the owners that they wait for do not know yet.
static struct list_node unsettled = LIST_INITIALIZER(unsettled);

static void settle_some(struct timeout *timeout);
static struct timeout rest = {.deadline = DEADLINE_NEVER, .expire = settle_some};

void futex_owner_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&table[i]);
}

static struct list_node *bucket_of(const struct futex_key *key)
{
	return &table[futex_hash(key) % BUCKETS];
}

static struct thread *first_waiter(const struct futex_key *key)
{
	ASSERT_LOCK_HELD(&lock);
	list_for_each (node, bucket_of(key)) {
		struct thread *thread = container_of(node, struct thread, wait_link);

		if (futex_same_key(&thread->wait_key, key))
			return thread;
	}
	return NULL;
}

static bool waits(const struct thread *thread)
{
	return priority_list_contains(&thread->inheritance.waiter);
}

// --- Who waits for whom

// Makes the first of some waiters stand for their futex.
static void stand_for(struct priority_node *waiters, struct thread *owner)
{
	struct thread *first = container_of(waiters, struct thread, inheritance.waiter);

	first->inheritance.owner = owner;
	list_push_back(bucket_of(&first->wait_key), &first->wait_link);
	if (owner)
		priority_list_insert(&owner->inheritance.owned, &first->inheritance.futex, waiters->priority);
}

// A thread comes to wait for its futex or waits with another priority, or (`stays` is false) does not wait any more. The futex gets
// a new owner where that is not NULL. Returns the owner that it had; NULL: none.
static struct thread *change_waiter(struct thread *thread, bool stays, struct thread *new_owner)
{
	struct thread *first = first_waiter(&thread->wait_key), *owner = NULL;
	struct priority_node *waiters = NULL, *node = &thread->inheritance.waiter;

	if (first) {
		owner = first->inheritance.owner;
		waiters = &first->inheritance.waiter;
		list_remove(&first->wait_link);
	}
	if (owner)
		priority_list_remove(&owner->inheritance.owned, &first->inheritance.futex);
	if (waits(thread))
		priority_list_remove(&waiters, node);
	list_remove(&thread->inheritance.unsettled);
	if (stays)
		priority_list_insert(
			&waiters, node, __atomic_load_n(&thread->base_priority, __ATOMIC_RELAXED));
	if (waiters)
		stand_for(waiters, new_owner ? new_owner : owner);
	return owner;
}

// Whether that changes the thread's priority.
static bool inherit(struct thread *thread)
{
	const struct priority_node *first = thread->inheritance.owned;
	bool changed;

	spin_lock(&thread->lock);
	changed = scheduler_set_priority(thread, thread->own_priority, first ? first->priority : 0);
	spin_unlock(&thread->lock);
	if (changed)
		ipc_priority_changed(thread);
	return changed;
}

static void settle_later(struct thread *thread)
{
	list_remove(&thread->inheritance.unsettled);
	list_push_back(&unsettled, &thread->inheritance.unsettled);
	if (atomic_load(&rest.queue) == NULL)
		timeout_arm(&rest, arch_time_now() + SOON);
}

// A thread's priority has changed.
static void settle(struct thread *thread)
{
	for (unsigned i = 0; waits(thread); i++) {
		if (i == LINKS_AT_ONCE) {
			settle_later(thread);
			return;
		}
		thread = change_waiter(thread, true, NULL);
		if (thread == NULL || !inherit(thread))
			return;
	}
}

// What waits for a thread has changed.
static void settle_owner(struct thread *thread)
{
	if (thread && inherit(thread))
		settle(thread);
}

static void settle_some(struct timeout *timeout)
{
	struct list_node *node;

	(void)timeout;
	spin_lock(&lock);
	node = list_pop_front(&unsettled);
	if (node)
		settle(container_of(node, struct thread, inheritance.unsettled));
	if (!list_is_empty(&unsettled) && atomic_load(&rest.queue) == NULL)
		timeout_arm(&rest, arch_time_now() + SOON);
	spin_unlock(&lock);
}

void futex_priority_changed(struct thread *thread)
{
	spin_lock(&lock);
	settle(thread);
	spin_unlock(&lock);
}

// --- Waiting

static void cancel(struct thread *thread)
{
	spin_lock(&lock);
	if (waits(thread))
		settle_owner(change_waiter(thread, false, NULL));
	spin_unlock(&lock);
}

static const struct wait_operations owned_wait = {"owned futex", cancel, NULL};

// Whether an owner waits for the thread, or for the futex that it is to own, or has too many before it to tell.
static bool waits_for(struct thread *owner, const struct thread *thread, const struct futex_key *key)
{
	for (unsigned i = 0; i < CHAIN_MAX && owner != thread; i++) {
		if (owner == NULL || !waits(owner))
			return false;
		if (futex_same_key(&owner->wait_key, key))
			return true;
		owner = first_waiter(&owner->wait_key)->inheritance.owner;
	}
	return true;
}

static enum error check(
	struct thread *owner, const struct thread *thread, const struct futex_word *word, uint32_t expected)
{
	if (!futex_has_value(word, expected))
		return ERR_MISMATCH;
	// Whoever ends takes the lock after it is so.
	if (owner && atomic_load(&owner->killed))
		return ERR_PEER_CLOSED;
	return waits_for(owner, thread, &word->key) ? ERR_DEADLOCK : ERR_OK;
}

struct syscall_result sys_futex_wait_owned(handle_t handle, uint64_t address, uint32_t expected,
	handle_t owner_handle, uint32_t value, uint64_t deadline)
{
	struct thread *thread = thread_current(), *owner = NULL;
	struct futex_word word;
	enum error error = ERR_OK;

	if (owner_handle != HANDLE_NONE)
		error = thread_lookup(owner_handle, RIGHT_CONTROL, &owner);
	if (!error)
		error = futex_find_word(handle, address, RIGHT_READ, &word);
	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&lock);
	error = check(owner, thread, &word, expected);
	if (!error) {
		thread->wait_key = word.key;
		thread->inheritance.value = value;
		thread_prepare_wait(&owned_wait, NULL, THREAD_BLOCKED, deadline);
		settle_owner(change_waiter(thread, true, owner));
		settle_owner(owner);
	}
	spin_unlock(&lock);
	frame_unpin(word.frame);
	return error ? SYSCALL_ERROR(error) : SYSCALL_BLOCKED;
}

// --- Handing over

// The first waiter owns its futex, for which the others wait. False: its wait has just ended otherwise.
static bool pass_on(struct thread *first, enum error error)
{
	bool claimed = thread_claim(first);

	settle_owner(change_waiter(first, false, claimed ? first : NULL));
	if (claimed) {
		settle_owner(first);
		thread_wake_with(first, error, 0);
	}
	return claimed;
}

static uint32_t value_for(const struct thread *first)
{
	if (first == NULL)
		return 0;
	return first->inheritance.value | (list_is_empty(&first->inheritance.waiter.all) ? 0 : FUTEX_WAITERS);
}

struct syscall_result sys_futex_hand_over(handle_t handle, uint64_t address, uint32_t expected, uint32_t bits)
{
	struct futex_word word;
	struct thread *first;
	uint32_t desired;
	bool done;
	enum error error = futex_find_word(handle, address, RIGHT_READ | RIGHT_WRITE, &word);

	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&lock);
	do {
		first = first_waiter(&word.key);
		desired = value_for(first) | bits;
		done = futex_replace(&word, expected, desired);
		expected = desired;
	} while (done && first && !pass_on(first, ERR_OK));
	spin_unlock(&lock);
	frame_unpin(word.frame);
	return done ? SYSCALL_VALUE(first != NULL) : SYSCALL_ERROR(ERR_MISMATCH);
}

void futex_thread_exit(struct thread *thread)
{
	struct priority_node *owned;

	do {
		spin_lock(&lock);
		owned = thread->inheritance.owned;
		if (owned)
			pass_on(container_of(owned, struct thread, inheritance.futex), ERR_PEER_CLOSED);
		spin_unlock(&lock);
		if (owned)
			preemption_point();
	} while (owned);
}
