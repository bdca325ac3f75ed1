// SPDX-License-Identifier: MIT
//
// Ids of processes and threads, one space for both. An id is in use while a process, a thread, a process
// group or a session has it. All with process_lock held.

#ifndef PROCESS_TABLE_H
#define PROCESS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct process;
struct thread;

#define ID_LIMIT 32768 // all ids are from 1 to below it

// Takes a free id, with one use; 0: none is left.
int32_t id_allocate(void);

// Adds and removes a use.
void id_use(int32_t id);
void id_release(int32_t id);

// What has an id; NULL: nothing (any number is allowed).
struct process *id_process(int32_t id);
struct thread *id_thread(int32_t id);
void id_set_process(int32_t id, struct process *process);
void id_set_thread(int32_t id, struct thread *thread);

// Calls `visit` for every process, zombies included, until it says false.
void id_each_process(bool (*visit)(struct process *process, void *context), void *context);

#endif
