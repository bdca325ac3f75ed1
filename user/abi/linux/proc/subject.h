// SPDX-License-Identifier: MIT
//
// What /proc shows of a process: a copy of its fields and references to what it has, so that nothing is
// locked while text is made of it.

#ifndef PROC_SUBJECT_H
#define PROC_SUBJECT_H

#include <linux/process/process.h>

struct subject {
	int32_t id, parent, group, session;
	char name[THREAD_NAME_LENGTH];
	char state; // R, S or Z
	unsigned threads;
	uint64_t cpu_time, children_time, start_time; // nanoseconds
	struct credentials credentials;
	struct guest_memory *memory; // all three NULL of a zombie
	struct file_table *files;
	struct file_view *view;
};

// False: there is no such process.
bool subject_take(int32_t id, struct subject *subject);
void subject_release(struct subject *subject);

// Whether there is such a process.
bool subject_exists(int32_t id);

#endif
