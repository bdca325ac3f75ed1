// SPDX-License-Identifier: MIT
//
// Calls to the file server: requests are built here, and nowhere else.

#include <linux/files/server.h>

#include <linux/interface/errors.h>

#include <protocol/error.h>
#include <runtime/ipc.h>
#include <string.h>

static const uint8_t linux_errors[] = {
	[ERR_BAD_HANDLE] = LINUX_EBADF,
	[ERR_WRONG_TYPE] = LINUX_EINVAL,
	[ERR_NO_RIGHTS] = LINUX_EACCES,
	[ERR_INVALID_ARGUMENT] = LINUX_EINVAL,
	[ERR_BAD_ADDRESS] = LINUX_EFAULT,
	[ERR_NO_MEMORY] = LINUX_ENOMEM,
	[ERR_NO_SLOTS] = LINUX_ENFILE,
	[ERR_EXISTS] = LINUX_EEXIST,
	[ERR_NOT_FOUND] = LINUX_ENOENT,
	[ERR_BUSY] = LINUX_EBUSY,
	[ERR_BAD_STATE] = LINUX_EINVAL,
	[ERR_TIMED_OUT] = LINUX_ETIMEDOUT,
	[ERR_WOULD_BLOCK] = LINUX_EAGAIN,
	[ERR_CANCELLED] = LINUX_EINTR,
	[ERR_PEER_CLOSED] = LINUX_EIO,
	[ERR_PEER_FAULT] = LINUX_EFAULT,
	[ERR_GONE] = LINUX_EIO,
	[ERR_TOO_LONG] = LINUX_E2BIG,
	[ERR_NOT_SUPPORTED] = LINUX_EOPNOTSUPP,
	[ERR_NO_SYSCALL] = LINUX_ENOSYS,
	[ERR_MISMATCH] = LINUX_EAGAIN,
	[ERR_NO_BUDGET] = LINUX_EAGAIN,
	[ERR_DEADLOCK] = LINUX_EDEADLK,
	[ERR_NOT_DIRECTORY] = LINUX_ENOTDIR,
	[ERR_IS_DIRECTORY] = LINUX_EISDIR,
	[ERR_NOT_EMPTY] = LINUX_ENOTEMPTY,
	[ERR_NAME_TOO_LONG] = LINUX_ENAMETOOLONG,
	[ERR_LOOP] = LINUX_ELOOP,
	[ERR_READ_ONLY] = LINUX_EROFS,
	[ERR_CROSS_DEVICE] = LINUX_EXDEV,
	[ERR_NO_SPACE] = LINUX_ENOSPC,
	[ERR_FILE_TOO_LARGE] = LINUX_EFBIG,
	[ERR_NOT_EXECUTABLE] = LINUX_ENOEXEC,
};

int64_t error_to_linux(unsigned error)
{
	if (error == ERR_OK)
		return 0;
	if (error >= sizeof(linux_errors) || linux_errors[error] == 0)
		return -LINUX_EIO;
	return -(int64_t)linux_errors[error];
}

static struct message request(enum file_label label, size_t words)
{
	return (struct message){.info = MESSAGE_INFO(label, words, 0)};
}

// Offers a span as buffer `index`.
static void offer(struct message *message, unsigned index, struct span span, uint64_t flags)
{
	struct message_buffer *buffer = message_buffer();

	buffer->offered[index] = (struct message_offer){
		.address_space = span.space, .address = span.address, .length = span.length, .flags = flags};
	buffer->offered_count = index + 1;
	message->info |= MESSAGE_BUFFERS;
}

static void offer_text(struct message *message, unsigned index, const char *text, size_t length)
{
	offer(message, index, span_own((void *)(uintptr_t)text, length), OFFER_READ);
}

static int64_t call(handle_t server, struct message *message)
{
	return error_to_linux(protocol_call(server, message));
}

// The words of an answer that are attributes.
static void take_attributes(const struct message *message, struct file_attributes *attributes)
{
	uint64_t words[FILE_ATTRIBUTES_WORDS];
	const struct message_buffer *buffer = message_buffer();

	for (size_t index = 0; index < FILE_ATTRIBUTES_WORDS; index++)
		words[index] = index < MESSAGE_WIDE_WORDS ? message->words[index] : buffer->words[index];
	memcpy(attributes, words, sizeof(words));
}

int64_t server_open(const struct server_path *path, uint64_t flags, uint32_t mode, handle_t *file,
	struct file_attributes *attributes)
{
	struct message message = request(FILE_OPEN, 3);

	message.words[0] = flags;
	message.words[1] = mode;
	message.words[2] = path->length;
	offer_text(&message, 0, path->text, path->length);
	int64_t error = call(path->directory, &message);
	if (error)
		return error;
	*file = message_buffer()->capabilities[0];
	take_attributes(&message, attributes);
	return 0;
}

void server_close(handle_t file)
{
	struct message message = request(FILE_CLOSE, 0);

	call(file, &message);
	handle_close(file);
}

