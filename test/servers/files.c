// SPDX-License-Identifier: MIT
//
// The file server: files, directories, links, names, and what hostile clients send.

#include "check.h"
#include <runtime/file.h>
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_WRITE (FILE_OPEN_READ | FILE_OPEN_WRITE)
#define CREATE     (READ_WRITE | FILE_OPEN_CREATE)
#define BIG_SIZE   ((size_t)3 * 1024 * 1024 + 123)
#define ENTRIES    700

static handle_t root;
static struct file_attributes attributes;

static handle_t open_file(const char *path, unsigned flags)
{
	handle_t file = HANDLE_NONE;
	return file_open(root, path, flags, 0644, &file, &attributes) == ERR_OK ? file : HANDLE_NONE;
}

static enum error try_open(const char *path, unsigned flags)
{
	handle_t file;
	enum error error = file_open(root, path, flags, 0644, &file, &attributes);
	if (error == ERR_OK)
		file_close(file);
	return error;
}

static bool holds(handle_t file, uint64_t offset, const void *expected, size_t length)
{
	char *buffer = malloc(length + 1);
	size_t got = length + 1;
	bool same = file_read(file, offset, buffer, &got) == ERR_OK && got == length &&
		memcmp(buffer, expected, length) == 0;
	free(buffer);
	return same;
}

static bool write_all(handle_t file, uint64_t offset, const void *bytes, size_t length)
{
	size_t done = length;
	return file_write(file, offset, bytes, &done) == ERR_OK && done == length;
}

// A request with up to two paths, made by hand.
static enum error request(enum file_label label, const uint64_t *words, size_t count, const char *first,
	const char *second, handle_t capability)
{
	struct message message = {
		.info = MESSAGE_INFO(label, count, capability != HANDLE_NONE) | MESSAGE_BUFFERS};
	memcpy(message.words, words, count * sizeof(uint64_t));
	message_offer(0, first, strlen(first), OFFER_READ);
	message_offer(1, second, strlen(second), OFFER_READ);
	message_buffer()->capabilities[0] = capability;
	return protocol_call(root, &message);
}

static enum error rename_file(const char *old, const char *new, uint64_t flags)
{
	uint64_t words[] = {flags, strlen(old), strlen(new)};
	return request(FILE_RENAME, words, 3, old, new, HANDLE_NONE);
}

static enum error add_name(const char *old, const char *new)
{
	uint64_t words[] = {strlen(old), strlen(new)};
	return request(FILE_ADD_NAME, words, 2, old, new, HANDLE_NONE);
}

static enum error create_link(const char *path, const char *target)
{
	uint64_t words[] = {strlen(path), strlen(target)};
	return request(FILE_CREATE_LINK, words, 2, path, target, HANDLE_NONE);
}

static enum error make_directory(const char *path)
{
	return file_create(root, path, FILE_TYPE_DIRECTORY | 0755);
}

static enum error set_size(handle_t file, uint64_t size)
{
	struct message message = {.info = MESSAGE_INFO(FILE_SET_ATTRIBUTES, 9, 0)};
	message.words[2] = FILE_SET_SIZE;
	message.words[6] = size;
	return protocol_call(file, &message);
}

static void test_content(void)
{
	handle_t file = open_file("/tmp/content", CREATE | FILE_OPEN_EXCLUSIVE);
	static const char zeros[10000];
	uint64_t end;
	check(file != HANDLE_NONE, "a file is created");
	check_error(try_open("/tmp/content", CREATE | FILE_OPEN_EXCLUSIVE), ERR_EXISTS, "exclusive creation");
	check(write_all(file, 0, "hello world", 11) && holds(file, 0, "hello world", 11), "bytes come back");
	check(write_all(file, 6, "there", 5) && holds(file, 0, "hello there", 11), "bytes are replaced");
	check(write_all(file, FILE_OFFSET_END, "!", 1) && holds(file, 0, "hello there!", 12), "append");
	check(holds(file, 12, "", 0) && holds(file, 1000000, "", 0), "nothing is read beyond the end");
	check(write_all(file, 10012, "end", 3) && holds(file, 12, zeros, sizeof(zeros)) == false &&
			holds(file, 10012, "end", 3),
		"bytes behind a hole");
	file_get_attributes(file, "", 0, &attributes);
	end = attributes.size;
	check(end == 10015 && attributes.allocated <= 2 * PAGE_SIZE, "a hole takes no room");
	check(set_size(file, 5) == ERR_OK && holds(file, 0, "hello", 5), "a file is cut off");
	check(set_size(file, 20) == ERR_OK && holds(file, 5, zeros, 15), "a file grows with zeros");
	check_error(set_size(file, UINT64_MAX), ERR_FILE_TOO_LARGE, "a size that is too large");
	size_t length = 1;
	check_error(file_write(file, UINT64_MAX - 1, "x", &length), ERR_FILE_TOO_LARGE,
		"an offset that is too large");
	check(open_file("/tmp/content", READ_WRITE | FILE_OPEN_TRUNCATE) != HANDLE_NONE &&
			holds(file, 0, "", 0),
		"opening truncates");
	file_close(file);
}

