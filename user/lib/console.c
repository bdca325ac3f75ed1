// SPDX-License-Identifier: MIT
//
// The client side of the console.

#include <runtime/console.h>
#include <runtime/ipc.h>

enum error console_write(handle_t console, enum console_stream stream, const void *buffer, size_t length)
{
	const char *next = buffer;
	while (length > 0) {
		struct message message = {
			.info = MESSAGE_INFO(CONSOLE_WRITE, 2, 0) | MESSAGE_BUFFERS,
			.words = {stream, length},
		};
		message_offer(0, next, length, OFFER_READ);
		enum error error = protocol_call(console, &message);
		if (error != ERR_OK)
			return error;
		size_t taken = message.words[0] < length ? message.words[0] : length;
		next += taken;
		length -= taken;
	}
	return ERR_OK;
}

enum error console_read(handle_t console, void *buffer, size_t *length, uint64_t deadline)
{
	struct message message = {
		.info = MESSAGE_INFO(CONSOLE_READ, 2, 0) | MESSAGE_BUFFERS,
		.words = {*length, deadline},
	};
	message_offer(0, buffer, *length, OFFER_WRITE);
	enum error error = protocol_call(console, &message);
	if (error == ERR_OK)
		*length = message.words[0];
	return error;
}
