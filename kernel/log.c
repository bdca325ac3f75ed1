// SPDX-License-Identifier: MIT
//
// The kernel log: a ring of text. It goes to the early console as well, until somebody watches the log and
// shows it himself.

#include <arch/cpu.h>
#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/command_line.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/ipc.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/string.h>
#include <kernel/symbol.h>
#include <kernel/syscall.h>

#define RING_SIZE      ((size_t)64 * 1024)
#define LINE_SIZE      256
#define USER_TEXT_MAX  1024
#define USER_LINE_SIZE 160

static struct spinlock lock = SPINLOCK_INITIALIZER(RANK_LOG);
static char ring[RING_SIZE];
static uint64_t end;                 // bytes ever written
static struct notification *watcher; // counted; NULL: the kernel shows the log itself
static uint64_t watcher_bits;
static _Atomic uint64_t watcher_process; // id of the process that watches; 0: none
static atomic_bool watcher_due;
static bool emergency; // a panic: no lock, no ring

// The watcher is signalled by trap_exit, which holds no lock.
static void set_due(void)
{
	atomic_store(&watcher_due, true);
	cpu_set_work(cpu_self());
}

// tern.log= on the command line says which is the last level that is wanted.
static bool is_wanted(enum log_level level)
{
	static const char *const names[] = {
		[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

	for (int last = LOG_ERROR; last <= LOG_DEBUG; last++)
		if (command_line_is("tern.log", names[last]))
			return (int)level <= last;
	return level <= LOG_INFO;
}

static size_t format_line(char *line, enum log_level level, const char *format, va_list arguments)
{
	static const char *const marks[] = {
		[LOG_ERROR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_INFO] = "", [LOG_DEBUG] = ""};
	uint64_t microseconds = arch_time_now() / 1000;
	size_t length, room;

	length = format_into(line, LINE_SIZE, "[%5lu.%06lu] %s", (unsigned long)(microseconds / 1000000),
		(unsigned long)(microseconds % 1000000), emergency ? "" : marks[level]);
	room = LINE_SIZE - 1 - length;
	length += format_text(line + length, room, format, arguments);
	if (length > LINE_SIZE - 2)
		length = LINE_SIZE - 2;
	// Texts and names are users': without what could take a terminal over.
	for (size_t i = 0; i < length; i++)
		if ((uint8_t)line[i] < ' ' || line[i] == 0x7f)
			line[i] = line[i] == '\t' ? ' ' : '?';
	line[length++] = '\n';
	return length;
}

static void append(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[(end + i) % RING_SIZE] = text[i];
	end += length;
}

static void show(const char *text, size_t length)
{
	if (early_console)
		early_console->write(text, length);
}

void log_print(enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	size_t length;

	if (!is_wanted(level))
		return;
	va_start(arguments, format);
	length = format_line(line, level, format, arguments);
	va_end(arguments);
	if (emergency) {
		show(line, length);
		return;
	}
	spin_lock(&lock);
	append(line, length);
	if (watcher)
		set_due();
	else
		show(line, length);
	spin_unlock(&lock);
}

void log_emergency(void)
{
	emergency = true;
}

void log_address(enum log_level level, uintptr_t address, bool is_return)
{
	size_t offset;
	// A return address may be that of the next function where the call was its function's last instruction.
	const char *name = symbol_find(address - is_return, &offset);

	if (name)
		log_print(level, "  %p %s+%#zx", (void *)address, name, offset + is_return);
	else
		log_print(level, "  %p", (void *)address);
}

// --- Watching

bool log_watcher_due(void)
{
	return atomic_load_explicit(&watcher_due, memory_order_relaxed);
}

void log_signal_watcher(void)
{
	struct notification *notification;
	uint64_t bits;

	ASSERT_NO_LOCKS_HELD();
	if (!atomic_exchange(&watcher_due, false))
		return;
	spin_lock(&lock);
	notification = watcher;
	bits = watcher_bits;
	if (notification)
		object_get(&notification->object);
	spin_unlock(&lock);
	if (notification) {
		notification_signal(notification, bits);
		object_put(&notification->object);
	}
}

bool log_is_watched_by(const struct process *process)
{
	return process && atomic_load_explicit(&watcher_process, memory_order_relaxed) == process->object.id;
}

static void set_watcher(struct notification *notification, uint64_t bits)
{
	struct notification *previous;

	spin_lock(&lock);
	previous = watcher;
	watcher = notification;
	watcher_bits = bits;
	atomic_store(&watcher_process, notification ? thread_current()->process->object.id : 0);
	spin_unlock(&lock);
	// What is in the ring already is news to it.
	if (notification)
		set_due();
	if (previous)
		object_put(&previous->object);
}

struct syscall_result sys_log_watch(handle_t log, handle_t notification, uint64_t bits)
{
	struct capability capability;
	struct resource *resource;
	enum error error = resource_lookup(log, RESOURCE_LOG, RIGHT_CONTROL, 0, 1, &resource);

	if (error)
		return SYSCALL_ERROR(error);
	if (notification == HANDLE_NONE) {
		set_watcher(NULL, 0);
		return SYSCALL_OK;
	}
	error = capability_lookup(notification, OBJECT_NOTIFICATION, RIGHT_SEND, &capability);
	if (!error && bits == 0)
		error = ERR_INVALID_ARGUMENT;
	if (!error && !object_try_get(capability.object))
		error = ERR_BAD_HANDLE;
	if (!error)
		set_watcher(container_of(capability.object, struct notification, object), bits);
	return SYSCALL_ERROR(error);
}

// --- Reading and writing by system call

// Copies what is in the ring from a position on; returns its length. `*position` moves up where the ring has
// overtaken it.
static size_t read_ring(uint64_t *position, char *buffer, size_t size)
{
	size_t length = 0;

	spin_lock(&lock);
	if (*position > end)
		*position = end;
	if (end - *position > RING_SIZE)
		*position = end - RING_SIZE;
	while (length < size && *position + length < end) {
		buffer[length] = ring[(*position + length) % RING_SIZE];
		length++;
	}
	spin_unlock(&lock);
	return length;
}

struct syscall_result sys_log_read(
	handle_t log, uint64_t position, char __user *buffer, uint64_t length, uint64_t __user *next)
{
	struct resource *resource;
	enum error error = resource_lookup(log, RESOURCE_LOG, RIGHT_READ, 0, 1, &resource);
	char piece[LINE_SIZE];
	uint64_t copied = 0;

	if (!error && length == 0)
		error = ERR_INVALID_ARGUMENT;
	while (!error && copied < length) {
		size_t room = length - copied < sizeof(piece) ? (size_t)(length - copied) : sizeof(piece);
		size_t count = read_ring(&position, piece, room);

		if (count == 0)
			break;
		error = copy_to_user(buffer + copied, piece, count);
		position += count;
		copied += count;
	}
	if (!error)
		error = copy_to_user(next, &position, sizeof(position));
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(copied);
}

static void log_user_line(enum log_level level, const char *text, size_t length)
{
	log_print(level, "%s: %.*s", thread_current()->process->name, (int)length, text);
}

static void log_user_text(enum log_level level, const char *text, size_t length)
{
	size_t start = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n') {
			log_user_line(level, text + start, i - start);
			start = i + 1;
		} else if (i - start == USER_LINE_SIZE) {
			log_user_line(level, text + start, i - start);
			start = i;
		}
	}
	if (start < length)
		log_user_line(level, text + start, length - start);
}

struct syscall_result sys_log_write(handle_t log, uint32_t level, const char __user *text, uint64_t length)
{
	struct resource *resource;
	enum error error = resource_lookup(log, RESOURCE_LOG, RIGHT_WRITE, 0, 1, &resource);
	char copy[USER_TEXT_MAX];

	if (!error && level > LOG_DEBUG)
		error = ERR_INVALID_ARGUMENT;
	if (!error && length > sizeof(copy))
		error = ERR_TOO_LONG;
	if (!error)
		error = copy_from_user(copy, text, (size_t)length);
	if (!error)
		log_user_text((enum log_level)level, copy, (size_t)length);
	return SYSCALL_ERROR(error);
}
