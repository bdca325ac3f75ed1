// SPDX-License-Identifier: MIT
//
// Native programs as processes of guests. Their console is served here, in terms of descriptors.

#include <linux/process/native.h>

#include <linux/files/open_file.h>
#include <linux/files/poll.h>
#include <linux/files/root.h>
#include <linux/files/server.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/loader/arguments.h>
#include <linux/memory/memory.h>
#include <linux/process/fault.h>
#include <linux/process/process.h>

#include <protocol/console.h>
#include <runtime/elf.h>
#include <runtime/file.h>
#include <runtime/server.h>
#include <runtime/spawn.h>
#include <runtime/start.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX ((size_t)16 * 1024) // of a request, served at a time
#define HAS_ENDED ((uint64_t)1)       // bit of the notification

struct native_program {
	handle_t account, process;
	handle_t endpoint, ended; // where its requests come, and the notification bound to it
	handle_t root, directory; // of its view of the files
};

// --- Starting

// Pointers to all strings and a NULL, to be freed. NULL: no memory.
static const char **string_vector(const struct strings *strings)
{
	const char **vector = calloc(strings->count + 1, sizeof(*vector));
	const char *text = strings->bytes;

	for (size_t index = 0; vector && index < strings->count; index++) {
		vector[index] = text;
		text += strlen(text) + 1;
	}
	return vector;
}

// What it opens goes with its view.
static enum error make_view(struct thread *thread, struct native_program *native)
{
	struct open_file *directory = file_view_directory(thread->view);
	const char *path = directory->path ? directory->path : "/";
	struct file_attributes attributes;
	enum error error = file_make_view(root_directory()->node, 0, 0, &native->root);

	// Where the current directory is none of the server's, or gone, it starts in the root.
	if (error == ERR_OK &&
		file_open(native->root, path, FILE_OPEN_DIRECTORY, 0, &native->directory, &attributes) !=
			ERR_OK)
		native->directory = HANDLE_NONE;
	open_file_release(directory);
	return error;
}

// An account within the personality's own, and what the end of the program and its requests are waited for with.
static enum error make_objects(struct native_program *native)
{
	struct account_info limits;
	enum error error = account_info(start_handle(START_ACCOUNT), &limits);

	if (error == ERR_OK)
		error = account_create(start_handle(START_ACCOUNT), limits.pages_limit, limits.objects_limit,
			&native->account);
	if (error == ERR_OK)
		error = endpoint_create(&native->endpoint);
	if (error == ERR_OK)
		error = notification_create(&native->ended);
	if (error == ERR_OK)
		error = endpoint_bind(native->endpoint, native->ended);
	return error;
}

static enum error spawn(struct native_program *native, struct spawn_request *request)
{
	const struct spawn_handle handles[] = {
		{START_ACCOUNT, native->account, RIGHTS_SAME},
		{START_CONSOLE, native->endpoint, RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER},
		{START_ROOT, native->root, RIGHTS_SAME},
		{START_DIRECTORY, native->directory, RIGHTS_SAME},
		{START_LOG, start_handle(START_LOG), RIGHTS_SAME},
		{START_SYSTEM, start_handle(START_SYSTEM), RIGHT_READ},
	};

	request->account = native->account;
	request->handles = handles;
	request->handle_count = sizeof(handles) / sizeof(handles[0]);
	enum error error = process_spawn(request, &native->process);
	if (error == ERR_OK)
		error = process_watch(native->process, native->ended, HAS_ENDED);
	return error;
}

static int64_t start_image(struct thread *thread, const char *name, const void *image, size_t length,
	const struct arguments *arguments, struct native_program **native)
{
	struct native_program *made = calloc(1, sizeof(*made));
	const char **words = string_vector(&arguments->arguments);
	const char **environment = string_vector(&arguments->environment);
	struct spawn_request request = {.name = name,
		.image = image,
		.image_length = length,
		.arguments = words,
		.environment = environment};
	enum error error = made && words && environment ? make_objects(made) : ERR_NO_MEMORY;

	if (error == ERR_OK)
		error = make_view(thread, made);
	if (error == ERR_OK)
		error = spawn(made, &request);
	free(words);
	free(environment);
	if (error == ERR_OK)
		*native = made;
	else
		native_end(made);
	return error_to_linux(error);
}

int64_t native_start(struct thread *thread, struct open_file *file, const char *name,
	const struct arguments *arguments, struct native_program **native)
{
	struct map_request request = {.flags = MAPPING_READ | MAPPING_SHARED};
	uint64_t size, image;
	int64_t error = open_file_content(file, &request.memory, &size);

	*native = NULL;
	if (error || request.memory == HANDLE_NONE)
		return 0; // no file that could be one
	request.length = page_ceiling(size);
	error = error_to_linux(address_space_map(HANDLE_SELF, &request, &image));
	handle_close(request.memory);
	if (error)
		return error;
	if (elf_is_native((const void *)image, size))
		error = start_image(thread, name, (const void *)image, size, arguments, native);
	address_space_unmap(HANDLE_SELF, image, request.length);
	return error;
}

void native_end(struct native_program *native)
{
	if (!native)
		return;
	const handle_t handles[] = {native->account, native->process, native->endpoint, native->ended,
		native->directory, native->root};

	if (native->process != HANDLE_NONE)
		process_kill(native->process, 0);
	if (native->root != HANDLE_NONE)
		file_close(native->root);
	for (size_t index = 0; index < sizeof(handles) / sizeof(handles[0]); index++) {
		if (handles[index] != HANDLE_NONE)
			handle_close(handles[index]);
	}
	free(native);
}

