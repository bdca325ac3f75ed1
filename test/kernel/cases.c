// SPDX-License-Identifier: MIT
//
// One object of each type, for the tables of cases.

#include "cases.h"
#include "isa.h"

handle_t objects[OBJECT_TYPE_COUNT];
handle_t made;
uint64_t yielded;

static struct worker caller;

// Waits for ever for the answer that the reply object could give, and offers its own words for reading and writing.
static uint64_t call_with_buffer(void *argument)
{
	struct message message = {.info = MESSAGE_BUFFERS};

	caller.buffer->offered_count = 1;
	caller.buffer->offered[0] = (struct message_offer){.address_space = HANDLE_SELF,
		.address = (uintptr_t)caller.buffer->words,
		.length = sizeof(caller.buffer->words),
		.flags = OFFER_READ | OFFER_WRITE};
	return endpoint_call(*(handle_t *)argument, &message);
}

static bool make_reply(void)
{
	struct message message = {0};

	return worker_start(&caller, call_with_buffer, &AN(ENDPOINT)) &&
		endpoint_receive(AN(ENDPOINT), &message) == ERR_OK && reply_save(&AN(REPLY)) == ERR_OK;
}

static bool make_memory(void)
{
	return memory_create(2 * PAGE_SIZE, 0, &AN(MEMORY)) == ERR_OK &&
		memory_write(AN(MEMORY), 0, &yielded, sizeof(yielded)) == ERR_OK;
}

static void never_runs(void)
{
}

static bool make_thread(void)
{
	struct thread_attributes attributes = {.entry = (uintptr_t)never_runs, .flags = THREAD_SUSPENDED};

	return thread_create(HANDLE_SELF, &attributes, &AN(THREAD)) == ERR_OK;
}

bool objects_make(void)
{
	AN(RESOURCE) = start_handle(START_SYSTEM);
	return process_create(start_handle(START_ACCOUNT), "case", &AN(PROCESS)) == ERR_OK &&
		address_space_create(&AN(ADDRESS_SPACE)) == ERR_OK &&
		endpoint_create(&AN(ENDPOINT)) == ERR_OK &&
		notification_create(&AN(NOTIFICATION)) == ERR_OK && make_memory() && make_thread() &&
		make_reply() &&
		interrupt_create(start_handle(START_INTERRUPTS), ISA_FREE_LINE, 0, &AN(INTERRUPT)) ==
		ERR_OK &&
		timer_object_create(AN(NOTIFICATION), 1, &AN(TIMER)) == ERR_OK &&
		scheduling_context_create(&AN(SCHEDULING_CONTEXT)) == ERR_OK &&
		account_create(start_handle(START_ACCOUNT), 100, 100, &AN(ACCOUNT)) == ERR_OK;
}

void objects_close(void)
{
	EXPECT_OK(process_kill(AN(PROCESS), 0));
	EXPECT_OK(thread_kill(AN(THREAD), 0));
	EXPECT_OK(thread_join(AN(THREAD), DEADLINE_NEVER, &yielded));
	for (unsigned type = 1; type < OBJECT_TYPE_COUNT; type++)
		if (type != OBJECT_RESOURCE)
			EXPECT_OK(handle_close(objects[type]));
	EXPECT_EQUAL(worker_join(&caller), ERR_GONE);
}
