// SPDX-License-Identifier: MIT
//
// execve, and the first program of a session.

#ifndef PROCESS_EXECUTE_H
#define PROCESS_EXECUTE_H

#include <linux/loader/program.h>

// Makes a thread's process execute the program of a path. 0, with the thread's registers those of the start;
// or a negated error and nothing has changed; or -LINUX_EINTR where the process is ending.
int64_t execute(struct thread *thread, struct path *path, struct arguments *arguments);

// Makes a program the one of a process that has not started, and has neither memory nor signal actions yet.
// -LINUX_ENOMEM.
int64_t execute_first(struct thread *thread, const struct program *program, struct registers *registers);

#endif
