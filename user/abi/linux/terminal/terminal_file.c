// SPDX-License-Identifier: MIT
//
// The terminal as an open file: reads, writes and the requests of ioctl.

#include <linux/terminal/terminal_file.h>

#include <linux/files/attributes.h>
#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>
#include <linux/terminal/console.h>
#include <linux/terminal/terminal.h>

#include <stdlib.h>

static int64_t file_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	(void)offset;
	return terminal_read(thread, terminal_console(), to, !open_file_nonblocking(file));
}

static int64_t file_write(struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	(void)thread;
	(void)file;
	(void)offset;
	return terminal_write(terminal_console(), from);
}

static int64_t set_settings(struct thread *thread, struct terminal *terminal, uint64_t argument, bool discard)
{
	struct linux_termios settings;
	int64_t error = copy_from_guest(thread, &settings, argument, sizeof(settings));

	if (!error)
		terminal_set_settings(terminal, &settings, discard);
	return error;
}

static int64_t get_settings(struct thread *thread, struct terminal *terminal, uint64_t argument)
{
	struct linux_termios settings;

	terminal_get_settings(terminal, &settings);
	return copy_to_guest(thread, argument, &settings, sizeof(settings));
}

// What a program sets stays until the console tells another size.
static int64_t get_size(struct thread *thread, struct terminal *terminal, uint64_t argument)
{
	pthread_mutex_lock(&terminal->lock);
	struct linux_winsize size = terminal->size;
	pthread_mutex_unlock(&terminal->lock);
	if (size.rows == 0 && size.columns == 0)
		console_size(&size.columns, &size.rows);
	return copy_to_guest(thread, argument, &size, sizeof(size));
}

static int64_t set_size(struct thread *thread, struct terminal *terminal, uint64_t argument)
{
	struct linux_winsize size;
	int64_t error = copy_from_guest(thread, &size, argument, sizeof(size));

	if (error)
		return error;
	pthread_mutex_lock(&terminal->lock);
	terminal->size = size;
	pthread_mutex_unlock(&terminal->lock);
	return 0;
}

// The foreground group or the session; -LINUX_ENOTTY: it is not the caller's terminal.
static int64_t get_owner(struct thread *thread, struct terminal *terminal, bool session, uint64_t argument)
{
	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&terminal->lock);
	int32_t owner = session ? terminal->session : terminal->group;
	bool own = terminal->session == thread->process->session;
	pthread_mutex_unlock(&terminal->lock);
	pthread_mutex_unlock(&process_lock);
	return own ? copy_to_guest(thread, argument, &owner, sizeof(owner)) : -LINUX_ENOTTY;
}

static int64_t set_group(struct thread *thread, struct terminal *terminal, uint64_t argument)
{
	int32_t group;
	int64_t error = copy_from_guest(thread, &group, argument, sizeof(group));

	if (error)
		return error;
	if (group <= 0)
		return -LINUX_EINVAL;
	pthread_mutex_lock(&process_lock);
	int32_t session = process_group_session(group);
	pthread_mutex_lock(&terminal->lock);
	if (terminal->session != thread->process->session)
		error = -LINUX_ENOTTY;
	else if (session != terminal->session)
		error = -LINUX_EPERM;
	else
		terminal->group = group;
	pthread_mutex_unlock(&terminal->lock);
	pthread_mutex_unlock(&process_lock);
	return error;
}

// Makes it the controlling terminal of the caller's session, which must have none, and must be led by the
// caller.
static int64_t take_control(struct thread *thread, struct terminal *terminal)
{
	const struct process *process = thread->process;
	int64_t error = 0;

	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&terminal->lock);
	if (process->id != process->session ||
		(terminal->session != 0 && terminal->session != process->session)) {
		error = -LINUX_EPERM;
	} else {
		terminal->session = process->session;
		terminal->group = process->group;
	}
	pthread_mutex_unlock(&terminal->lock);
	pthread_mutex_unlock(&process_lock);
	return error;
}

