// SPDX-License-Identifier: MIT
//
// The client side of files.

#include <runtime/file.h>
#include <runtime/ipc.h>
#include <string.h>

// Words 0 to 7 of an answer are in the message, the rest of the attributes in the message buffer.
static void take_attributes(const struct message *message, struct file_attributes *attributes)
{
	uint64_t words[FILE_ATTRIBUTES_WORDS];
	memcpy(words, message->words, sizeof(message->words));
	memcpy(words + MESSAGE_WIDE_WORDS, message_buffer()->words + MESSAGE_WIDE_WORDS,
		sizeof(words) - sizeof(message->words));
	memcpy(attributes, words, sizeof(words));
}

static struct message request(enum file_label label, size_t words)
{
	return (struct message){.info = MESSAGE_INFO(label, words, 0)};
}

static void offer_path(struct message *message, const char *path)
{
	message->info |= MESSAGE_BUFFERS;
	message_offer(0, path, strlen(path), OFFER_READ);
}

enum error file_open(handle_t directory, const char *path, unsigned flags, unsigned mode, handle_t *file,
	struct file_attributes *attributes)
{
	struct message message = request(FILE_OPEN, 3);
	message.words[0] = flags;
	message.words[1] = mode;
	message.words[2] = strlen(path);
	offer_path(&message, path);
	enum error error = protocol_call(directory, &message);
	if (error == ERR_OK) {
		*file = message_buffer()->capabilities[0];
		take_attributes(&message, attributes);
	}
	return error;
}

enum error file_close(handle_t file)
{
	struct message message = request(FILE_CLOSE, 0);
	enum error error = protocol_call(file, &message);
	handle_close(file);
	return error;
}

enum error file_read(handle_t file, uint64_t offset, void *buffer, size_t *length)
{
	struct message message = request(FILE_READ, 2);
	message.info |= MESSAGE_BUFFERS;
	message.words[0] = offset;
	message.words[1] = *length;
	message_offer(0, buffer, *length, OFFER_WRITE);
	enum error error = protocol_call(file, &message);
	*length = error == ERR_OK ? message.words[0] : 0;
	return error;
}

enum error file_write(handle_t file, uint64_t offset, const void *buffer, size_t *length)
{
	struct message message = request(FILE_WRITE, 2);
	message.info |= MESSAGE_BUFFERS;
	message.words[0] = offset;
	message.words[1] = *length;
	message_offer(0, buffer, *length, OFFER_READ);
	enum error error = protocol_call(file, &message);
	*length = error == ERR_OK ? message.words[0] : 0;
	return error;
}

enum error file_get_attributes(
	handle_t directory, const char *path, unsigned flags, struct file_attributes *attributes)
{
	struct message message = request(FILE_GET_ATTRIBUTES, 2);
	message.words[0] = flags;
	message.words[1] = strlen(path);
	offer_path(&message, path);
	enum error error = protocol_call(directory, &message);
	if (error == ERR_OK)
		take_attributes(&message, attributes);
	return error;
}

enum error file_create(handle_t directory, const char *path, unsigned mode)
{
	struct message message = request(FILE_CREATE, 3);
	message.words[0] = mode;
	message.words[1] = strlen(path);
	offer_path(&message, path);
	return protocol_call(directory, &message);
}

enum error file_remove(handle_t directory, const char *path, unsigned flags)
{
	struct message message = request(FILE_REMOVE, 2);
	message.words[0] = flags;
	message.words[1] = strlen(path);
	offer_path(&message, path);
	return protocol_call(directory, &message);
}

enum error file_get_memory(handle_t file, handle_t *memory, uint64_t *size)
{
	struct message message = request(FILE_GET_MEMORY, 0);
	enum error error = protocol_call(file, &message);
	if (error == ERR_OK) {
		*memory = message_buffer()->capabilities[0];
		*size = message.words[0];
	}
	return error;
}

enum error file_make_view(handle_t directory, unsigned flags, uint64_t open_limit, handle_t *root)
{
	struct message message = request(FILE_MAKE_VIEW, 2);
	message.words[0] = flags;
	message.words[1] = open_limit;
	enum error error = protocol_call(directory, &message);
	if (error == ERR_OK)
		*root = message_buffer()->capabilities[0];
	return error;
}
