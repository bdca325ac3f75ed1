// SPDX-License-Identifier: MIT
//
// Loading programs: scripts give way to their interpreters, ELF files are loaded.

#include <linux/loader/program.h>

#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/interface/errors.h>
#include <linux/loader/elf.h>
#include <linux/loader/script.h>
#include <linux/loader/stack.h>
#include <linux/memory/memory.h>
#include <linux/process/native.h>

#include <stdlib.h>
#include <string.h>

#define INTERPRETERS_MAX 4 // scripts whose interpreter is a script whose interpreter ...

// Opens a program and reads its start; how many bytes, or a negated error.
static int64_t open_program(
	struct thread *thread, struct path *path, char start[SCRIPT_LINE_MAX], struct open_file **file)
{
	struct file_attributes attributes;
	int64_t result = file_open_path(thread, path, LINUX_O_RDONLY, 0, file);

	if (result)
		return result;
	result = open_file_attributes(*file, &attributes);
	if (!result && ((attributes.mode & FILE_TYPE_MASK) != FILE_TYPE_REGULAR || !(attributes.mode & 0111)))
		result = -LINUX_EACCES;
	if (!result)
		result = open_file_read_at(thread, *file, span_own(start, SCRIPT_LINE_MAX), 0);
	if (result < 0)
		open_file_release(*file);
	return result;
}

static void set_name(struct program *program, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strnlen(name, sizeof(program->name) - 1);

	memcpy(program->name, name, length);
	program->name[length] = 0;
}

// Where brk starts, somewhere above the image.
static int64_t choose_heap(struct guest_memory *memory, guest_address_t image_end)
{
	int64_t chosen = guest_memory_choose(memory, image_end, PAGE_SIZE);

	if (chosen < 0)
		return chosen;
	memory->break_start = memory->break_end = (guest_address_t)chosen;
	return 0;
}

static int64_t load_image(struct thread *thread, struct open_file *file, const struct elf_header *header,
	const char *canonical, const struct arguments *arguments, struct program *program)
{
	struct elf_image image = {0};
	int64_t error = native_start(thread, file, program->name, arguments, &program->native);

	if (error)
		return error;
	program->memory = guest_memory_create(canonical);
	if (!program->memory)
		error = -LINUX_ENOMEM;
	if (!error && !program->native)
		error = elf_load(thread, file, header, program->memory, &image);
	if (!error && !program->native)
		error = stack_build(
			program->memory, &image, arguments, &thread->process->credentials, &program->stack);
	if (!error && !program->native)
		error = choose_heap(program->memory, image.end);
	if (error) {
		program_discard(program);
		return error;
	}
	program->entry = image.entry;
	return 0;
}

void program_discard(struct program *program)
{
	native_end(program->native);
	if (program->memory)
		guest_memory_release(program->memory);
}

// Loads an ELF file, or makes path and arguments those of the interpreter of a script: then *again is set.
static int64_t load_once(struct thread *thread, struct path *path, char *canonical,
	struct arguments *arguments, struct program *program, bool *again)
{
	char start[SCRIPT_LINE_MAX];
	struct open_file *file;
	int64_t length = open_program(thread, path, start, &file);
	int64_t error = length < 0 ? length : path_canonical(thread, path, true, canonical);

	*again = false;
	if (length < 0)
		return error;
	if (!error && script_recognise(start, (size_t)length)) {
		*again = true;
		error = script_redirect(thread, start, (size_t)length, path, arguments);
	} else if (!error && elf_recognise(start, (size_t)length)) {
		struct elf_header header;

		memcpy(&header, start, sizeof(header));
		error = load_image(thread, file, &header, canonical, arguments, program);
	} else if (!error) {
		error = -LINUX_ENOEXEC;
	}
	open_file_release(file);
	return error;
}

int64_t program_load(
	struct thread *thread, struct path *path, struct arguments *arguments, struct program *program)
{
	char *canonical = malloc(LINUX_PATH_MAX);
	int64_t error = canonical ? 0 : -LINUX_ENOMEM;
	bool again = true;

	*program = (struct program){0};
	set_name(program, path->text);
	for (unsigned depth = 0; !error && again; depth++)
		error = depth <= INTERPRETERS_MAX
			? load_once(thread, path, canonical, arguments, program, &again)
			: -LINUX_ELOOP;
	free(canonical);
	return error;
}
