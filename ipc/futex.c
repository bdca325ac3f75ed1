// SPDX-License-Identifier: MIT
//
// Futexes: compare and enqueue are atomic under the lock of the word's bucket, which every wake takes as
// well.

#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/futex.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

#define BUCKETS   256
#define WAKE_STEP 16 // woken between preemption points

struct bucket {
	struct spinlock lock;
	struct list_node waiters; // thread.wait_link
};

static struct bucket buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
	futex_owner_init();
}

static struct bucket *bucket_of(const struct futex_key *key)
{
	return &buckets[futex_hash(key) % BUCKETS];
}

static enum error find_space(handle_t handle, rights_t rights, struct address_space **space)
{
	struct capability capability;
	enum error error;

	if (handle == HANDLE_SELF) {
		*space = thread_current()->process->space;
		return ERR_OK;
	}
	error = capability_lookup(handle, OBJECT_ADDRESS_SPACE, rights, &capability);
	if (!error)
		*space = container_of(capability.object, struct address_space, object);
	return error;
}

static enum error find_key(
	struct address_space *space, uint64_t address, uint64_t access, struct futex_key *key, paddr_t *frame)
{
	if (address % sizeof(uint32_t) != 0)
		return ERR_INVALID_ARGUMENT;
	if (!user_range_valid(address, sizeof(uint32_t)))
		return ERR_BAD_ADDRESS;
	return address_space_futex_key(space, address, access, key, frame);
}

enum error futex_find_word_for(
	handle_t handle, uint64_t address, rights_t rights, uint64_t access, struct futex_word *word)
{
	struct address_space *space;
	enum error error = find_space(handle, rights, &space);

	if (!error)
		error = find_key(space, address, access, &word->key, &word->frame);
	if (!error)
		word->value = (uint32_t *)((char *)phys_to_virt(word->frame) + address % PAGE_SIZE);
	return error;
}

// Of a word that is not looked at: whatever it may share with copies stays shared.
static enum error find_key_only(handle_t handle, uint64_t address, struct futex_key *key)
{
	struct address_space *space;
	enum error error = find_space(handle, RIGHT_READ, &space);

	return error ? error : find_key(space, address, MAPPING_READ, key, NULL);
}

// A requeue may move the waiter to another bucket meanwhile.
static void cancel_wait(struct thread *thread)
{
	for (;;) {
		struct bucket *bucket = __atomic_load_n(
			(struct bucket **)&thread->wait_object, __ATOMIC_ACQUIRE);
		bool found;

		spin_lock(&bucket->lock);
		found = thread->wait_object == bucket;
		if (found)
			list_remove(&thread->wait_link);
		spin_unlock(&bucket->lock);
		if (found)
			return;
	}
}

static const struct wait_operations futex_wait = {"futex", cancel_wait, NULL};

struct syscall_result sys_futex_wait(handle_t handle, uint64_t address, uint32_t expected, uint64_t deadline)
{
	struct thread *thread = thread_current();
	struct bucket *bucket;
	struct futex_word word;
	bool waits;
	enum error error = futex_find_word(handle, address, RIGHT_READ, &word);

	if (error)
		return SYSCALL_ERROR(error);
	bucket = bucket_of(&word.key);
	spin_lock(&bucket->lock);
	waits = futex_has_value(&word, expected);
	if (waits) {
		thread->wait_key = word.key;
		thread_prepare_wait(&futex_wait, bucket, THREAD_BLOCKED, deadline);
		list_push_back(&bucket->waiters, &thread->wait_link);
	}
	spin_unlock(&bucket->lock);
	frame_unpin(word.frame);
	return waits ? SYSCALL_BLOCKED : SYSCALL_ERROR(ERR_MISMATCH);
}

// Wakes up to `count` waiters of a key. The bucket's lock is held.
static uint64_t wake_locked(struct bucket *bucket, const struct futex_key *key, uint64_t count)
{
	uint64_t woken = 0;

	ASSERT_LOCK_HELD(&bucket->lock);
	list_for_each_safe (node, &bucket->waiters) {
		struct thread *thread = container_of(node, struct thread, wait_link);

		if (woken == count)
			break;
		if (!futex_same_key(&thread->wait_key, key))
			continue;
		list_remove(node);
		if (thread_claim(thread)) {
			thread_wake_with(thread, ERR_OK, 0);
			woken++;
		}
	}
	return woken;
}