static void test_big_file(void)
{
	unsigned char *bytes = malloc(BIG_SIZE);
	handle_t file = open_file("/tmp/big", CREATE);
	for (size_t i = 0; i < BIG_SIZE; i++)
		bytes[i] = (unsigned char)(i * 31 + i / 253);
	check(write_all(file, 0, bytes, BIG_SIZE) && holds(file, 0, bytes, BIG_SIZE), "3 MiB in one piece");
	check(holds(file, 4095, bytes + 4095, BIG_SIZE - 4095), "3 MiB from an odd offset");
	check(write_all(file, 8190, "straddle", 8), "a write across a page");
	memcpy(bytes + 8190, "straddle", 8);
	check(holds(file, 0, bytes, BIG_SIZE), "a write across a page changes just its bytes");
	file_close(file);
	check_error(file_remove(root, "/tmp/big", 0), ERR_OK, "a big file is removed");
	free(bytes);
}

static void test_archive_file(void)
{
	char before[256] = "";
	size_t length = sizeof(before);
	handle_t file = open_file("/etc/motd", READ_WRITE);
	check(file != HANDLE_NONE && file_read(file, 0, before, &length) == ERR_OK && length > 4,
		"a file of the boot archive");
	check(write_all(file, 0, "TERN", 4), "a file of the boot archive can be written");
	memcpy(before, "TERN", 4);
	check(holds(file, 0, before, length), "a file of the boot archive keeps its other bytes");
	file_close(file);
}

static void test_access(void)
{
	size_t length = 4;
	char buffer[4];
	handle_t reader = open_file("/etc/passwd", FILE_OPEN_READ);
	handle_t writer = open_file("/tmp/writer", FILE_OPEN_WRITE | FILE_OPEN_CREATE);
	handle_t directory = open_file("/etc", FILE_OPEN_READ | FILE_OPEN_DIRECTORY);
	check_error(file_write(reader, 0, "x", &(size_t){1}), ERR_NO_RIGHTS, "a reader does not write");
	check_error(set_size(reader, 0), ERR_NO_RIGHTS, "a reader does not cut off");
	check_error(file_read(writer, 0, buffer, &length), ERR_NO_RIGHTS, "a writer does not read");
	length = 4;
	check_error(file_read(directory, 0, buffer, &length), ERR_IS_DIRECTORY, "a directory is not read");
	check_error(
		try_open("/etc", FILE_OPEN_WRITE), ERR_IS_DIRECTORY, "a directory is not opened for writing");
	check_error(
		try_open("/etc/passwd", FILE_OPEN_DIRECTORY), ERR_NOT_DIRECTORY, "a file is no directory");
	check_error(try_open("/etc/passwd/x", FILE_OPEN_READ), ERR_NOT_DIRECTORY,
		"a file on the way is no directory");
	check_error(try_open("/etc/passwd/", FILE_OPEN_READ), ERR_NOT_DIRECTORY,
		"a file with a slash is no directory");
	check_error(try_open("/nosuch", FILE_OPEN_READ), ERR_NOT_FOUND, "a file that is not there");
	file_close(reader);
	length = 4;
	check_error(file_read(reader, 0, buffer, &length), ERR_BAD_HANDLE, "a closed handle");
	file_close(writer);
	file_close(directory);
}

