// SPDX-License-Identifier: MIT
//
// Answering a caller: now by the server thread itself, later through a reply object, or never.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/loan.h>
#include <kernel/process.h>

void caller_bind(struct caller *caller, struct thread *client, uint64_t wait_number)
{
	assert(caller->thread == NULL);
	caller->thread = client;
	caller->wait_number = wait_number;
}

void caller_unbind(struct caller *caller)
{
	caller->thread = NULL;
	if (caller->loans) {
		caller->loans = 0;
		cpu_set_reschedule(cpu_self());
	}
}

void caller_finish(struct thread *client, enum error error)
{
	offers_release(client);
	loan_recall(client);
	// A faulting thread has no results: it meets its fault again, and whatever then has become of its
	// handler.
	if (client->faulting)
		fault_finish(client);
	else
		arch_message_set_result(&client->arch, error, 0, 0);
}

// Ends the watch of a wait that has been claimed.
static void end_watch(struct thread *client, bool is_gone)
{
	const struct capability none = {.object = NULL};
	struct notification *notification;
	uint64_t bits;

	// Who sets a watch says so before he looks whether the wait goes on.
	if (!(atomic_load(&client->hindrances) & HINDRANCE_WATCHED))
		return;
	spin_lock(&client->lock);
	bits = atomic_load(&client->answer_watch.bits);
	notification = binding_replace(&client->answer_watch, client->answer_watch_holder, NULL, &none, 0);
	thread_unhinder(client, HINDRANCE_WATCHED);
	spin_unlock(&client->lock);
	if (notification == NULL)
		return;
	if (is_gone && bits)
		notification_signal(notification, bits);
	object_put(&notification->object);
}

void caller_cancel(struct thread *client)
{
	end_watch(client, true);
}

// Ends the caller's wait, unless that is over, and empties the binding. True: thread_wake remains to be called; false: the caller
// is to be put.
static bool claim(struct caller *caller)
{
	struct thread *client = caller->thread;
	bool claimed = thread_claim_wait(client, caller->wait_number);

	caller_unbind(caller);
	if (claimed)
		end_watch(client, false);
	return claimed;
}

void caller_fail(struct caller *caller, enum error error)
{
	struct thread *client = caller->thread;

	if (client == NULL)
		return;
	if (claim(caller)) {
		caller_finish(client, error);
		thread_wake(client);
	} else {
		object_put(&client->object);
	}
}

// The answer to a fault message: the thread's registers are what the handler made of them. A pager says only
// whether to try again.
static void answer_fault(struct thread *client, uint64_t info)
{
	if (client->paging)
		client->pager_refused = message_label(info) != FAULT_RESUME;
	else if (message_label(info) != FAULT_RESUME)
		thread_terminate(client, client->fault.kind);
	fault_finish(client);
	thread_wake(client);
}

enum error caller_answer(struct caller *caller)
{
	struct thread *server = thread_current(), *client = caller->thread;
	struct transfer transfer;
	enum error error = message_prepare(server, client, &transfer);

	if (!claim(caller)) {
		if (!error)
			message_abandon(client, &transfer);
		object_put(&client->object);
		return ERR_GONE;
	}
	if (client->faulting) {
		if (!error)
			message_abandon(client, &transfer);
		answer_fault(client, server->message_info);
		return ERR_OK;
	}
	offers_release(client);
	if (error)
		arch_message_set_result(&client->arch, error, 0, 0);
	else
		message_commit(server, client, &transfer, 0);
	thread_wake(client);
	return error;
}

void ipc_thread_exit(struct thread *thread)
{
	caller_fail(&thread->caller, ERR_GONE);
	offers_release(thread);
	if (thread->fault_endpoint) {
		object_put(&thread->fault_endpoint->object);
		thread->fault_endpoint = NULL;
	}
}
