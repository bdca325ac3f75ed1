// SPDX-License-Identifier: MIT
//
// The session: a native program is started here, any other by the Linux personality. A program of /tern/bin
// may look into the system; any other native one is a test of the system and gets all there is.

#include "session.h"
#include "archive.h"
#include "gifts.h"
#include "services.h"
#include <protocol/console.h>
#include <protocol/execute.h>
#include <protocol/file.h>
#include <pthread.h>
#include <runtime/elf.h>
#include <runtime/format.h>
#include <runtime/ipc.h>
#include <string.h>
#include <tern/fault.h>

#define ARGUMENTS_MAX  256
#define FINISH_SECONDS 30
#define SECOND         ((uint64_t)1000 * 1000 * 1000)

// Statuses that a shell gives for a command that it cannot run, and for signals.
#define STATUS_CANNOT_RUN 126
#define STATUS_SIGNAL     128

static const struct boot_info *boot;
static handle_t names_endpoint;
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;

static const char *const environment[] = {
	"PATH=/bin:/sbin:/usr/bin:/usr/sbin",
	"HOME=/root",
	"USER=root",
	"SHELL=/bin/sh",
	"TERM=xterm",
	NULL,
};

enum error session_end(uint64_t action, uint64_t status)
{
	handle_t console;
	uint64_t now;
	if (action > POWER_RESET || status > 255)
		return ERR_INVALID_ARGUMENT;
	pthread_mutex_lock(&ending);
	struct message message = {
		.info = MESSAGE_INFO(CONSOLE_FINISH, 1, 0) | MESSAGE_DEADLINE,
		.words = {status},
	};
	clock_get(&now);
	message_buffer()->deadline = now + FINISH_SECONDS * SECOND;
	enum error error = handle_mint(
		service_endpoint("console"), RIGHT_SEND, CONSOLE_BADGE_SUPERVISOR, &console);
	if (error == ERR_OK)
		error = protocol_call(console, &message);
	if (error != ERR_OK)
		log_print(LOG_ERROR, "the console does not finish: %s", error_text(error));
	error = system_power(boot->resources[RESOURCE_SYSTEM], (uint32_t)action);
	pthread_mutex_unlock(&ending);
	return error;
}

// --- Native programs

static unsigned signal_of_fault(uint64_t kind)
{
	switch (kind) {
	case FAULT_ILLEGAL_INSTRUCTION:
		return 4;
	case FAULT_BREAKPOINT:
	case FAULT_SINGLE_STEP:
		return 5;
	case FAULT_ALIGNMENT:
	case FAULT_PAGER:
		return 7;
	case FAULT_DIVIDE:
	case FAULT_FLOATING:
		return 8;
	case FAULT_NO_MEMORY:
		return 9;
	default:
		return 11;
	}
}

static unsigned wait_for_end(handle_t process)
{
	handle_t notification;
	uint64_t bits;
	struct process_info info = {0};
	enum error error = notification_create(&notification);
	if (error == ERR_OK)
		error = process_watch(process, notification, 1);
	while (error == ERR_OK) {
		error = process_info(process, &info);
		if (error != ERR_OK || info.state == PROCESS_EXITED)
			break;
		error = notification_wait(notification, DEADLINE_NEVER, &bits);
	}
	if (error != ERR_OK) {
		log_print(LOG_ERROR, "cannot wait for the command: %s", error_text(error));
		return STATUS_CANNOT_RUN;
	}
	switch (info.reason) {
	case EXIT_NORMAL:
		return info.exit_status & 0xff;
	case EXIT_FAULT:
		return STATUS_SIGNAL + signal_of_fault(info.exit_status);
	default:
		return STATUS_SIGNAL + 9;
	}
}

static bool is_tool(const char *path)
{
	static const char folder[] = "/tern/bin/";
	return strncmp(path, folder, sizeof(folder) - 1) == 0;
}

static void add_resources(struct gifts *gifts, const char *path)
{
	if (is_tool(path)) {
		gifts_add(gifts, START_SYSTEM, boot->resources[RESOURCE_SYSTEM], RIGHT_READ);
		return;
	}
	gifts_add(gifts, START_LOG, boot->resources[RESOURCE_LOG], RIGHTS_SAME);
	gifts_add(gifts, START_SYSTEM, boot->resources[RESOURCE_SYSTEM], RIGHTS_SAME);
	gifts_add(gifts, START_PHYSICAL, boot->resources[RESOURCE_PHYSICAL], RIGHTS_SAME);
	gifts_add(gifts, START_INTERRUPTS, boot->resources[RESOURCE_INTERRUPT], RIGHTS_SAME);
	gifts_add(gifts, START_PORTS, boot->resources[RESOURCE_IO_PORT], RIGHTS_SAME);
}