static uint64_t wake(const struct futex_key *key, uint64_t count)
{
	struct bucket *bucket = bucket_of(key);
	uint64_t woken = 0, step, in_step;

	do {
		step = count - woken < WAKE_STEP ? count - woken : WAKE_STEP;
		spin_lock(&bucket->lock);
		in_step = wake_locked(bucket, key, step);
		spin_unlock(&bucket->lock);
		woken += in_step;
		if (in_step == WAKE_STEP)
			preemption_point();
	} while (in_step == WAKE_STEP && woken < count);
	return woken;
}

struct syscall_result sys_futex_wake(handle_t handle, uint64_t address, uint64_t count)
{
	struct futex_key key;
	enum error error = find_key_only(handle, address, &key);

	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(wake(&key, count));
}

void futex_wake_address(uint64_t address, uint64_t count)
{
	struct futex_key key;

	if (thread_current()->process->space && find_key_only(HANDLE_SELF, address, &key) == ERR_OK)
		wake(&key, count);
}

struct syscall_result sys_futex_exchange(
	handle_t handle, uint64_t address, uint32_t expected, uint32_t desired)
{
	struct futex_word word;
	bool done;
	enum error error = futex_find_word(handle, address, RIGHT_READ | RIGHT_WRITE, &word);

	if (error)
		return SYSCALL_ERROR(error);
	done = futex_replace(&word, expected, desired);
	frame_unpin(word.frame);
	return SYSCALL_ERROR(done ? ERR_OK : ERR_MISMATCH);
}

// --- Requeue

static void lock_both(struct bucket *a, struct bucket *b)
{
	struct bucket *first = a < b ? a : b, *second = a < b ? b : a;

	spin_lock(&first->lock);
	if (first != second)
		spin_lock_nested(&second->lock);
}

static void unlock_both(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static uint64_t move_locked(struct bucket *from, const struct futex_key *key, struct bucket *to,
	const struct futex_key *target, uint64_t count)
{
	struct list_node moving = LIST_INITIALIZER(moving);
	uint64_t moved = 0;

	list_for_each_safe (node, &from->waiters) {
		struct thread *thread = container_of(node, struct thread, wait_link);

		if (moved == count)
			break;
		if (!futex_same_key(&thread->wait_key, key))
			continue;
		list_remove(node);
		list_push_back(&moving, node);
		thread->wait_key = *target;
		__atomic_store_n((struct bucket **)&thread->wait_object, to, __ATOMIC_RELEASE);
		moved++;
	}
	while (!list_is_empty(&moving))
		list_push_back(&to->waiters, list_pop_front(&moving));
	return moved;
}

static enum error requeue(const struct futex_word *word, uint32_t expected, uint64_t wake_count,
	const struct futex_key *target, uint64_t move, uint64_t *count)
{
	struct bucket *from = bucket_of(&word->key), *to = bucket_of(target);
	enum error error = ERR_MISMATCH;

	lock_both(from, to);
	if (futex_has_value(word, expected)) {
		*count = wake_locked(from, &word->key, wake_count);
		*count += move_locked(from, &word->key, to, target, move);
		error = ERR_OK;
	}
	unlock_both(from, to);
	return error;
}

struct syscall_result sys_futex_requeue(handle_t handle, uint64_t address, uint32_t expected,
	uint64_t wake_count, uint64_t target_address, uint64_t move)
{
	struct futex_word word;
	struct futex_key target;
	uint64_t count = 0;
	enum error error = futex_find_word(handle, address, RIGHT_READ, &word);

	if (error)
		return SYSCALL_ERROR(error);
	error = find_key_only(handle, target_address, &target);
	if (!error)
		error = requeue(&word, expected, wake_count, &target, move, &count);
	frame_unpin(word.frame);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(count);
}
