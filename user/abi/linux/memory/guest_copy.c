// SPDX-License-Identifier: MIT
//
// Copies to and from guests, page by page where strings are concerned.

#include <linux/memory/guest_copy.h>

#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/memory.h>
#include <linux/process/process.h>

#include <runtime/system_calls.h>
#include <string.h>

int64_t span_write(struct span span, const void *from, size_t length)
{
	uint64_t copied = 0;

	if (length == 0)
		return 0;
	enum error error = address_space_write(span.space, span.address, from, length, &copied);
	return error == ERR_OK && copied == length ? 0 : -LINUX_EFAULT;
}

int64_t span_read(struct span span, void *to, size_t length)
{
	uint64_t copied = 0;

	if (length == 0)
		return 0;
	enum error error = address_space_read(span.space, span.address, to, length, &copied);
	return error == ERR_OK && copied == length ? 0 : -LINUX_EFAULT;
}

static struct span unlimited_span(struct thread *thread, guest_address_t address, uint64_t length)
{
	return (struct span){.space = thread->process->memory->space, .address = address, .length = length};
}

int64_t copy_from_guest(struct thread *thread, void *to, guest_address_t from, size_t length)
{
	return span_read(unlimited_span(thread, from, length), to, length);
}

int64_t copy_to_guest(struct thread *thread, guest_address_t to, const void *from, size_t length)
{
	return span_write(unlimited_span(thread, to, length), from, length);
}

int64_t copy_string_from_guest(struct thread *thread, char *to, size_t size, guest_address_t from)
{
	size_t length = 0;

	while (length < size) {
		guest_address_t address = from + length;
		size_t chunk = PAGE_SIZE - (address & (PAGE_SIZE - 1));

		if (address < from)
			return -LINUX_EFAULT;
		if (chunk > size - length)
			chunk = size - length;
		int64_t error = copy_from_guest(thread, to + length, address, chunk);
		if (error)
			return error;
		const char *end = memchr(to + length, 0, chunk);
		if (end)
			return end - to;
		length += chunk;
	}
	return -LINUX_ENAMETOOLONG;
}

int64_t guest_span(struct thread *thread, guest_address_t address, uint64_t length, struct span *span)
{
	if (length > LINUX_COUNT_MAX)
		length = LINUX_COUNT_MAX;
	*span = unlimited_span(thread, address, length);
	return guest_range_valid(address, length) ? 0 : -LINUX_EFAULT;
}
