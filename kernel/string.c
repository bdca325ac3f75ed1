// SPDX-License-Identifier: MIT
//
// Memory and strings. Where both ends allow it, copies go by aligned words; else by words at any alignment,
// which the compiler turns into bytes where the ISA has no misaligned access.

#include <kernel/string.h>
#include <stdbool.h>
#include <stdint.h>

#define UNROLLED 8 // words in one turn of a loop, as the pragmas say

typedef uint64_t aligned_word __attribute__((may_alias));

struct word {
	uint64_t value;
} __attribute__((packed, may_alias));

// Keeps the compiler from making a loop into a call of the very function it is in.
static inline void keep_loop(void)
{
	__asm__ volatile("");
}

static bool is_aligned(uintptr_t address)
{
	return address % sizeof(aligned_word) == 0;
}

// The words of a copy; the value is how many bytes they are.
static size_t copy_aligned_up(aligned_word *to, const aligned_word *from, size_t length)
{
	size_t left = length / sizeof(*to);

	for (; left >= UNROLLED; left -= UNROLLED, to += UNROLLED, from += UNROLLED) {
#pragma GCC unroll 8
		for (size_t i = 0; i < UNROLLED; i++)
			to[i] = from[i];
		keep_loop();
	}
	for (; left > 0; left--) {
		*to++ = *from++;
		keep_loop();
	}
	return length & ~(sizeof(*to) - 1);
}

static size_t copy_words_up(struct word *to, const struct word *from, size_t length)
{
	for (size_t left = length / sizeof(*to); left > 0; left--) {
		*to++ = *from++;
		keep_loop();
	}
	return length & ~(sizeof(*to) - 1);
}

static void copy_up(uint8_t *to, const uint8_t *from, size_t length)
{
	size_t done = is_aligned((uintptr_t)to | (uintptr_t)from)
		? copy_aligned_up((aligned_word *)to, (const aligned_word *)from, length)
		: copy_words_up((struct word *)to, (const struct word *)from, length);

	for (; done < length; done++) {
		to[done] = from[done];
		keep_loop();
	}
}

static void copy_down(uint8_t *to, const uint8_t *from, size_t length)
{
	for (; length >= sizeof(struct word); length -= sizeof(struct word)) {
		*(struct word *)(to + length - sizeof(struct word)) = *(
			const struct word *)(from + length - sizeof(struct word));
		keep_loop();
	}
	while (length > 0) {
		length--;
		to[length] = from[length];
		keep_loop();
	}
}

void *memcpy(void *restrict destination, const void *restrict source, size_t length)
{
	copy_up(destination, source, length);
	return destination;
}

void *memmove(void *destination, const void *source, size_t length)
{
	// Going away from the overlap, each word is read before any of its bytes are overwritten.
	if ((uintptr_t)destination - (uintptr_t)source < length)
		copy_down(destination, source, length);
	else
		copy_up(destination, source, length);
	return destination;
}

void *memset(void *destination, int value, size_t length)
{
	uint8_t *to = destination, *end = to + length;
	uint64_t pattern = (uint8_t)value * (uint64_t)0x0101010101010101;

	for (; to < end && !is_aligned((uintptr_t)to); to++) {
		*to = (uint8_t)value;
		keep_loop();
	}
	for (; (size_t)(end - to) >= UNROLLED * sizeof(pattern); to += UNROLLED * sizeof(pattern)) {
#pragma GCC unroll 8
		for (size_t i = 0; i < UNROLLED; i++)
			((aligned_word *)to)[i] = pattern;
		keep_loop();
	}
	for (; (size_t)(end - to) >= sizeof(pattern); to += sizeof(pattern)) {
		*(aligned_word *)to = pattern;
		keep_loop();
	}
	for (; to < end; to++) {
		*to = (uint8_t)value;
		keep_loop();
	}
	return destination;
}

int memcmp(const void *first, const void *second, size_t length)
{
	const uint8_t *a = first, *b = second;

	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i])
			return a[i] - b[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length]) {
		keep_loop();
		length++;
	}
	return length;
}

size_t strnlen(const char *text, size_t limit)
{
	size_t length = 0;

	while (length < limit && text[length])
		length++;
	return length;
}

int strcmp(const char *first, const char *second)
{
	while (*first && *first == *second) {
		first++;
		second++;
	}
	return (uint8_t)*first - (uint8_t)*second;
}

int strncmp(const char *first, const char *second, size_t limit)
{
	for (; limit > 0; limit--, first++, second++)
		if (*first != *second || *first == 0)
			return (uint8_t)*first - (uint8_t)*second;
	return 0;
}
