// SPDX-License-Identifier: MIT
//
// What unit tests of the core stand on: CPUs, a current thread and process, memory from the C library, and
// objects that count what happens to them.

#ifndef TEST_UNIT_CORE_MACHINE_H
#define TEST_UNIT_CORE_MACHINE_H

#include "check.h"
#include <kernel/object.h>
#include <kernel/process.h>
#include <kernel/thread.h>
#include <tern/message.h>

// An object of any type, and the capabilities of it that there are by the operations' count.
struct test_object {
	struct object object;
	_Atomic int capabilities;
	_Atomic int with_receive;
};

// A thread and what belongs to it.
struct core_machine_thread {
	struct thread thread;
	struct arch_frame frame;
	struct message_buffer message_buffer;
};

extern _Atomic unsigned test_objects_alive;
extern _Atomic uint64_t frames_left;   // frame_allocate_zeroed gives no more than these
extern struct thread *_Atomic woken[]; // by CPU: the last of its threads that was made ready

void core_machine_start(unsigned cpus);
// Gives each CPU a thread of its own, in a process of its own, that runs. It waits like any other; whoever wakes it
// makes core_machine_runs true again.
void core_machine_make_threads(void);
struct thread *core_machine_thread(unsigned cpu);
// Makes a new thread that of a CPU, in place of the one that was.
void core_machine_run_thread(unsigned cpu, struct core_machine_thread *made);
// Whether this CPU's thread runs: it did not wait, or has been woken and is current again.
bool core_machine_runs(void);
struct test_object *make_object(enum object_type type, struct account *account);

#endif
