// SPDX-License-Identifier: MIT
//
// The devices that need nothing but the personality, and the table of all.

#include <linux/files/device.h>

#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/process/process.h>
#include <linux/terminal/terminal_file.h>

#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <string.h>

#define RANDOM_CHUNK 256 // random_get gives no more at a time
#define ZERO_CHUNK   ((size_t)16 * 1024)

static int64_t null_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	(void)thread;
	(void)file;
	(void)to;
	(void)offset;
	return 0;
}

// Takes everything.
static int64_t null_write(struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	(void)thread;
	(void)file;
	(void)offset;
	return (int64_t)from.length;
}

static int64_t full_write(struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	(void)thread;
	(void)file;
	(void)from;
	(void)offset;
	return -LINUX_ENOSPC;
}

// How much of a span of `length` bytes comes next, in pieces of at most `most`; 0: none, as the thread has to end.
static size_t next_piece(struct thread *thread, uint64_t length, uint64_t done, size_t most)
{
	if (thread_ends(thread))
		return 0;
	return length - done < most ? length - done : most;
}

static int64_t zero_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	static const char zeros[ZERO_CHUNK];
	uint64_t done = 0;
	size_t size;

	(void)file;
	(void)offset;
	while ((size = next_piece(thread, to.length, done, sizeof(zeros))) > 0) {
		if (span_write(span_rest(to, done), zeros, size))
			return done ? (int64_t)done : -LINUX_EFAULT;
		done += size;
	}
	return (int64_t)done;
}

int64_t device_random(struct thread *thread, struct span to)
{
	char chunk[RANDOM_CHUNK];
	uint64_t done = 0;
	size_t size;

	while ((size = next_piece(thread, to.length, done, sizeof(chunk))) > 0) {
		if (random_get(chunk, size) != ERR_OK)
			return -LINUX_EIO;
		if (span_write(span_rest(to, done), chunk, size))
			return done ? (int64_t)done : -LINUX_EFAULT;
		done += size;
	}
	return (int64_t)done;
}

static int64_t random_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	(void)file;
	(void)offset;
	return device_random(thread, to);
}

static const struct file_operations null_operations = {.read = null_read, .write = null_write};
static const struct file_operations zero_operations = {.read = zero_read, .write = null_write};
static const struct file_operations full_operations = {.read = zero_read, .write = full_write};
static const struct file_operations random_operations = {.read = random_read, .write = null_write};

struct device {
	const char *path;
	uint32_t major, minor;
	uint32_t mode;
	// What opens it; NULL: nothing but an open file with these operations.
	int64_t (*open)(struct thread *thread, uint32_t flags, handle_t node, struct open_file **file);
	const struct file_operations *operations;
};

static const struct device devices[] = {
	{"dev/null", 1, 3, 0666, NULL, &null_operations},
	{"dev/zero", 1, 5, 0666, NULL, &zero_operations},
	{"dev/full", 1, 7, 0666, NULL, &full_operations},
	{"dev/random", 1, 8, 0666, NULL, &random_operations},
	{"dev/urandom", 1, 9, 0666, NULL, &random_operations},
	{"dev/tty", 5, 0, 0666, terminal_open, NULL},
	{"dev/console", 5, 1, 0600, terminal_open, NULL},
};
#define DEVICE_COUNT (sizeof(devices) / sizeof(devices[0]))

int64_t device_open(
	struct thread *thread, uint64_t number, uint32_t flags, handle_t node, struct open_file **file)
{
	for (size_t index = 0; index < DEVICE_COUNT; index++) {
		const struct device *device = &devices[index];

		if (linux_device(device->major, device->minor) != number)
			continue;
		if (device->open)
			return device->open(thread, flags, node, file);
		*file = open_file_create(sizeof(**file), device->operations, flags, node);
		return *file ? 0 : -LINUX_ENOMEM;
	}
	server_close(node);
	return -LINUX_ENXIO;
}

void device_make_nodes(handle_t root)
{
	static const struct {
		const char *path, *target;
	} links[] = {
		{"dev/fd", "/proc/self/fd"},
		{"dev/stdin", "/proc/self/fd/0"},
		{"dev/stdout", "/proc/self/fd/1"},
		{"dev/stderr", "/proc/self/fd/2"},
	};
	int64_t error = 0;

	for (size_t index = 0; index < DEVICE_COUNT; index++) {
		const struct device *device = &devices[index];
		struct server_path path = {root, device->path, strlen(device->path)};
		int64_t made = server_create(&path, FILE_TYPE_CHARACTER | device->mode,
			linux_device(device->major, device->minor));

		if (made != -LINUX_EEXIST && made != 0)
			error = made;
	}
	for (size_t index = 0; index < sizeof(links) / sizeof(links[0]); index++) {
		struct server_path path = {root, links[index].path, strlen(links[index].path)};

		server_create_link(&path, links[index].target, strlen(links[index].target));
	}
	if (error)
		log_print(LOG_WARNING, "nodes of /dev cannot be made: error %ld", (long)-error);
}
