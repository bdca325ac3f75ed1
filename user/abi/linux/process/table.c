// SPDX-License-Identifier: MIT
//
// The table of ids: an array, searched round robin so that an id comes back as late as possible.

#include <linux/process/table.h>

#include <assert.h>
#include <stddef.h>

struct id_slot {
	struct process *process;
	struct thread *thread;
	uint32_t uses;
};

static struct id_slot slots[ID_LIMIT];
static int32_t id_last;
static int32_t ids_in_use;

static bool id_valid(int32_t id)
{
	return id > 0 && id < ID_LIMIT;
}

int32_t id_allocate(void)
{
	for (int32_t tried = 1; tried < ID_LIMIT; tried++) {
		id_last = id_last + 1 < ID_LIMIT ? id_last + 1 : 1;
		if (slots[id_last].uses == 0) {
			slots[id_last].uses = 1;
			ids_in_use++;
			return id_last;
		}
	}
	return 0;
}

void id_use(int32_t id)
{
	slots[id].uses++;
}

void id_release(int32_t id)
{
	assert(slots[id].uses > 0);
	slots[id].uses--;
	ids_in_use -= slots[id].uses == 0;
	// Each session's first process is number 1.
	if (ids_in_use == 0)
		id_last = 0;
}

struct process *id_process(int32_t id)
{
	return id_valid(id) ? slots[id].process : NULL;
}

struct thread *id_thread(int32_t id)
{
	return id_valid(id) ? slots[id].thread : NULL;
}

void id_set_process(int32_t id, struct process *process)
{
	slots[id].process = process;
}

void id_set_thread(int32_t id, struct thread *thread)
{
	slots[id].thread = thread;
}

void id_each_process(bool (*visit)(struct process *process, void *context), void *context)
{
	for (int32_t id = 1; id < ID_LIMIT; id++) {
		if (slots[id].process && !visit(slots[id].process, context))
			return;
	}
}
