// SPDX-License-Identifier: MIT
//
// Replies: the one-shot right to answer one caller. A thread has one built in; reply_save moves it into an
// object.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

#define REPLY_FLAGS  MESSAGE_WIDE
#define REPLY_RIGHTS (RIGHT_READ | RIGHT_WRITE | RIGHT_SEND | RIGHT_TRANSFER)

static struct object_cache reply_cache = OBJECT_CACHE_INITIALIZER(reply_cache, "reply", struct reply);

static struct reply *reply_of(struct object *object)
{
	return container_of(object, struct reply, object);
}

// Takes the caller out of a reply object: whoever does it first answers.
static struct caller take_caller(struct reply *reply)
{
	struct caller caller;

	spin_lock(&reply->lock);
	caller = reply->caller;
	reply->caller.thread = NULL;
	spin_unlock(&reply->lock);
	return caller;
}

enum error caller_find(handle_t handle, rights_t rights, struct caller *found)
{
	struct capability capability;
	struct reply *reply;
	enum error error;

	if (handle == HANDLE_NONE) {
		*found = thread_current()->caller;
		if (found->thread == NULL)
			return ERR_BAD_STATE;
		object_get(&found->thread->object);
		return ERR_OK;
	}
	error = capability_lookup(handle, OBJECT_REPLY, rights, &capability);
	if (error)
		return error;
	reply = reply_of(capability.object);
	spin_lock(&reply->lock);
	*found = reply->caller;
	if (found->thread)
		object_get(&found->thread->object);
	spin_unlock(&reply->lock);
	return found->thread ? ERR_OK : ERR_GONE;
}

static enum error reply_by_handle(struct thread *thread, handle_t handle)
{
	struct capability capability;
	struct caller caller;
	enum error error = capability_lookup(handle, OBJECT_REPLY, RIGHT_SEND, &capability);

	if (error)
		return error;
	caller = take_caller(reply_of(capability.object));
	capability_close(&thread->process->table, handle);
	return caller.thread ? caller_answer(&caller) : ERR_GONE;
}

void sys_endpoint_reply(void)
{
	struct thread *thread = thread_current();
	uint64_t info = arch_message_info(&thread->arch);
	handle_t handle = arch_message_handle(&thread->arch);
	enum error error = message_check(thread, info, REPLY_FLAGS);

	if (!error && handle == HANDLE_NONE && thread->caller.thread == NULL)
		error = ERR_BAD_STATE;
	if (!error) {
		thread->message_info = info;
		thread->message_badge = 0;
		error = handle == HANDLE_NONE ? caller_answer(&thread->caller)
					      : reply_by_handle(thread, handle);
	}
	arch_message_set_result(&thread->arch, error, 0, 0);
}

struct syscall_result sys_reply_save(void)
{
	struct thread *thread = thread_current();
	struct reply *reply;
	handle_t handle;
	enum error error;

	if (thread->caller.thread == NULL)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	error = capability_reserve(&thread->process->table, &handle);
	if (error)
		return SYSCALL_ERROR(error);
	reply = object_create(OBJECT_REPLY, thread->process->account);
	if (reply == NULL) {
		capability_cancel(&thread->process->table, handle);
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	}
	spin_init(&reply->lock, RANK_REPLY);
	reply->caller = thread->caller;
	reply->caller.loans = 0;
	caller_unbind(&thread->caller);
	capability_install(&thread->process->table, handle, &reply->object, REPLY_RIGHTS);
	object_put(&reply->object);
	return SYSCALL_VALUE(handle);
}

// Binds what binding_lookup found while the caller waits. `replaced`: to be put. False: it does not wait any more.
static bool set_watch(const struct caller *caller, const struct capability *holder,
	const struct capability *found, uint64_t bits, struct notification **replaced)
{
	struct thread *client = caller->thread;
	bool waits;

	spin_lock(&client->lock);
	// In this order: whoever ends the wait does so before he looks for a watch.
	thread_hinder(client, HINDRANCE_WATCHED);
	waits = thread_wait_number(client) == caller->wait_number;
	if (waits) {
		struct object *object = holder->object ? holder->object : &client->object;

		*replaced = binding_replace(&client->answer_watch, object, holder, found, bits);
		client->answer_watch_holder = object;
	}
	if (client->answer_watch.notification == NULL)
		thread_unhinder(client, HINDRANCE_WATCHED);
	spin_unlock(&client->lock);
	return waits;
}

struct syscall_result sys_reply_watch(handle_t handle, handle_t notification_handle, uint64_t bits)
{
	struct capability holder = {.object = NULL}, found;
	struct notification *notification;
	struct caller caller;
	enum error error = handle == HANDLE_NONE
		? ERR_OK
		: capability_lookup(handle, OBJECT_REPLY, RIGHT_SEND, &holder);

	capability_locate(&holder, &thread_current()->process->table, handle);
	if (!error)
		error = caller_find(handle, RIGHT_SEND, &caller);
	if (error)
		return SYSCALL_ERROR(error);
	error = binding_lookup(notification_handle, bits, &found);
	if (!error) {
		notification = binding_notification(&found);
		if (!set_watch(&caller, &holder, &found, bits, &notification) && notification)
			notification_signal(notification, bits);
		if (notification)
			object_put(&notification->object);
	}
	object_put(&caller.thread->object);
	return SYSCALL_ERROR(error);
}

static void destroy(struct object *object)
{
	struct caller caller = take_caller(reply_of(object));

	caller_fail(&caller, ERR_GONE);
}

const struct object_operations reply_operations = {
	.name = "reply",
	.cache = &reply_cache,
	.revoke_kept = binding_revoke_kept,
	.destroy = destroy,
};
