// SPDX-License-Identifier: MIT
//
// Sessions: the request to run a program becomes the first process, its end the answer.

#include <linux/process/session.h>

#include <linux/files/open_file.h>
#include <linux/files/path.h>
#include <linux/files/root.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/process/execute.h>
#include <linux/process/thread.h>
#include <linux/terminal/console.h>
#include <linux/terminal/terminal.h>
#include <linux/terminal/terminal_file.h>

#include <protocol/execute.h>
#include <runtime/format.h>
#include <runtime/server.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What a shell tells about programs that it cannot run, and for signals.
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND      127
#define STATUS_SIGNAL         128

#define DEFAULT_PATH "/bin:/usr/bin:/sbin:/usr/sbin"
#define STREAMS      3

static struct {
	_Atomic uint32_t running;
	handle_t reply;  // to whoever asked for it
	uint32_t status; // of the first process, as wait4 tells it
} session;

void session_set_status(uint32_t wait_status)
{
	session.status = wait_status;
}

void session_finish(void)
{
	uint32_t signal = session.status & 0x7f;
	handle_t reply = session.reply;
	uint32_t status = signal ? STATUS_SIGNAL + signal : session.status >> 8;

	atomic_store(&session.running, 0);
	request_answer(reply, ERR_OK, status);
}

// Splits `count` strings off a text. ERR_INVALID_ARGUMENT: there are not so many.
static enum error take_strings(const char **text, const char *end, uint64_t count, struct strings *strings)
{
	for (uint64_t index = 0; index < count; index++) {
		const char *nul = memchr(*text, 0, (size_t)(end - *text));

		if (!nul)
			return ERR_INVALID_ARGUMENT;
		if (strings_add(strings, *text, (size_t)(nul - *text)))
			return ERR_NO_MEMORY;
		*text = nul + 1;
	}
	return ERR_OK;
}

// Takes arguments and environment out of the request. To be freed in any case.
static enum error take_arguments(const struct request *request, struct arguments *arguments)
{
	uint64_t count = request->words[1], length = request->words[3];

	*arguments = (struct arguments){0};
	if (request->length < 4 || count == 0 || length == 0 || length > EXECUTE_STRINGS_MAX)
		return ERR_INVALID_ARGUMENT;
	char *text = malloc(length);
	if (!text)
		return ERR_NO_MEMORY;
	const char *next = text;
	enum error error = request_read(0, 0, text, length);
	if (error == ERR_OK)
		error = take_strings(&next, text + length, count, &arguments->arguments);
	if (error == ERR_OK)
		error = take_strings(&next, text + length, request->words[2], &arguments->environment);
	free(text);
	return error;
}

// The terminal as all three streams, or three streams that are none. NULL where it fails.
static void create_streams(struct thread *thread, bool interactive, struct open_file *streams[STREAMS])
{
	if (!interactive) {
		streams[0] = stream_create_input();
		streams[1] = stream_create_output(CONSOLE_OUTPUT);
		streams[2] = stream_create_output(CONSOLE_ERROR);
		return;
	}
	terminal_own(terminal_console(), thread->process->session);
	if (terminal_open_console(thread, &streams[0]))
		streams[0] = NULL;
	for (unsigned index = 1; index < STREAMS; index++)
		streams[index] = streams[0] ? open_file_share(streams[0]) : NULL;
}

static bool give_streams(struct thread *thread, bool interactive)
{
	struct open_file *streams[STREAMS];
	bool given = true;

	create_streams(thread, interactive, streams);
	for (int32_t index = 0; index < STREAMS; index++) {
		if (!streams[index] ||
			file_table_add(thread->files, streams[index], 0, STREAMS, false) != index)
			given = false;
	}
	return given;
}

// The first process, with the streams of the session, but without a program. NULL: no memory.
static struct thread *create_process(bool interactive)
{
	struct thread *thread = process_create_first();

	if (!thread)
		return NULL;
	thread->files = file_table_create();
	thread->view = file_view_create(root_directory());
	if (!thread->files || !thread->view || !give_streams(thread, interactive)) {
		process_discard(thread);
		return NULL;
	}
	return thread;
}

