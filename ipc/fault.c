// SPDX-License-Identifier: MIT
//
// Faults as messages: the faulting thread calls its fault endpoint without a system call of its own.

#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>

bool ipc_send_fault(const struct fault *fault)
{
	struct thread *thread = thread_current();
	struct endpoint *endpoint = thread->fault_endpoint;
	enum error error;

	if (endpoint == NULL)
		return false;
	assert(!thread->faulting);
	thread->fault = *fault;
	thread->faulting = true;
	thread->message_info = MESSAGE_INFO(fault->kind, FAULT_MESSAGE_WORDS, 0) | MESSAGE_CALL;
	thread->message_badge = thread->fault_badge;
	spin_lock(&endpoint->lock);
	error = endpoint_send_locked(endpoint, thread);
	spin_unlock(&endpoint->lock);
	if (error)
		thread->faulting = false;
	return error == ERR_OK;
}
