// SPDX-License-Identifier: MIT
//
// The client side of the name service.

#include <protocol/name.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <runtime/start.h>
#include <string.h>

static enum error call(uint32_t label, const char *name, unsigned capabilities)
{
	struct message message = {.info = MESSAGE_INFO(label, NAME_WORDS, capabilities)};
	size_t length = strnlen(name, NAME_LENGTH);
	if (length == NAME_LENGTH)
		return ERR_TOO_LONG;
	memcpy(message.words, name, length);
	enum error error = protocol_call(start_handle(START_NAMES), &message);
	if (error == ERR_OK && label == NAME_LOOKUP && message_capabilities(message.info) != 1)
		return ERR_NOT_FOUND;
	return error;
}

enum error name_lookup(const char *name, handle_t *found)
{
	enum error error = call(NAME_LOOKUP, name, 0);
	if (error == ERR_OK)
		*found = message_buffer()->capabilities[0];
	return error;
}

enum error name_register(const char *name, handle_t handle)
{
	message_buffer()->capabilities[0] = handle;
	return call(NAME_REGISTER, name, 1);
}
