// SPDX-License-Identifier: MIT
//
// Arguments and environment of a program: strings packed one after the other, each with its NUL.

#ifndef LOADER_ARGUMENTS_H
#define LOADER_ARGUMENTS_H

#include <linux/arch/guest.h>

#include <stddef.h>

struct thread;

#define ARGUMENTS_MAX       ((size_t)1024 * 1024) // bytes of both with a pointer for each string
#define ARGUMENT_LENGTH_MAX ((size_t)128 * 1024)  // bytes of one string with its NUL

struct strings {
	char *bytes;
	size_t length, size;
	size_t count;
};

struct arguments {
	struct strings arguments;
	struct strings environment;
};

// Adds a string of `length` bytes, without its NUL. -LINUX_ENOMEM.
int64_t strings_add(struct strings *strings, const char *text, size_t length);

// Takes the two NULL-terminated arrays of strings that the guest gives to execve; address 0 is an empty one.
// -LINUX_EFAULT, -LINUX_E2BIG or -LINUX_ENOMEM. To be freed in any case.
int64_t arguments_take(struct thread *thread, guest_address_t arguments, guest_address_t environment,
	struct arguments *taken);

void arguments_free(struct arguments *arguments);

// The value of an environment variable, or NULL.
const char *environment_value(const struct strings *environment, const char *name);

#endif
