// SPDX-License-Identifier: MIT
//
// Servers that end are started again, and their clients carry on.

#include "check.h"
#include <protocol/error.h>
#include <protocol/supervisor.h>
#include <runtime/console.h>
#include <runtime/file.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <runtime/start.h>
#include <stdio.h>
#include <string.h>

static handle_t supervisor;

static enum error end_server(const char *name)
{
	struct message message = {.info = MESSAGE_INFO(SUPERVISOR_END_SERVER, 4, 0)};
	memcpy(message.words, name, strlen(name));
	return protocol_call(supervisor, &message);
}

static enum error open_and_close(const char *path, unsigned flags)
{
	struct file_attributes attributes;
	handle_t file;
	enum error error = file_open(start_handle(START_ROOT), path, flags, 0644, &file, &attributes);
	if (error == ERR_OK)
		file_close(file);
	return error;
}

static void test_file_server(void)
{
	struct file_attributes attributes;
	handle_t file;
	char byte;
	size_t length = 1;
	file_open(start_handle(START_ROOT), "/etc/motd", FILE_OPEN_READ, 0, &file, &attributes);
	check_error(open_and_close("/tmp/mine", FILE_OPEN_WRITE | FILE_OPEN_CREATE), ERR_OK,
		"a file is made in the file server");
	check_error(end_server("vfs"), ERR_OK, "the file server is ended");
	check_error(open_and_close("/etc/motd", FILE_OPEN_READ), ERR_OK,
		"the next file server has the boot archive");
	check_error(open_and_close("/tmp/mine", FILE_OPEN_READ), ERR_NOT_FOUND,
		"the next file server lacks what was in memory");
	check_error(file_read(file, 0, &byte, &length), ERR_BAD_HANDLE,
		"the next file server knows no open files");
}

static void test_console(void)
{
	handle_t console = start_handle(START_CONSOLE);
	fflush(stdout);
	struct message message = {.info = MESSAGE_INFO(CONSOLE_DRAIN, 0, 0)};
	check_error(protocol_call(console, &message), ERR_OK, "output is drained");
	check_error(end_server("console"), ERR_OK, "the console is ended");
	check_error(
		console_write(console, CONSOLE_OUTPUT, "# written\n", 10), ERR_OK, "the next console writes");
}

int main(void)
{
	check_error(name_lookup("supervisor", &supervisor), ERR_OK, "the supervisor is found");
	check_error(end_server("nosuch"), ERR_NOT_FOUND, "an unknown server is not ended");
	test_file_server();
	test_console();
	return check_end();
}