static int64_t give_up(struct thread *thread, struct terminal *terminal)
{
	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&terminal->lock);
	if (thread->process->id == terminal->session)
		terminal->session = terminal->group = 0;
	pthread_mutex_unlock(&terminal->lock);
	pthread_mutex_unlock(&process_lock);
	return 0;
}

static int64_t file_control(
	struct thread *thread, struct open_file *file, uint32_t request, uint64_t argument)
{
	struct terminal *terminal = terminal_console();
	int32_t available;

	(void)file;
	switch (request) {
	case LINUX_TCGETS:
		return get_settings(thread, terminal, argument);
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
		return set_settings(thread, terminal, argument, false);
	case LINUX_TCSETSF:
		return set_settings(thread, terminal, argument, true);
	case LINUX_TCSBRK:
		console_drain();
		return 0;
	case LINUX_TCXONC:
		return 0;
	case LINUX_TCFLSH:
		if (argument == LINUX_TCIFLUSH || argument == LINUX_TCIOFLUSH)
			terminal_discard_input(terminal);
		return argument <= LINUX_TCIOFLUSH ? 0 : -LINUX_EINVAL;
	case LINUX_TIOCGWINSZ:
		return get_size(thread, terminal, argument);
	case LINUX_TIOCSWINSZ:
		return set_size(thread, terminal, argument);
	case LINUX_TIOCGPGRP:
		return get_owner(thread, terminal, false, argument);
	case LINUX_TIOCSPGRP:
		return set_group(thread, terminal, argument);
	case LINUX_TIOCGSID:
		return get_owner(thread, terminal, true, argument);
	case LINUX_TIOCSCTTY:
		return take_control(thread, terminal);
	case LINUX_TIOCNOTTY:
		return give_up(thread, terminal);
	case LINUX_FIONREAD:
		available = (int32_t)terminal_available(terminal);
		return copy_to_guest(thread, argument, &available, sizeof(available));
	default:
		return -LINUX_ENOTTY;
	}
}

static int64_t file_attributes(struct open_file *file, struct file_attributes *attributes)
{
	if (file->node != HANDLE_NONE)
		return server_get_attributes(
			&(struct server_path){.directory = file->node, .text = ""}, 0, attributes);
	*attributes = attributes_make(FILE_SYSTEM_CONSOLE, 1, FILE_TYPE_CHARACTER | 0620);
	attributes->device = linux_device(5, 1);
	return 0;
}

static uint32_t file_ready(struct open_file *file)
{
	uint32_t ready = LINUX_POLLOUT | LINUX_POLLWRNORM;

	(void)file;
	if (terminal_readable(terminal_console()))
		ready |= LINUX_POLLIN | LINUX_POLLRDNORM;
	return ready;
}

static struct wait_queue *file_changes(struct open_file *file)
{
	(void)file;
	return &terminal_console()->changed;
}

static const struct file_operations terminal_operations = {
	.read = file_read,
	.write = file_write,
	.control = file_control,
	.attributes = file_attributes,
	.ready = file_ready,
	.changes = file_changes,
};

int64_t terminal_open(struct thread *thread, uint32_t flags, handle_t node, struct open_file **file)
{
	struct terminal *terminal = terminal_console();

	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&terminal->lock);
	bool own = terminal->session != 0 && terminal->session == thread->process->session;
	pthread_mutex_unlock(&terminal->lock);
	pthread_mutex_unlock(&process_lock);
	if (!own) {
		if (node != HANDLE_NONE)
			server_close(node);
		return -LINUX_ENXIO;
	}
	*file = open_file_create(sizeof(**file), &terminal_operations, flags, node);
	return *file ? 0 : -LINUX_ENOMEM;
}

int64_t terminal_open_console(struct thread *thread, struct open_file **file)
{
	struct path *path = malloc(sizeof(*path));
	int64_t error = path ? path_set(thread, "/dev/console", path) : -LINUX_ENOMEM;

	if (!error)
		error = file_open_path(thread, path, LINUX_O_RDWR, 0, file);
	if (path)
		path_release(path);
	free(path);
	return error == -LINUX_ENOENT ? terminal_open(thread, LINUX_O_RDWR, HANDLE_NONE, file) : error;
}
