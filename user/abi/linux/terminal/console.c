// SPDX-License-Identifier: MIT
//
// The console server's client.

#include <linux/terminal/console.h>

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/terminal/terminal.h>

#include <pthread.h>
#include <runtime/console.h>
#include <runtime/format.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <runtime/start.h>

#define INPUT_CHUNK 128
#define INPUT_BIT   ((uint64_t)1)

static handle_t console;

bool console_init(void)
{
	console = start_handle(START_CONSOLE);
	return console != HANDLE_NONE || name_lookup("console", &console) == ERR_OK;
}

int64_t console_write_span(enum console_stream stream, struct span from)
{
	uint64_t done = 0;

	while (done < from.length) {
		struct message message = {.info = MESSAGE_INFO(CONSOLE_WRITE, 2, 0) | MESSAGE_BUFFERS};
		struct message_buffer *buffer = message_buffer();

		message.words[0] = stream;
		message.words[1] = from.length - done;
		buffer->offered[0] = (struct message_offer){
			.address_space = from.space,
			.address = from.address + done,
			.length = from.length - done,
			.flags = OFFER_READ,
		};
		buffer->offered_count = 1;
		enum error error = protocol_call(console, &message);
		if (error != ERR_OK)
			return done > 0 ? (int64_t)done : error_to_linux(error);
		done += message.words[0];
	}
	return (int64_t)done;
}

void console_size(uint16_t *columns, uint16_t *rows)
{
	struct message message = {.info = MESSAGE_INFO(CONSOLE_GET_SIZE, 0, 0)};
	bool known = protocol_call(console, &message) == ERR_OK;

	*columns = known ? (uint16_t)message.words[0] : 0;
	*rows = known ? (uint16_t)message.words[1] : 0;
}

void console_drain(void)
{
	struct message message = {.info = MESSAGE_INFO(CONSOLE_DRAIN, 0, 0)};

	protocol_call(console, &message);
}

// Asks the console to signal input.
static enum error watch_input(handle_t notification)
{
	struct message message = {.info = MESSAGE_INFO(CONSOLE_WATCH_INPUT, 1, 1)};

	message.words[0] = INPUT_BIT;
	message_buffer()->capabilities[0] = notification;
	return protocol_call(console, &message);
}

struct input {
	struct terminal *terminal;
	handle_t notification;
};

static void *input_main(void *argument)
{
	const struct input *input = argument;
	char bytes[INPUT_CHUNK];
	uint64_t bits;

	while (notification_wait(input->notification, DEADLINE_NEVER, &bits) == ERR_OK) {
		size_t length = sizeof(bytes);

		while (console_read(console, bytes, &length, 0) == ERR_OK) {
			terminal_input(input->terminal, bytes, length);
			length = sizeof(bytes);
		}
	}
	log_print(LOG_ERROR, "the console's input has ended");
	return NULL;
}

bool console_start_input(struct terminal *terminal)
{
	static struct input input;
	pthread_t thread;

	input.terminal = terminal;
	return notification_create(&input.notification) == ERR_OK &&
		watch_input(input.notification) == ERR_OK &&
		pthread_create(&thread, NULL, input_main, &input) == 0;
}
