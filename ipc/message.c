// SPDX-License-Identifier: MIT
//
// Moving a message from one thread to another: words from registers or buffer to registers or buffer,
// capabilities from table to table. First everything that can fail (message_prepare), then the move
// (message_commit).

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/endpoint.h>
#include <kernel/memory.h>
#include <kernel/process.h>

#define IN_FLAGS (MESSAGE_WIDE | MESSAGE_DEADLINE | MESSAGE_BUFFERS | MESSAGE_TRY)
#define IN_FIELDS \
	(MESSAGE_LENGTH_MASK | MESSAGE_CAPABILITY_MASK | ((uint64_t)UINT32_MAX << MESSAGE_LABEL_SHIFT))

_Static_assert(sizeof(struct message_buffer) <= PAGE_SIZE, "a message buffer is one page");
_Static_assert(
	sizeof(struct fault_message) == FAULT_MESSAGE_WORDS * sizeof(uint64_t), "one word for each field");
_Static_assert(
	sizeof(struct pager_message) == PAGER_MESSAGE_WORDS * sizeof(uint64_t), "one word for each field");

static unsigned register_words(const struct thread *thread)
{
	return thread->message_info & MESSAGE_WIDE ? MESSAGE_WIDE_WORDS : MESSAGE_REGISTER_WORDS;
}

uint64_t message_deadline(const struct thread *thread)
{
	return thread->message_info & MESSAGE_DEADLINE ? thread->message_buffer->deadline : DEADLINE_NEVER;
}

// The handle that a message is to send; others may write it at any time.
static handle_t handle_to_send(const struct thread *sender, unsigned index)
{
	return __atomic_load_n(&sender->message_buffer->capabilities[index], __ATOMIC_RELAXED);
}

static enum error lookup_to_send(const struct thread *sender, handle_t handle, struct capability *found)
{
	return capability_lookup_in(&sender->process->table, handle, OBJECT_NONE, RIGHT_TRANSFER, found);
}

static enum error hold_to_send(const struct thread *sender, handle_t handle, struct capability *found)
{
	enum error error = lookup_to_send(sender, handle, found);

	return error ? error : capability_hold(&sender->process->table, handle, found);
}

enum error message_check(struct thread *thread, uint64_t info, uint64_t flags)
{
	size_t length = message_length(info), capabilities = message_capabilities(info);
	size_t in_registers = info & MESSAGE_WIDE ? MESSAGE_WIDE_WORDS : MESSAGE_REGISTER_WORDS;

	assert((flags & ~IN_FLAGS) == 0);
	if (length > MESSAGE_WORDS || capabilities > MESSAGE_CAPABILITIES || (info & ~(IN_FIELDS | flags)))
		return ERR_INVALID_ARGUMENT;
	if (thread->message_buffer == NULL &&
		(length > in_registers || capabilities > 0 || (info & (MESSAGE_DEADLINE | MESSAGE_BUFFERS))))
		return ERR_BAD_STATE;
	for (unsigned i = 0; i < capabilities; i++) {
		struct capability capability;
		enum error error = lookup_to_send(thread, handle_to_send(thread, i), &capability);

		if (error)
			return error;
	}
	return ERR_OK;
}

static bool fits(const struct thread *sender, const struct thread *receiver)
{
	return receiver->message_buffer != NULL ||
		(message_length(sender->message_info) <= register_words(receiver) &&
			message_capabilities(sender->message_info) == 0);
}

enum error message_prepare(struct thread *sender, struct thread *receiver, struct transfer *transfer)
{
	unsigned capabilities = (unsigned)message_capabilities(sender->message_info);
	enum error error = ERR_OK;

	transfer->count = 0;
	if (!fits(sender, receiver))
		return ERR_TOO_LONG;
	while (transfer->count < capabilities) {
		unsigned i = transfer->count;

		error = hold_to_send(sender, handle_to_send(sender, i), &transfer->capabilities[i]);
		if (error)
			break;
		error = capability_reserve(&receiver->process->table, &transfer->slots[i]);
		if (error) {
			object_put(transfer->capabilities[i].object);
			break;
		}
		transfer->count++;
	}
	if (error)
		message_abandon(receiver, transfer);
	// A receiver whose process is ending takes no capabilities any more.
	return error == ERR_BAD_STATE ? ERR_PEER_CLOSED : error;
}

void message_abandon(struct thread *receiver, struct transfer *transfer)
{
	for (unsigned i = 0; i < transfer->count; i++) {
		capability_cancel(&receiver->process->table, transfer->slots[i]);
		object_put(transfer->capabilities[i].object);
	}
	transfer->count = 0;
}

static uint64_t pager_word(const struct thread *thread, unsigned index)
{
	switch (index) {
	case 0:
		return thread->paging_offset;
	case 1:
		return thread->fault.access;
	case 2:
		return thread->paging->object.id;
	default:
		return thread->object.id;
	}
}

static uint64_t fault_word(const struct thread *thread, unsigned index)
{
	switch (index) {
	case 0:
		return thread->fault.address;
	case 1:
		return thread->fault.access;
	case 2:
		return arch_program_counter(&thread->arch);
	case 3:
		return thread->object.id;
	default:
		return thread->fault.isa_code;
	}
}

static uint64_t get_word(const struct thread *sender, unsigned index)
{
	if (sender->faulting)
		return sender->paging ? pager_word(sender, index) : fault_word(sender, index);
	if (index < register_words(sender))
		return arch_message_word(&sender->arch, index);
	return sender->message_buffer->words[index];
}

static void put_word(struct thread *receiver, unsigned index, uint64_t word)
{
	if (index < register_words(receiver))
		arch_message_set_word(&receiver->arch, index, word);
	else
		receiver->message_buffer->words[index] = word;
}

static void install_capabilities(struct thread *receiver, struct transfer *transfer)
{
	for (unsigned i = 0; i < transfer->count; i++) {
		const struct capability *source = &transfer->capabilities[i];
		bool derived = capability_derive(
			&receiver->process->table, transfer->slots[i], source, source->rights, source->badge);

		object_put(source->object);
		receiver->message_buffer->capabilities[i] = derived ? transfer->slots[i] : HANDLE_NONE;
	}
	if (receiver->message_buffer == NULL)
		return;
	for (unsigned i = transfer->count; i < MESSAGE_CAPABILITIES; i++)
		receiver->message_buffer->capabilities[i] = HANDLE_NONE;
}

void message_commit(struct thread *sender, struct thread *receiver, struct transfer *transfer, uint64_t flags)
{
	uint64_t words[MESSAGE_WIDE_WORDS];
	uint64_t sent = sender->message_info;
	unsigned length = (unsigned)message_length(sent);
	unsigned first = length < MESSAGE_WIDE_WORDS ? length : MESSAGE_WIDE_WORDS;

	for (unsigned i = 0; i < first; i++)
		words[i] = get_word(sender, i);
	for (unsigned i = first; i < length; i++)
		receiver->message_buffer->words[i] = get_word(sender, i);
	arch_message_set_result(&receiver->arch, ERR_OK, sender->message_badge,
		MESSAGE_INFO(message_label(sent), length, transfer->count) | flags);
	for (unsigned i = 0; i < first; i++)
		put_word(receiver, i, words[i]);
	install_capabilities(receiver, transfer);
}
