// SPDX-License-Identifier: MIT
//
// Starting native programs: what they get, and images that lie.

#include "check.h"
#include <elf.h>
#include <protocol/error.h>
#include <runtime/elf.h>
#include <runtime/file.h>
#include <runtime/spawn.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <stdlib.h>
#include <string.h>

#define DAMAGES 300

static char *image;
static size_t length;

static bool load(const char *path)
{
	handle_t file;
	struct file_attributes attributes;
	if (file_open(start_handle(START_ROOT), path, FILE_OPEN_READ, 0, &file, &attributes) != ERR_OK)
		return false;
	length = attributes.size;
	image = malloc(length);
	return image != NULL && file_read(file, 0, image, &length) == ERR_OK && length == attributes.size;
}

static enum error spawn(const char *argument, handle_t *process)
{
	const char *arguments[] = {"hello", argument, NULL};
	struct spawn_handle handles[] = {{START_CONSOLE, start_handle(START_CONSOLE), RIGHTS_SAME}};
	struct spawn_request request = {
		.name = "child",
		.account = start_handle(START_ACCOUNT),
		.image = image,
		.image_length = length,
		.arguments = arguments,
		.handles = handles,
		.handle_count = 1,
	};
	return process_spawn(&request, process);
}

static struct process_info wait_for(handle_t process)
{
	struct process_info info = {0};
	handle_t notification;
	uint64_t bits, now;
	clock_get(&now);
	notification_create(&notification);
	process_watch(process, notification, 1);
	notification_wait(notification, now + 20000000000, &bits);
	process_info(process, &info);
	handle_close(notification);
	return info;
}

static void test_good(void)
{
	handle_t process;
	check(elf_is_native(image, length), "a native program is known by its note");
	check_error(spawn("42", &process), ERR_OK, "a program is started");
	struct process_info info = wait_for(process);
	check(info.state == PROCESS_EXITED && info.reason == EXIT_NORMAL && info.exit_status == 42,
		"a program gets its argument, and its status comes back");
	handle_close(process);
}

static void expect_refused(size_t offset, const void *bytes, size_t size, const char *name)
{
	char saved[16];
	handle_t process;
	memcpy(saved, image + offset, size);
	memcpy(image + offset, bytes, size);
	check_error(spawn("0", &process), ERR_NOT_EXECUTABLE, name);
	memcpy(image + offset, saved, size);
}

static void test_lies(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	size_t segment = header->e_phoff, whole = length;
	uint64_t huge = UINT64_MAX - 100, zero = 0;
	uint16_t many = 60000, wrong = 0xffff, fixed = ET_EXEC;
	uint32_t all = PF_R | PF_W | PF_X;
	handle_t process;
	while (((const Elf64_Phdr *)(image + segment))->p_type != PT_LOAD)
		segment += sizeof(Elf64_Phdr);
	expect_refused(0, "\177ELV", 4, "another magic number");
	expect_refused(offsetof(Elf64_Ehdr, e_machine), &wrong, 2, "another machine");
	expect_refused(offsetof(Elf64_Ehdr, e_phoff), &huge, 8, "headers beyond the file");
	expect_refused(offsetof(Elf64_Ehdr, e_phnum), &many, 2, "too many headers");
	expect_refused(offsetof(Elf64_Ehdr, e_entry), &zero, 8, "no entry point");
	expect_refused(segment + offsetof(Elf64_Phdr, p_offset), &huge, 8, "a segment beyond the file");
	expect_refused(segment + offsetof(Elf64_Phdr, p_filesz), &huge, 8, "a segment longer than the file");
	expect_refused(
		segment + offsetof(Elf64_Phdr, p_memsz), &huge, 8, "a segment around the address space");
	expect_refused(segment + offsetof(Elf64_Phdr, p_vaddr), &huge, 8, "a segment at its end");
	expect_refused(segment + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_vaddr), &zero, 8,
		"a segment in the place of another");
	expect_refused(offsetof(Elf64_Ehdr, e_type), &fixed, 2,
		"a program that is at address 0 and cannot be moved");
	expect_refused(segment + offsetof(Elf64_Phdr, p_flags), &all, 4, "writable code");
	length = 40;
	check_error(spawn("0", &process), ERR_NOT_EXECUTABLE, "a file that was cut off");
	length = whole;
}

// Whatever is in the headers, the loader refuses it, or starts something that can be ended.
static void test_damage(void)
{
	static char saved[1024];
	unsigned started = 0;
	memcpy(saved, image, sizeof(saved));
	srand(1);
	for (unsigned i = 0; i < DAMAGES; i++) {
		handle_t process;
		image[rand() % 512] = (char)rand();
		image[rand() % 512] = (char)(1 << rand() % 8);
		if (spawn("0", &process) == ERR_OK) {
			started++;
			process_kill(process, 0);
			handle_close(process);
		}
		memcpy(image, saved, sizeof(saved));
	}
	handle_t process;
	check(started < DAMAGES && spawn("7", &process) == ERR_OK && wait_for(process).exit_status == 7,
		"after 300 damaged images a good one runs");
}

int main(void)
{
	check(load("/tern/bin/hello"), "the image of a program is read");
	test_good();
	test_lies();
	test_damage();
	return check_end();
}
