// SPDX-License-Identifier: MIT
//
// Futex words of guests: see get_robust_list(2) for the list that a thread leaves behind.

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/futex.h>
#include <linux/process/process.h>
#include <linux/process/table.h>

#include <runtime/system_calls.h>

// With FUTEX_WAITERS all there is in the word.
#define FUTEX_OWNER_DIED ((uint32_t)1 << 30)
#define FUTEX_OWNER      ((uint32_t)0x3fffffff)

#define ENTRIES_MAX    2048          // of a list, which may go round in circles
#define ENTRY_INHERITS ((uint64_t)1) // of the address of an entry: the futex inherits priority

struct robust_list {
	guest_address_t first;
	int64_t word_offset;     // from an entry
	guest_address_t pending; // being locked or unlocked
};

int64_t futex_wake_guest(struct thread *thread, guest_address_t address, uint64_t count)
{
	uint64_t woken = 0;
	enum error error = futex_wake(thread->process->memory->space, address, count, &woken);

	return error == ERR_OK ? (int64_t)woken : error_to_linux(error);
}

int64_t futex_replace(struct thread *thread, guest_address_t address, uint32_t expected, uint32_t desired)
{
	return error_to_linux(futex_exchange(thread->process->memory->space, address, expected, desired));
}

// --- Futexes that inherit priority

// The thread of the personality that runs the owner.
static handle_t native_of(uint32_t owner)
{
	handle_t native = HANDLE_NONE;

	pthread_mutex_lock(&process_lock);
	const struct thread *thread = id_thread((int32_t)owner);
	if (thread)
		native = thread->native;
	pthread_mutex_unlock(&process_lock);
	return native;
}

// Waits for the owner of a futex. -LINUX_EAGAIN: the word has changed.
static int64_t wait_for_owner(
	struct thread *thread, guest_address_t address, uint32_t value, uint64_t deadline)
{
	uint32_t id = (uint32_t)thread->id, marked = value | FUTEX_WAITERS;
	handle_t native = native_of(value & FUTEX_OWNER);
	// Whoever ends lets go of its words before its id, so one that is still there is nobody's.
	int64_t result = futex_replace(thread, address, value, native == HANDLE_NONE ? value : marked);
	enum error error = ERR_CANCELLED;

	if (result || native == HANDLE_NONE)
		return result ? result : -LINUX_ESRCH;
	// A kick ends this wait, or the next if it comes before it.
	thread->state->interruptible = 1;
	if (!thread_interrupted(thread))
		error = futex_wait_owned(
			thread->process->memory->space, address, marked, native, id, deadline);
	thread->state->interruptible = 0;
	switch (error) {
	case ERR_CANCELLED:
		return -LINUX_ERESTARTNOINTR;
	case ERR_BAD_HANDLE: // it has ended meanwhile
		return -LINUX_EAGAIN;
	case ERR_PEER_CLOSED: // the same, and did not list the word
		return futex_replace(thread, address, marked, id | FUTEX_WAITERS | FUTEX_OWNER_DIED);
	default:
		return error_to_linux(error);
	}
}

int64_t futex_lock(struct thread *thread, guest_address_t address, uint64_t deadline, bool tries)
{
	int64_t error;

	do {
		uint32_t value, owner;

		if (copy_from_guest(thread, &value, address, sizeof(value)))
			return -LINUX_EFAULT;
		owner = value & FUTEX_OWNER;
		if (owner == (uint32_t)thread->id)
			return -LINUX_EDEADLK;
		if (owner == 0)
			error = futex_replace(thread, address, value, value | (uint32_t)thread->id);
		else if (tries)
			return -LINUX_EAGAIN;
		else
			error = wait_for_owner(thread, address, value, deadline);
	} while (error == -LINUX_EAGAIN);
	return error;
}

// Gives a word that has a value to who waits for it.
static int64_t hand_over(struct thread *thread, guest_address_t address, uint32_t value, uint32_t bits)
{
	uint64_t count;

	return error_to_linux(futex_hand_over(thread->process->memory->space, address, value, bits, &count));
}

int64_t futex_unlock(struct thread *thread, guest_address_t address)
{
	uint32_t value;
	int64_t error;

	do {
		if (copy_from_guest(thread, &value, address, sizeof(value)))
			return -LINUX_EFAULT;
		if ((value & FUTEX_OWNER) != (uint32_t)thread->id)
			return -LINUX_EPERM;
		error = hand_over(thread, address, value, 0);
	} while (error == -LINUX_EAGAIN);
	return error;
}

// --- Threads that end

// Lets go of a word on the robust list, which says that its owner has died.
static int64_t let_go(struct thread *thread, guest_address_t word, uint32_t value, bool inherits)
{
	int64_t error;

	if (inherits)
		return hand_over(thread, word, value, FUTEX_OWNER_DIED);
	error = futex_replace(thread, word, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
	if (!error && (value & FUTEX_WAITERS))
		futex_wake_guest(thread, word, 1);
	return error;
}

static void release(struct thread *thread, guest_address_t word, bool inherits, bool pending)
{
	uint32_t value;

	do {
		if (copy_from_guest(thread, &value, word, sizeof(value)))
			return;
		// It was unlocked, but who waits was not told yet.
		if (pending && value == 0)
			futex_wake_guest(thread, word, 1);
		if ((value & FUTEX_OWNER) != (uint32_t)thread->id)
			return;
	} while (let_go(thread, word, value, inherits) == -LINUX_EAGAIN);
}

static void release_entry(
	struct thread *thread, const struct robust_list *list, guest_address_t entry, bool pending)
{
	release(thread, (entry & ~ENTRY_INHERITS) + (uint64_t)list->word_offset, entry & ENTRY_INHERITS,
		pending);
}

void futex_release_robust(struct thread *thread)
{
	struct robust_list list;
	guest_address_t head = thread->robust_list, entry, next;

	thread->robust_list = 0;
	if (head == 0 || copy_from_guest(thread, &list, head, sizeof(list)))
		return;
	next = list.first;
	for (unsigned i = 0; i < ENTRIES_MAX && (next & ~ENTRY_INHERITS) != head; i++) {
		entry = next;
		// Whoever gets the word may reuse what it is in.
		if (copy_from_guest(thread, &next, entry & ~ENTRY_INHERITS, sizeof(next)))
			break;
		if ((entry & ~ENTRY_INHERITS) != (list.pending & ~ENTRY_INHERITS))
			release_entry(thread, &list, entry, false);
	}
	if (list.pending)
		release_entry(thread, &list, list.pending, true);
}