int64_t server_get_attributes(
	const struct server_path *path, uint64_t flags, struct file_attributes *attributes)
{
	struct message message = request(FILE_GET_ATTRIBUTES, 2);

	message.words[0] = flags;
	message.words[1] = path->length;
	offer_text(&message, 0, path->text, path->length);
	int64_t error = call(path->directory, &message);
	if (!error)
		take_attributes(&message, attributes);
	return error;
}

int64_t server_set_attributes(const struct server_path *path, uint64_t flags, uint64_t mask,
	const struct file_attributes *attributes)
{
	struct message message = request(FILE_SET_ATTRIBUTES, 9);

	message.words[0] = flags;
	message.words[1] = path->length;
	message.words[2] = mask;
	message.words[3] = attributes->mode;
	message.words[4] = attributes->user;
	message.words[5] = attributes->group;
	message.words[6] = attributes->size;
	message.words[7] = attributes->access_time;
	message_buffer()->words[8] = attributes->modify_time;
	offer_text(&message, 0, path->text, path->length);
	return call(path->directory, &message);
}

int64_t server_read(handle_t file, struct span to, uint64_t offset)
{
	struct message message = request(FILE_READ, 2);

	message.words[0] = offset;
	message.words[1] = to.length;
	offer(&message, 0, to, OFFER_WRITE);
	int64_t error = call(file, &message);
	return error ? error : (int64_t)message.words[0];
}

int64_t server_write(handle_t file, struct span from, uint64_t offset, uint64_t *end)
{
	struct message message = request(FILE_WRITE, 2);

	message.words[0] = offset;
	message.words[1] = from.length;
	offer(&message, 0, from, OFFER_READ);
	int64_t error = call(file, &message);
	if (error)
		return error;
	*end = message.words[1];
	return (int64_t)message.words[0];
}

int64_t server_read_directory(handle_t directory, void *buffer, size_t size, uint64_t cursor)
{
	struct message message = request(FILE_READ_DIRECTORY, 2);

	message.words[0] = cursor;
	message.words[1] = size;
	offer(&message, 0, span_own(buffer, size), OFFER_WRITE);
	int64_t error = call(directory, &message);
	return error ? error : (int64_t)message.words[0];
}

int64_t server_create(const struct server_path *path, uint32_t mode, uint64_t device)
{
	struct message message = request(FILE_CREATE, 3);

	message.words[0] = mode;
	message.words[1] = path->length;
	message.words[2] = device;
	offer_text(&message, 0, path->text, path->length);
	return call(path->directory, &message);
}

int64_t server_create_link(const struct server_path *path, const char *target, size_t length)
{
	struct message message = request(FILE_CREATE_LINK, 2);

	message.words[0] = path->length;
	message.words[1] = length;
	offer_text(&message, 0, path->text, path->length);
	offer_text(&message, 1, target, length);
	return call(path->directory, &message);
}

int64_t server_read_link(const struct server_path *path, char *buffer, size_t size)
{
	struct message message = request(FILE_READ_LINK, 2);

	message.words[0] = path->length;
	message.words[1] = size;
	offer_text(&message, 0, path->text, path->length);
	offer(&message, 1, span_own(buffer, size), OFFER_WRITE);
	int64_t error = call(path->directory, &message);
	return error ? error : (int64_t)message.words[0];
}

// A request about two paths: the second is resolved from a directory that travels as a capability.
static int64_t call_with_paths(
	struct message *message, const struct server_path *old, const struct server_path *new)
{
	offer_text(message, 0, old->text, old->length);
	offer_text(message, 1, new->text, new->length);
	if (new->directory != old->directory) {
		message_buffer()->capabilities[0] = new->directory;
		message->info |= (uint64_t)1 << MESSAGE_CAPABILITY_SHIFT;
	}
	return call(old->directory, message);
}

int64_t server_add_name(const struct server_path *old, const struct server_path *new)
{
	struct message message = request(FILE_ADD_NAME, 2);

	message.words[0] = old->length;
	message.words[1] = new->length;
	return call_with_paths(&message, old, new);
}

int64_t server_remove(const struct server_path *path, uint64_t flags)
{
	struct message message = request(FILE_REMOVE, 2);

	message.words[0] = flags;
	message.words[1] = path->length;
	offer_text(&message, 0, path->text, path->length);
	return call(path->directory, &message);
}

int64_t server_rename(const struct server_path *old, const struct server_path *new, uint64_t flags)
{
	struct message message = request(FILE_RENAME, 3);

	message.words[0] = flags;
	message.words[1] = old->length;
	message.words[2] = new->length;
	return call_with_paths(&message, old, new);
}

int64_t server_get_memory(handle_t file, handle_t *memory, uint64_t *size)
{
	struct message message = request(FILE_GET_MEMORY, 0);
	int64_t error = call(file, &message);

	if (error)
		return error;
	*memory = message_buffer()->capabilities[0];
	*size = message.words[0];
	return 0;
}
