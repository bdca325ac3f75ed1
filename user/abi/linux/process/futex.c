// SPDX-License-Identifier: MIT
//
// Futex words of guests: see get_robust_list(2) for the list that a thread leaves behind.

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/futex.h>
#include <linux/process/process.h>

#include <runtime/system_calls.h>

#define FUTEX_WAITERS    ((uint32_t)1 << 31)
#define FUTEX_OWNER_DIED ((uint32_t)1 << 30)
#define FUTEX_OWNER      ((uint32_t)0x3fffffff)

#define ENTRIES_MAX 2048          // of a list, which may go round in circles
#define ENTRY_FLAGS ((uint64_t)1) // of the address of an entry: the futex inherits priority

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

static void release(struct thread *thread, guest_address_t word, bool pending)
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
	} while (futex_replace(thread, word, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) ==
		-LINUX_EAGAIN);
	if (value & FUTEX_WAITERS)
		futex_wake_guest(thread, word, 1);
}

void futex_release_robust(struct thread *thread)
{
	struct robust_list list;
	guest_address_t head = thread->robust_list, entry, next;

	thread->robust_list = 0;
	if (head == 0 || copy_from_guest(thread, &list, head, sizeof(list)))
		return;
	list.pending &= ~ENTRY_FLAGS;
	next = list.first & ~ENTRY_FLAGS;
	for (unsigned i = 0; i < ENTRIES_MAX && next != head; i++) {
		entry = next;
		// Whoever gets the word may reuse what it is in.
		if (copy_from_guest(thread, &next, entry, sizeof(next)))
			break;
		next &= ~ENTRY_FLAGS;
		if (entry != list.pending)
			release(thread, entry + (uint64_t)list.word_offset, false);
	}
	if (list.pending)
		release(thread, list.pending + (uint64_t)list.word_offset, true);
}
