// SPDX-License-Identifier: MIT
//
// Futexes: threads that wait at a 32-bit word of user memory.

#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include <arch/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <tern/info.h>

struct thread;

// What a word is known by: the memory object's id and the offset in it for MAPPING_SHARED mappings, else the id
// of the address space and the address.
struct futex_key {
	uint64_t object_id;
	uint64_t offset;
};

// A word that was looked up: its frame is pinned.
struct futex_word {
	struct futex_key key;
	paddr_t frame;
	uint32_t *value; // through the direct map
};

void futex_init(void);
void futex_owner_init(void);

// Multiplicative hashing (Knuth 6.4) of both parts, to 8 bits; words are 4-aligned.
static inline unsigned futex_hash(const struct futex_key *key)
{
	return (unsigned)(((key->object_id * 31 + (key->offset >> 2)) * 0x9e3779b97f4a7c15) >> 56);
}

static inline bool futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->object_id == b->object_id && a->offset == b->offset;
}

// Looks up a word of an address space, or of the current thread's own (HANDLE_SELF), that may then be written if the rights
// that are needed have WRITE. Errors: INVALID_ARGUMENT (misaligned), BAD_ADDRESS, to write NO_MEMORY as well, those of the handle.
enum error futex_find_word_for(
	handle_t handle, uint64_t address, rights_t rights, uint64_t access, struct futex_word *word);

static inline enum error futex_find_word(
	handle_t handle, uint64_t address, rights_t rights, struct futex_word *word)
{
	return futex_find_word_for(
		handle, address, rights, rights & RIGHT_WRITE ? MAPPING_WRITE : MAPPING_READ, word);
}

static inline bool futex_has_value(const struct futex_word *word, uint32_t expected)
{
	return __atomic_load_n(word->value, __ATOMIC_SEQ_CST) == expected;
}

static inline bool futex_replace(const struct futex_word *word, uint32_t expected, uint32_t desired)
{
	return __atomic_compare_exchange_n(
		word->value, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Wakes waiters of a word of the current process's own space (clear-tid). An address that is not mapped wakes
// nobody.
void futex_wake_address(uint64_t address, uint64_t count);

// A thread's base priority has changed: the owners of futexes that it waits for, one because of the other, inherit it. No lock held.
void futex_priority_changed(struct thread *thread);

// A thread ends: each futex that it owns goes to the first who waits for it.
void futex_thread_exit(struct thread *thread);

#endif