// --- Serving

// The error that the program gets for one of Linux.
static enum error error_from_linux(int64_t error)
{
	switch (-error) {
	case LINUX_EINTR:
	case LINUX_ERESTART:
		return ERR_CANCELLED;
	case LINUX_EBADF:
		return ERR_BAD_HANDLE;
	case LINUX_EAGAIN:
		return ERR_WOULD_BLOCK;
	case LINUX_ENOSPC:
		return ERR_NO_SPACE;
	case LINUX_ENOMEM:
		return ERR_NO_MEMORY;
	default:
		return ERR_PEER_CLOSED;
	}
}

static enum error serve_write(
	struct thread *thread, struct open_file *file, void *buffer, uint64_t length, uint64_t *count)
{
	enum error error = request_read(0, 0, buffer, length);
	int64_t result = error == ERR_OK ? open_file_write(thread, file, span_own(buffer, length)) : 0;

	*count = result > 0 ? (uint64_t)result : 0;
	return result < 0 ? error_from_linux(result) : error;
}

// At the end of the file the count is 0.
static enum error serve_read(struct thread *thread, struct open_file *file, void *buffer, uint64_t length,
	uint64_t deadline, uint64_t *count)
{
	int64_t result = 1;

	if (deadline != DEADLINE_NEVER)
		result = poll_file(thread, file, LINUX_POLLIN, deadline);
	if (result == 0)
		return deadline == 0 ? ERR_WOULD_BLOCK : ERR_TIMED_OUT;
	if (result > 0)
		result = open_file_read(thread, file, span_own(buffer, length));
	if (result < 0)
		return error_from_linux(result);
	*count = (uint64_t)result;
	return request_write(0, 0, buffer, *count);
}

static enum error serve_stream(struct thread *thread, const struct message *message, uint64_t *count)
{
	bool reads = message_label(message->info) == CONSOLE_READ;
	uint64_t length = message->words[reads ? 0 : 1];
	int32_t descriptor = reads ? 0 : (int32_t)message->words[0];

	if (message_length(message->info) < 2 ||
		(!reads && descriptor != CONSOLE_OUTPUT && descriptor != CONSOLE_ERROR) ||
		(reads && length == 0))
		return ERR_INVALID_ARGUMENT;
	length = length < PIECE_MAX ? length : PIECE_MAX;
	struct open_file *file = file_table_get(thread->files, descriptor);
	if (!file)
		return ERR_BAD_HANDLE;
	void *buffer = malloc(length + 1);
	enum error error = ERR_NO_MEMORY;
	if (buffer)
		error = reads ? serve_read(thread, file, buffer, length, message->words[1], count)
			      : serve_write(thread, file, buffer, length, count);
	free(buffer);
	open_file_release(file);
	return error;
}

static bool output_is_terminal(struct thread *thread)
{
	struct open_file *file = file_table_get(thread->files, CONSOLE_OUTPUT);
	struct file_attributes attributes;

	if (!file)
		return false;
	int64_t error = open_file_attributes(file, &attributes);
	open_file_release(file);
	return !error && (attributes.mode & FILE_TYPE_MASK) == FILE_TYPE_CHARACTER;
}

static void serve_request(struct thread *thread, const struct message *message)
{
	struct message answer = {0};
	enum error error;

	for (size_t index = 0; index < message_capabilities(message->info); index++)
		handle_close(message_buffer()->capabilities[index]);
	if ((message->info & (MESSAGE_CALL | MESSAGE_FAULT)) != MESSAGE_CALL)
		return;
	switch (message_label(message->info)) {
	case CONSOLE_WRITE:
	case CONSOLE_READ:
		error = serve_stream(thread, message, &answer.words[0]);
		break;
	case CONSOLE_GET_SIZE: // is unknown
		error = output_is_terminal(thread) ? ERR_OK : ERR_NOT_SUPPORTED;
		break;
	case CONSOLE_DRAIN:
		error = ERR_OK;
		break;
	default:
		error = ERR_NOT_SUPPORTED;
		break;
	}
	answer.info = MESSAGE_INFO(error, 2, 0);
	endpoint_reply(HANDLE_NONE, &answer);
}

static uint32_t wait_status_of(const struct process_info *info)
{
	switch (info->reason) {
	case EXIT_NORMAL:
		return wait_status_exit((uint32_t)info->exit_status);
	case EXIT_FAULT:
		return wait_status_signal(fault_signal(info->exit_status));
	default:
		return wait_status_signal(LINUX_SIGKILL);
	}
}

static void end_process(struct thread *thread, const struct process_info *info)
{
	struct process *process = thread->process;

	pthread_mutex_lock(&process_lock);
	process->usage.cpu_time += info->cpu_time;
	process_end(process, wait_status_of(info));
	pthread_mutex_unlock(&process_lock);
}

// A kick ends this wait, or the next if it comes before it.
void native_serve(struct thread *thread)
{
	struct native_program *native = thread->native_program;
	struct process_info info = {.reason = EXIT_KILLED};
	struct message message = {0};

	thread->state->interruptible = 1;
	enum error error = thread_interrupted(thread) ? ERR_CANCELLED
						      : endpoint_receive(native->endpoint, &message);
	thread->state->interruptible = 0;
	if (error == ERR_CANCELLED)
		return;
	if (error == ERR_OK && !(message.info & MESSAGE_NOTIFICATION)) {
		serve_request(thread, &message);
		return;
	}
	process_info(native->process, &info);
	end_process(thread, &info);
}
