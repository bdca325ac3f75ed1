// SPDX-License-Identifier: MIT
//
// Memory and strings. Copies go by words at any alignment; the compiler turns them into bytes where the ISA
// has no misaligned access.

#include <kernel/string.h>
#include <stdint.h>

struct word {
	uint64_t value;
} __attribute__((packed, may_alias));

// Keeps the compiler from making a loop into a call of the very function it is in.
static inline void keep_loop(void)
{
	__asm__ volatile("");
}

static void copy_up(uint8_t *to, const uint8_t *from, size_t length)
{
	for (; length >= 4 * sizeof(struct word); length -= 4 * sizeof(struct word)) {
		for (size_t i = 0; i < 4; i++)
			((struct word *)to)[i] = ((const struct word *)from)[i];
		keep_loop();
		to += 4 * sizeof(struct word);
		from += 4 * sizeof(struct word);
	}
	for (; length > 0; length--) {
		*to++ = *from++;
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
	uint8_t *to = destination;
	uint64_t pattern = (uint8_t)value * (uint64_t)0x0101010101010101;

	for (; length >= 4 * sizeof(struct word); length -= 4 * sizeof(struct word)) {
		for (size_t i = 0; i < 4; i++)
			((struct word *)to)[i].value = pattern;
		keep_loop();
		to += 4 * sizeof(struct word);
	}
	for (; length > 0; length--) {
		*to++ = (uint8_t)value;
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