static void test_links(void)
{
	char deep[FILE_PATH_MAX];
	check_error(create_link("/tmp/link", "content"), ERR_OK, "a symbolic link");
	check_error(create_link("/tmp/link", "other"), ERR_EXISTS, "a symbolic link where one is");
	check(file_get_attributes(root, "/tmp/link", 0, &attributes) == ERR_OK &&
			(attributes.mode & FILE_TYPE_MASK) == FILE_TYPE_REGULAR,
		"a symbolic link is followed");
	check(file_get_attributes(root, "/tmp/link", FILE_NO_FOLLOW, &attributes) == ERR_OK &&
			(attributes.mode & FILE_TYPE_MASK) == FILE_TYPE_LINK && attributes.size == 7,
		"a symbolic link is itself looked at");
	create_link("/tmp/up", "../../../etc");
	check_error(try_open("/tmp/up/passwd", FILE_OPEN_READ), ERR_OK, "above the root is the root");
	create_link("/tmp/loop", "/tmp/loop");
	check_error(try_open("/tmp/loop", FILE_OPEN_READ), ERR_LOOP, "a loop of symbolic links");
	create_link("/tmp/dangling", "made");
	check_error(
		try_open("/tmp/dangling", FILE_OPEN_READ), ERR_NOT_FOUND, "a dangling link is not opened");
	check_error(try_open("/tmp/dangling", CREATE), ERR_OK, "a file is created through a dangling link");
	check_error(
		try_open("/tmp/made", FILE_OPEN_READ), ERR_OK, "a file is created where the link points to");
	create_link("/tmp/slash", "/");
	check_error(try_open("/tmp/slash", FILE_OPEN_DIRECTORY), ERR_OK, "a link to the root");
	memset(deep, 'x', 300);
	deep[300] = '\0';
	check_error(try_open(deep, FILE_OPEN_READ), ERR_NAME_TOO_LONG, "a long name");
	check_error(add_name("/tmp/content", "/tmp/second"), ERR_OK, "a second name");
	check(file_get_attributes(root, "/tmp/second", 0, &attributes) == ERR_OK && attributes.links == 2,
		"a second name is counted");
	check_error(add_name("/tmp", "/etc/tmp"), ERR_IS_DIRECTORY, "no second name for directories");
}

static void test_names(void)
{
	check_error(make_directory("/tmp/a"), ERR_OK, "a directory");
	check_error(make_directory("/tmp/a"), ERR_EXISTS, "a directory where one is");
	check_error(make_directory("/tmp/x/y"), ERR_NOT_FOUND, "a directory in none");
	check_error(make_directory("/tmp/a/b/"), ERR_OK, "a directory within a directory");
	check_error(file_remove(root, "/tmp/a", FILE_REMOVE_DIRECTORY), ERR_NOT_EMPTY,
		"a full directory is not removed");
	check_error(file_remove(root, "/tmp/a", 0), ERR_IS_DIRECTORY, "a directory is not removed as a file");
	check_error(file_remove(root, "/tmp/content", FILE_REMOVE_DIRECTORY), ERR_NOT_DIRECTORY,
		"a file is not removed as a directory");
	check_error(file_remove(root, "/", FILE_REMOVE_DIRECTORY), ERR_BUSY, "the root is not removed");
	check_error(rename_file("/tmp/a", "/tmp/a/b/c", 0), ERR_INVALID_ARGUMENT,
		"no directory is moved into itself");
	check_error(
		rename_file("/tmp/a", "/tmp/content", 0), ERR_NOT_DIRECTORY, "no directory replaces a file");
	check_error(
		rename_file("/tmp/content", "/tmp/a", 0), ERR_IS_DIRECTORY, "no file replaces a directory");
	check_error(rename_file("/tmp/content", "/tmp/second", FILE_RENAME_NO_REPLACE), ERR_EXISTS,
		"renaming without replacing");
	check_error(rename_file("/tmp/a/b", "/tmp/moved", 0), ERR_OK, "a directory is moved");
	check_error(try_open("/tmp/moved/../content", FILE_OPEN_READ), ERR_OK,
		"a moved directory has its new parent");
	check_error(try_open("/tmp/a/b", 0), ERR_NOT_FOUND, "a moved directory has left its old place");
	check_error(
		file_remove(root, "/tmp/a", FILE_REMOVE_DIRECTORY), ERR_OK, "an empty directory is removed");
	handle_t file = open_file("/tmp/made", READ_WRITE);
	check_error(file_remove(root, "/tmp/made", 0), ERR_OK, "an open file loses its name");
	check(write_all(file, 0, "still", 5) && holds(file, 0, "still", 5),
		"an open file without a name works on");
	file_close(file);
	handle_t directory = open_file("/tmp/moved", 0), made;
	file_remove(root, "/tmp/moved", FILE_REMOVE_DIRECTORY);
	check_error(file_open(directory, "new", CREATE, 0644, &made, &attributes), ERR_NOT_FOUND,
		"nothing is made in a removed directory");
	file_close(directory);
}

// Reads a directory through a small buffer; every name has its number, and each must come once.
static bool read_all_entries(handle_t directory)
{
	static bool seen[ENTRIES];
	uint64_t buffer[40], cursor = 0, total = 0;
	for (;;) {
		struct message message = {
			.info = MESSAGE_INFO(FILE_READ_DIRECTORY, 2, 0) | MESSAGE_BUFFERS,
			.words = {cursor, sizeof(buffer)},
		};
		message_offer(0, buffer, sizeof(buffer), OFFER_WRITE);
		if (protocol_call(directory, &message) != ERR_OK)
			return false;
		if (message.words[0] == 0)
			return total == ENTRIES;
		for (size_t at = 0; at < message.words[0];) {
			const struct file_entry *entry = (const struct file_entry *)((char *)buffer + at);
			unsigned number = (unsigned)atoi(entry->name + 1);
			if (number >= ENTRIES || seen[number])
				return false;
			seen[number] = true;
			total++;
			cursor = entry->cursor;
			at += entry->length;
		}
	}
}

