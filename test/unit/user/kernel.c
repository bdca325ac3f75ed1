// SPDX-License-Identifier: MIT
//
// The system calls that a server under test makes, played on the build machine.

#include "kernel.h"
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter" // the play needs few of the arguments

#define OWN_OBJECT 1

struct offered offered[4];
int copy_failures;
long handles_open;
uint64_t minted_badge;

static handle_t last_handle;

struct message_buffer *message_buffer(void)
{
	static struct message_buffer buffer;
	return &buffer;
}

handle_t start_handle(const char *name)
{
	return OWN_OBJECT;
}

static handle_t new_handle(void)
{
	handles_open++;
	return ++last_handle + OWN_OBJECT;
}

enum error handle_close(handle_t handle)
{
	handles_open--;
	return ERR_OK;
}

enum error handle_duplicate(handle_t handle, rights_t rights, handle_t *duplicate)
{
	*duplicate = new_handle();
	return ERR_OK;
}

enum error handle_mint(handle_t handle, rights_t rights, uint64_t badge, handle_t *minted)
{
	minted_badge = badge;
	*minted = new_handle();
	return rand() % 100 < copy_failures ? (handles_open--, ERR_NO_MEMORY) : ERR_OK;
}

// A client's capability is its badge here, but for the server's own.
enum error handle_info(handle_t handle, struct handle_info *info)
{
	*info = (struct handle_info){.type = OBJECT_ENDPOINT, .badge = handle, .object_id = OWN_OBJECT};
	return ERR_OK;
}

static enum error copy_allowed(uint64_t index, uint64_t offset, uint64_t length)
{
	if (index >= 4 || offset > offered[index].length || length > offered[index].length - offset)
		return ERR_INVALID_ARGUMENT;
	return rand() % 100 < copy_failures ? ERR_PEER_FAULT : ERR_OK;
}

enum error reply_read(
	handle_t reply, uint64_t index, uint64_t offset, void *buffer, uint64_t length, uint64_t *copied)
{
	enum error error = copy_allowed(index, offset, length);
	*copied = 0;
	if (error == ERR_OK) {
		*copied = rand() % 100 < copy_failures && length > 1 ? length / 2 : length;
		memcpy(buffer, (char *)offered[index].bytes + offset, *copied);
	}
	return error;
}

enum error reply_write(handle_t reply, uint64_t index, uint64_t offset, const void *buffer, uint64_t length,
	uint64_t *copied)
{
	enum error error = copy_allowed(index, offset, length);
	*copied = 0;
	if (error == ERR_OK) {
		*copied = rand() % 100 < copy_failures && length > 1 ? length / 2 : length;
		memcpy((char *)offered[index].bytes + offset, buffer, *copied);
	}
	return error;
}

enum error memory_create(uint64_t size, uint64_t flags, handle_t *memory)
{
	*memory = new_handle();
	return ERR_OK;
}

// Looks at every byte, so that the sanitizer does.
enum error memory_write(handle_t memory, uint64_t offset, const void *buffer, uint64_t length)
{
	volatile unsigned sum = 0;
	for (uint64_t i = 0; i < length; i++)
		sum += ((const uint8_t *)buffer)[i];
	return ERR_OK;
}

enum error address_space_map(handle_t space, const struct map_request *request, uint64_t *address)
{
	void *memory = aligned_alloc(PAGE_SIZE, request->length);
	memset(memory, 0, request->length);
	*address = (uintptr_t)memory;
	return ERR_OK;
}
