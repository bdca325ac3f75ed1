// SPDX-License-Identifier: MIT
//
// Arguments and environments.

#include <linux/loader/arguments.h>

#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>

#include <stdlib.h>
#include <string.h>

#define POINTERS_AT_ONCE 32

int64_t strings_add(struct strings *strings, const char *text, size_t length)
{
	if (strings->size - strings->length < length + 1) {
		size_t size = 2 * (strings->length + length + 1);
		char *grown = realloc(strings->bytes, size);

		if (!grown)
			return -LINUX_ENOMEM;
		strings->bytes = grown;
		strings->size = size;
	}
	memcpy(strings->bytes + strings->length, text, length);
	strings->bytes[strings->length + length] = 0;
	strings->length += length + 1;
	strings->count++;
	return 0;
}

static size_t space_used(const struct strings *strings)
{
	return strings->length + (strings->count + 1) * sizeof(uint64_t);
}

// Reads as many pointers as one page has from an address on, at most `count`; how many, or -LINUX_EFAULT.
static int64_t take_pointers(struct thread *thread, guest_address_t address, uint64_t *pointers, size_t count)
{
	size_t in_page = (PAGE_SIZE - (address & (PAGE_SIZE - 1))) / sizeof(uint64_t);

	if (in_page == 0)
		in_page = 1;
	if (count > in_page)
		count = in_page;
	return copy_from_guest(thread, pointers, address, count * sizeof(uint64_t)) ? -LINUX_EFAULT
										    : (int64_t)count;
}

static int64_t take_string(
	struct thread *thread, guest_address_t address, struct strings *strings, char *buffer)
{
	int64_t length = copy_string_from_guest(thread, buffer, ARGUMENT_LENGTH_MAX, address);

	if (length == -LINUX_ENAMETOOLONG)
		return -LINUX_E2BIG;
	return length < 0 ? length : strings_add(strings, buffer, (size_t)length);
}

// Takes one array; `used` is what others have used of ARGUMENTS_MAX.
static int64_t take_array(
	struct thread *thread, guest_address_t address, size_t used, struct strings *strings, char *buffer)
{
	uint64_t pointers[POINTERS_AT_ONCE];

	while (address != 0) {
		int64_t count = take_pointers(thread, address, pointers, POINTERS_AT_ONCE);

		if (count < 0)
			return count;
		for (int64_t index = 0; index < count; index++) {
			if (pointers[index] == 0)
				return 0;
			int64_t error = take_string(thread, pointers[index], strings, buffer);
			if (error)
				return error;
			if (used + space_used(strings) > ARGUMENTS_MAX)
				return -LINUX_E2BIG;
		}
		address += (uint64_t)count * sizeof(uint64_t);
	}
	return 0;
}

int64_t arguments_take(struct thread *thread, guest_address_t arguments, guest_address_t environment,
	struct arguments *taken)
{
	char *buffer = malloc(ARGUMENT_LENGTH_MAX);

	*taken = (struct arguments){0};
	if (!buffer)
		return -LINUX_ENOMEM;
	int64_t error = take_array(thread, arguments, 0, &taken->arguments, buffer);
	if (!error)
		error = take_array(
			thread, environment, space_used(&taken->arguments), &taken->environment, buffer);
	// Programs count on a name for themselves.
	if (!error && taken->arguments.count == 0)
		error = strings_add(&taken->arguments, "", 0);
	free(buffer);
	return error;
}

void arguments_free(struct arguments *arguments)
{
	free(arguments->arguments.bytes);
	free(arguments->environment.bytes);
}

const char *environment_value(const struct strings *environment, const char *name)
{
	const char *text = environment->bytes;
	size_t length = strlen(name);

	for (size_t index = 0; index < environment->count; index++) {
		if (strncmp(text, name, length) == 0 && text[length] == '=')
			return text + length + 1;
		text += strlen(text) + 1;
	}
	return NULL;
}