static unsigned run_native(const char *const *arguments)
{
	struct gifts gifts = {0};
	struct spawn_request request = {
		.name = strrchr(arguments[0], '/') != NULL ? strrchr(arguments[0], '/') + 1 : arguments[0],
		.arguments = arguments,
		.environment = environment,
	};
	uint64_t client = CLIENT_BADGE(CLIENT_SESSION);
	handle_t process;
	enum error error = account_create(
		boot->account, boot->memory_bytes / PAGE_SIZE, UINT32_MAX, &request.account);
	if (error == ERR_OK) {
		gifts_add(&gifts, START_ACCOUNT, request.account, RIGHTS_SAME);
		add_resources(&gifts, arguments[0]);
		gifts_add(&gifts, START_ARCHIVE, boot->archive, RIGHTS_SAME);
		gifts_add_client(&gifts, START_NAMES, names_endpoint, client);
		gifts_add_client(&gifts, START_CONSOLE, service_endpoint("console"), client);
		gifts_add_client(&gifts, START_ROOT, service_endpoint("vfs"), FILE_BADGE_VIEW | client);
		error = gifts_spawn(&gifts, arguments[0], &request, &process);
	}
	if (error != ERR_OK) {
		log_print(LOG_ERROR, "%s cannot be started: %s", arguments[0], error_text(error));
		return STATUS_CANNOT_RUN;
	}
	unsigned status = wait_for_end(process);
	handle_close(process);
	return status;
}

// --- Programs of the Linux personality

static size_t add_strings(char *buffer, size_t length, const char *const *strings, uint64_t *count)
{
	for (*count = 0; strings[*count] != NULL; (*count)++) {
		size_t size = strlen(strings[*count]) + 1;
		if (length + size > EXECUTE_STRINGS_MAX)
			break;
		memcpy(buffer + length, strings[*count], size);
		length += size;
	}
	return length;
}

static enum error call_personality(const char *const *arguments, unsigned flags, unsigned *status)
{
	static char strings[EXECUTE_STRINGS_MAX];
	struct message message = {
		.info = MESSAGE_INFO(EXECUTE_RUN, 4, 0) | MESSAGE_BUFFERS,
		.words = {flags},
	};
	size_t length = add_strings(strings, 0, arguments, &message.words[1]);
	length = add_strings(strings, length, environment, &message.words[2]);
	message.words[3] = length;
	message_offer(0, strings, length, OFFER_READ);
	enum error error = protocol_call(service_endpoint("linux"), &message);
	*status = message.words[0] & 0xff;
	return error;
}

static unsigned run_guest(const char *const *arguments)
{
	unsigned status;
	enum error error = call_personality(arguments, 0, &status);
	if (error == ERR_OK)
		return status;
	log_print(LOG_ERROR, "%s cannot be run: %s", arguments[0], error_text(error));
	return STATUS_CANNOT_RUN;
}

// A shell, and another one for as long as the personality crashes and is started again.
static unsigned run_shell(void)
{
	static const char *const shell[] = {"/bin/sh", "-l", NULL};
	unsigned status;
	enum error error;
	do
		error = call_personality(shell, EXECUTE_INTERACTIVE, &status);
	while (error == ERR_GONE);
	return error == ERR_OK ? status : STATUS_CANNOT_RUN;
}

// --- The session

// Splits the file's NUL-terminated strings. 0: there are none, or too many.
static size_t split_command(const struct cpio_entry *file, const char **arguments)
{
	size_t count = 0;
	for (size_t position = 0; position < file->size; position += strlen(arguments[count++]) + 1) {
		if (count == ARGUMENTS_MAX ||
			memchr(file->data + position, '\0', file->size - position) == NULL)
			return 0;
		arguments[count] = file->data + position;
	}
	arguments[count] = NULL;
	return count;
}

static unsigned run_command(const struct cpio_entry *file)
{
	static const char *arguments[ARGUMENTS_MAX + 1];
	struct cpio_entry program;
	if (split_command(file, arguments) == 0) {
		log_print(LOG_ERROR, "the command of this boot cannot be read");
		return STATUS_CANNOT_RUN;
	}
	if (strchr(arguments[0], '/') != NULL && archive_find(arguments[0], &program) &&
		elf_is_native(program.data, program.size))
		return run_native(arguments);
	return run_guest(arguments);
}

static void *run_session(void *unused)
{
	struct cpio_entry command;
	unsigned status = archive_find("/tern/command", &command) ? run_command(&command) : run_shell();
	enum error error = session_end(POWER_OFF, status);
	log_print(LOG_ERROR, "the machine cannot be powered off: %s", error_text(error));
	return unused;
}

bool session_start(const struct boot_info *info, handle_t names)
{
	pthread_t thread;
	boot = info;
	names_endpoint = names;
	return pthread_create(&thread, NULL, run_session, NULL) == 0;
}
