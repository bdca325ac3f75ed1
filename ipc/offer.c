// SPDX-License-Identifier: MIT
//
// Buffers that a caller offers its server: resolved at the call, used by the server through its reply binding
// while the caller waits.

#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

static enum error resolve(struct thread *thread, const struct message_offer *from, struct offer *offer)
{
	struct message_offer asked = *from;
	struct capability capability;
	rights_t rights = 0;
	enum error error;

	if (asked.flags == 0 || (asked.flags & ~(OFFER_READ | OFFER_WRITE)) ||
		!user_range_valid(asked.address, asked.length))
		return ERR_INVALID_ARGUMENT;
	if (asked.flags & OFFER_READ)
		rights |= RIGHT_READ;
	if (asked.flags & OFFER_WRITE)
		rights |= RIGHT_WRITE;
	if (asked.address_space == HANDLE_SELF) {
		offer->space = thread->process->space;
	} else {
		error = capability_lookup(asked.address_space, OBJECT_ADDRESS_SPACE, rights, &capability);
		if (error)
			return error;
		offer->space = container_of(capability.object, struct address_space, object);
	}
	if (!object_try_get(&offer->space->object))
		return ERR_BAD_HANDLE;
	offer->address = asked.address;
	offer->length = asked.length;
	offer->flags = asked.flags;
	return ERR_OK;
}

enum error offers_take(struct thread *thread)
{
	uint64_t count = __atomic_load_n(&thread->message_buffer->offered_count, __ATOMIC_RELAXED);

	assert(thread->offer_count == 0);
	if (count > MESSAGE_OFFERED)
		return ERR_INVALID_ARGUMENT;
	thread_hinder(thread, HINDRANCE_OFFERS);
	for (unsigned i = 0; i < count; i++) {
		enum error error = resolve(thread, &thread->message_buffer->offered[i], &thread->offers[i]);

		if (error) {
			offers_release(thread);
			return error;
		}
		thread->offer_count = i + 1;
	}
	return ERR_OK;
}

void offers_release(struct thread *thread)
{
	if (!(atomic_load_explicit(&thread->hindrances, memory_order_relaxed) & HINDRANCE_OFFERS))
		return;
	spin_lock(&thread->lock);
	for (unsigned i = 0; i < thread->offer_count; i++)
		object_put(&thread->offers[i].space->object);
	thread->offer_count = 0;
	thread_unhinder(thread, HINDRANCE_OFFERS);
	spin_unlock(&thread->lock);
}

// The part [offset, offset + length) of an offer, as an address in its counted space. The caller still waits,
// or it is ERR_GONE.
static enum error find_range(const struct caller *caller, uint64_t index, uint64_t flag, uint64_t offset,
	uint64_t length, struct address_space **space, uint64_t *address)
{
	struct thread *client = caller->thread;
	enum error error = ERR_OK;
	struct offer *offer;

	spin_lock(&client->lock);
	offer = &client->offers[index < MESSAGE_OFFERED ? index : 0];
	if (!thread_is_waiting(client, caller->wait_number))
		error = ERR_GONE;
	else if (index >= client->offer_count || offset > offer->length || length > offer->length - offset)
		error = ERR_INVALID_ARGUMENT;
	else if (!(offer->flags & flag))
		error = ERR_NO_RIGHTS;
	if (!error) {
		object_get(&offer->space->object);
		*space = offer->space;
		*address = offer->address + offset;
	}
	spin_unlock(&client->lock);
	return error;
}

// Copies in pieces, so that a caller that stops waiting is soon left alone.
#define PIECE ((uint64_t)16 * PAGE_SIZE)

static enum error copy_piece(const struct caller *caller, uint64_t index, uint64_t flag, uint64_t offset,
	uintptr_t buffer, uint64_t length, uint64_t *copied)
{
	struct address_space *space;
	uint64_t address;
	enum error error = find_range(caller, index, flag, offset, length, &space, &address);

	*copied = 0;
	if (error)
		return error;
	error = flag == OFFER_READ ? address_space_read(space, address, buffer, length, copied)
				   : address_space_write(space, address, buffer, length, copied);
	object_put(&space->object);
	return error;
}

static struct syscall_result copy(
	handle_t reply, uint64_t index, uint64_t flag, uint64_t offset, uintptr_t buffer, uint64_t length)
{
	struct caller caller;
	uint64_t total = 0;
	enum error error;

	if (!user_range_valid(buffer, length))
		return SYSCALL_ERROR(ERR_BAD_ADDRESS);
	error = caller_find(reply, flag == OFFER_READ ? RIGHT_READ : RIGHT_WRITE, &caller);
	if (error)
		return SYSCALL_ERROR(error);
	do {
		uint64_t piece = length - total < PIECE ? length - total : PIECE, copied;

		error = offset + total < offset
			? ERR_INVALID_ARGUMENT
			: copy_piece(&caller, index, flag, offset + total, buffer + total, piece, &copied);
		if (error)
			break;
		total += copied;
		if (copied < piece)
			break;
	} while (total < length);
	object_put(&caller.thread->object);
	if (error && total == 0)
		return SYSCALL_ERROR(error);
	return SYSCALL_VALUE(total);
}

struct syscall_result sys_reply_read(
	handle_t reply, uint64_t index, uint64_t offset, void __user *buffer, uint64_t length)
{
	return copy(reply, index, OFFER_READ, offset, (uintptr_t)buffer, length);
}

struct syscall_result sys_reply_write(
	handle_t reply, uint64_t index, uint64_t offset, const void __user *buffer, uint64_t length)
{
	return copy(reply, index, OFFER_WRITE, offset, (uintptr_t)buffer, length);
}
