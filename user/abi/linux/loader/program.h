// SPDX-License-Identifier: MIT
//
// From the path of a program to a memory in which it can start.

#ifndef LOADER_PROGRAM_H
#define LOADER_PROGRAM_H

#include <linux/loader/arguments.h>
#include <linux/process/process.h>

struct path;

struct program {
	struct guest_memory *memory;   // empty, of a native program
	struct native_program *native; // NULL: it is the guest's own
	guest_address_t entry;
	guest_address_t stack;
	char name[THREAD_NAME_LENGTH];
};

// Loads the program of a path for a thread that is to execute it. For a script the arguments become those of
// its interpreter. 0 or a negated error.
int64_t program_load(
	struct thread *thread, struct path *path, struct arguments *arguments, struct program *program);

// Frees a loaded program that is not to be executed.
void program_discard(struct program *program);

#endif
