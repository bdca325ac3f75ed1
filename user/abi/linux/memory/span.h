// SPDX-License-Identifier: MIT
//
// A span: a range of bytes in some address space, a guest's or the personality's own. What moves data between
// files, pipes and programs takes spans, so that data goes straight to where it belongs.

#ifndef MEMORY_SPAN_H
#define MEMORY_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

struct span {
	handle_t space; // HANDLE_SELF: the personality's own
	uint64_t address;
	uint64_t length; // bytes
};

// A span of the personality's own memory.
static inline struct span span_own(void *address, size_t length)
{
	return (struct span){.space = HANDLE_SELF, .address = (uintptr_t)address, .length = length};
}

// What remains after the first `done` bytes (at most the length).
static inline struct span span_rest(struct span span, uint64_t done)
{
	return (struct span){
		.space = span.space, .address = span.address + done, .length = span.length - done};
}

static inline struct span span_start(struct span span, uint64_t length)
{
	return (struct span){.space = span.space, .address = span.address, .length = length};
}

// Copies bytes to the start or from the start of a span that is at least as long. 0 or -LINUX_EFAULT; part of
// it may have been copied then.
int64_t span_write(struct span span, const void *from, size_t length);
int64_t span_read(struct span span, void *to, size_t length);

#endif
