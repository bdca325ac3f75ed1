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

// An object of any type, and the capabilities of it that there are by the operations' count.
struct test_object {
	struct object object;
	int capabilities;
	int with_receive;
};

extern unsigned test_objects_alive;
extern uint64_t frames_left; // frame_allocate_zeroed gives no more than these
extern struct thread *woken; // the last thread that was made ready

void core_machine_start(unsigned cpus);
struct test_object *make_object(enum object_type type, struct account *account);

#endif