static void test_directory(void)
{
	char path[32];
	bool made = make_directory("/tmp/many") == ERR_OK;
	for (unsigned i = 0; i < ENTRIES; i++) {
		snprintf(path, sizeof(path), "/tmp/many/e%u", i);
		made = made && try_open(path, CREATE) == ERR_OK;
	}
	check(made, "700 files are made in a directory");
	check(read_all_entries(open_file("/tmp/many", FILE_OPEN_READ)), "each of 700 files is listed once");
	for (unsigned i = 0; i < ENTRIES; i++) {
		snprintf(path, sizeof(path), "/tmp/many/e%u", i);
		made = made && file_remove(root, path, 0) == ERR_OK;
	}
	check(made && file_remove(root, "/tmp/many", FILE_REMOVE_DIRECTORY) == ERR_OK,
		"700 files are removed");
}

static void test_memory(void)
{
	handle_t file = open_file("/tmp/memory", CREATE), memory;
	uint64_t size;
	char buffer[16] = "";
	check_error(
		file_get_memory(file, &memory, &size), ERR_INVALID_ARGUMENT, "an empty file is no memory");
	write_all(file, 0, "first", 5);
	check(file_get_memory(file, &memory, &size) == ERR_OK && size == 5, "a file as memory");
	write_all(file, 0, "other", 5);
	check(memory_read(memory, 0, buffer, sizeof(buffer)) == ERR_OK && memcmp(buffer, "first\0\0", 7) == 0,
		"later writes do not change a file's memory");
	check_error(memory_write(memory, 0, "x", 1), ERR_NO_RIGHTS, "a file's memory cannot be written");
	file_close(file);
}

static void test_hostile(void)
{
	uint64_t words[8] = {0};
	struct message message = {.info = MESSAGE_INFO(0x7777, 0, 0)};
	check_error(protocol_call(root, &message), ERR_INVALID_ARGUMENT, "an unknown request");
	message = (struct message){.info = MESSAGE_INFO(FILE_OPEN, 0, 0)};
	check_error(protocol_call(root, &message), ERR_INVALID_ARGUMENT, "a request without words");
	message = (struct message){.info = MESSAGE_INFO(FILE_OPEN, 3, 0), .words = {0, 0, 10}};
	check_error(protocol_call(root, &message), ERR_INVALID_ARGUMENT, "a path that is not offered");
	words[2] = 100;
	check_error(request(FILE_OPEN, words, 3, "/etc", "", HANDLE_NONE), ERR_INVALID_ARGUMENT,
		"an offer that is too short");
	words[2] = UINT64_MAX;
	check_error(request(FILE_OPEN, words, 3, "/etc", "", HANDLE_NONE), ERR_NAME_TOO_LONG,
		"a path of huge length");
	words[0] = UINT64_MAX;
	words[2] = 4;
	check_error(request(FILE_OPEN, words, 3, "/etc", "", HANDLE_NONE), ERR_INVALID_ARGUMENT,
		"unknown flags are refused");
	message = (struct message){
		.info = MESSAGE_INFO(FILE_OPEN, 3, 0) | MESSAGE_BUFFERS, .words = {0, 0, PAGE_SIZE}};
	message_offer(0, (void *)0x1000, PAGE_SIZE, OFFER_READ);
	check_error(protocol_call(root, &message), ERR_PEER_FAULT, "a path that is not mapped");
	uint64_t rename[] = {0, 4, 8};
	check_error(request(FILE_RENAME, rename, 3, "/etc", "/tmp/etc", start_handle(START_LOG)),
		ERR_CROSS_DEVICE, "a capability of something else as directory");
	handle_t file = open_file("/tmp/partial", CREATE);
	message = (struct message){
		.info = MESSAGE_INFO(FILE_WRITE, 2, 0) | MESSAGE_BUFFERS, .words = {0, 5000}};
	message_offer(0, (void *)0x1000, 5000, OFFER_READ);
	check_error(protocol_call(file, &message), ERR_PEER_FAULT, "a write from unmapped memory");
	check(holds(file, 0, "", 0), "a write from unmapped memory leaves nothing");
	file_close(file);
}

int main(void)
{
	root = start_handle(START_ROOT);
	test_content();
	test_big_file();
	test_archive_file();
	test_access();
	test_links();
	test_names();
	test_directory();
	test_memory();
	test_hostile();
	return check_end();
}
