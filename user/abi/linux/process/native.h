// SPDX-License-Identifier: MIT
//
// Native programs as processes of guests: the program runs in a process of its own, a thread of the personality
// stands for it. What it reads and writes are the descriptors 0, 1 and 2 of the guest's process, so it can be in
// pipelines and behind redirections.

#ifndef PROCESS_NATIVE_H
#define PROCESS_NATIVE_H

#include <stdbool.h>
#include <tern/types.h>

struct arguments;
struct native_program;
struct open_file;
struct thread;

// Starts the program in a file if it is a native one, as `name`. Its requests wait for native_serve. 0, and *native is
// NULL if it is none; or a negated error.
int64_t native_start(struct thread *thread, struct open_file *file, const char *name,
	const struct arguments *arguments, struct native_program **native);

// Serves what the thread's program asks for next, or ends the thread's process as the program has ended.
void native_serve(struct thread *thread);

// Ends the program, if it still runs, and frees what belongs to it. NULL is allowed.
void native_end(struct native_program *native);

#endif
