// SPDX-License-Identifier: MIT
//
// Faults as messages: the faulting thread calls its fault endpoint, or the pager of a page that is not there,
// without a system call of its own.

#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/fast_path.h>
#include <kernel/memory.h>

static bool call_handler(
	struct endpoint *endpoint, uint64_t badge, const struct fault *fault, unsigned message_words)
{
	struct thread *thread = thread_current();
	enum error error;

	assert(!thread->faulting);
	thread->fault = *fault;
	thread_set_faulting(thread, true);
	thread->message_info = MESSAGE_INFO(fault->kind, message_words, 0) | MESSAGE_CALL;
	thread->message_badge = badge;
	endpoint_lock(endpoint);
	error = endpoint_send_locked(endpoint, thread, NULL);
	endpoint_unlock(endpoint);
	if (error)
		fault_finish(thread);
	return error == ERR_OK;
}

void fault_finish(struct thread *thread)
{
	struct memory *memory;

	thread_set_faulting(thread, false);
	spin_lock(&thread->lock);
	memory = thread->paging;
	thread->paging = NULL;
	spin_unlock(&thread->lock);
	if (memory)
		object_put(&memory->object);
}

bool ipc_send_fault(const struct fault *fault)
{
	struct thread *thread = thread_current();

	if (thread->fault_endpoint == NULL)
		return false;
	// One whose budget is used up has no time to lend.
	if (FAST_PATH && fault->kind != FAULT_TIMEOUT)
		ipc_fast_send_fault(fault);
	return call_handler(thread->fault_endpoint, thread->fault_badge, fault, FAULT_MESSAGE_WORDS);
}

// What the pager refused is met once more, as a fault like others.
static bool take_refusal(struct thread *thread, const struct fault *fault)
{
	bool refused = thread->pager_refused &&
		thread->fault.address >> PAGE_SHIFT == fault->address >> PAGE_SHIFT;

	thread->pager_refused = false;
	return refused;
}

bool ipc_ask_pager(const struct fault *fault)
{
	struct thread *thread = thread_current();
	struct memory *memory;
	uint64_t offset;

	if (take_refusal(thread, fault))
		return false;
	memory = address_space_paged(thread_space(thread), fault->address, &offset);
	if (memory == NULL)
		return true;
	thread->paging = memory;
	thread->paging_offset = memory->pager_offset + offset;
	return call_handler(memory->pager, memory->pager_badge, fault, PAGER_MESSAGE_WORDS);
}