static int64_t load(
	struct thread *thread, const char *name, struct arguments *arguments, struct program *program)
{
	struct path *path = malloc(sizeof(*path));
	int64_t error = path ? path_set(thread, name, path) : -LINUX_ENOMEM;

	if (!error)
		error = program_load(thread, path, arguments, program);
	if (path)
		path_release(path);
	free(path);
	return error;
}

// Loads the program of a name without a slash from the first folder of PATH that has it.
static int64_t load_from_path(
	struct thread *thread, const char *name, struct arguments *arguments, struct program *program)
{
	const char *folders = environment_value(&arguments->environment, "PATH");
	char text[LINUX_PATH_MAX];
	int64_t error = -LINUX_ENOENT;

	if (!folders)
		folders = DEFAULT_PATH;
	while (*folders) {
		int length = (int)strcspn(folders, ":");

		if (length > 0 && length + strlen(name) + 2 < sizeof(text)) {
			format_text(text, sizeof(text), "%.*s/%s", length, folders, name);
			int64_t result = load(thread, text, arguments, program);

			if (result != -LINUX_ENOENT && result != -LINUX_ENOTDIR)
				return result;
		}
		folders += length;
		folders += strspn(folders, ":");
	}
	return error;
}

// Says on the error stream why there is nothing to run, and returns the status that tells it.
static uint64_t explain_failure(const char *name, int64_t error)
{
	const char *reason = "cannot be executed";
	char line[LINUX_NAME_MAX + 64];
	uint64_t status = STATUS_CANNOT_EXECUTE;

	switch (-error) {
	case LINUX_ENOENT:
	case LINUX_ENOTDIR:
		reason = "not found";
		status = STATUS_NOT_FOUND;
		break;
	case LINUX_EACCES:
		reason = "permission denied";
		break;
	case LINUX_ENOEXEC:
		reason = "not a program of this machine";
		break;
	case LINUX_ELIBACC:
		reason = "needs a dynamic linker, and there is none yet";
		break;
	case LINUX_ENOMEM:
		reason = "no memory";
		break;
	default:
		break;
	}
	size_t length = format_text(line, sizeof(line), "tern: %.*s: %s\n", LINUX_NAME_MAX, name, reason);
	console_write_span(CONSOLE_ERROR, span_own(line, length));
	return status;
}

// Starts the loaded program of the first process; from then on the session answers.
static enum error start(struct thread *thread, struct program *program)
{
	struct registers registers;

	if (execute_first(thread, program, &registers)) {
		program_discard(program);
		process_discard(thread);
		return ERR_NO_MEMORY;
	}
	enum error error = reply_save(&session.reply);
	if (error == ERR_OK && thread_start(thread, &registers))
		return SERVER_LATER;
	process_discard(thread);
	if (error != ERR_OK)
		return error;
	atomic_store(&session.running, 0);
	request_answer(session.reply, ERR_NO_MEMORY, 0);
	return SERVER_LATER;
}

static enum error run(struct request *request, struct arguments *arguments)
{
	struct thread *thread = create_process(request->words[0] & EXECUTE_INTERACTIVE);
	const char *name = arguments->arguments.bytes;
	struct program program;

	if (!thread)
		return ERR_NO_MEMORY;
	int64_t error = strchr(name, '/') ? load(thread, name, arguments, &program)
					  : load_from_path(thread, name, arguments, &program);
	if (!error)
		return start(thread, &program);
	process_discard(thread);
	request->words[0] = explain_failure(arguments->arguments.bytes, error);
	request->answer_length = 1;
	return ERR_OK;
}

static enum error handle_request(struct request *request)
{
	struct arguments arguments;

	if (request->label != EXECUTE_RUN)
		return ERR_INVALID_ARGUMENT;
	if (atomic_exchange(&session.running, 1))
		return ERR_BUSY;
	enum error error = take_arguments(request, &arguments);
	if (error == ERR_OK)
		error = run(request, &arguments);
	arguments_free(&arguments);
	if (error != SERVER_LATER)
		atomic_store(&session.running, 0);
	return error;
}

enum error session_serve(handle_t endpoint)
{
	return server_run(&(struct server){.endpoint = endpoint, .request = handle_request});
}
