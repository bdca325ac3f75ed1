// SPDX-License-Identifier: MIT
//
// /proc: its names, and what each stands for.

#include <linux/proc/proc.h>

#include <linux/files/attributes.h>
#include <linux/files/open_file.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/memory/memory.h>
#include <linux/proc/subject.h>
#include <linux/proc/text.h>
#include <linux/process/table.h>

#include <runtime/format.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX        "/proc"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
#define NODES_OF_ID   64 // numbers of nodes for each process

typedef int64_t link_maker(const struct subject *subject, char target[LINUX_PATH_MAX]);

// A name in /proc or in a process's directory.
struct proc_entry {
	const char *name;
	uint32_t mode;
	text_maker *text; // of regular files
	link_maker *link; // of links
};

static int64_t set_target(char target[LINUX_PATH_MAX], const char *text)
{
	size_t length = strlen(text);

	if (length >= LINUX_PATH_MAX)
		return -LINUX_ENAMETOOLONG;
	memcpy(target, text, length + 1);
	return (int64_t)length;
}

static int64_t link_self(const struct subject *subject, char target[LINUX_PATH_MAX])
{
	return (int64_t)format_text(target, LINUX_PATH_MAX, "%d", subject->id);
}

static int64_t link_mounts(const struct subject *subject, char target[LINUX_PATH_MAX])
{
	(void)subject;
	return set_target(target, "self/mounts");
}

static int64_t link_exe(const struct subject *subject, char target[LINUX_PATH_MAX])
{
	return subject->memory ? set_target(target, subject->memory->program) : -LINUX_ENOENT;
}

static int64_t link_cwd(const struct subject *subject, char target[LINUX_PATH_MAX])
{
	if (!subject->view)
		return -LINUX_ENOENT;
	struct open_file *directory = file_view_directory(subject->view);
	int64_t length = set_target(target, directory->path);
	open_file_release(directory);
	return length;
}

static int64_t link_root(const struct subject *subject, char target[LINUX_PATH_MAX])
{
	(void)subject;
	return set_target(target, "/");
}

static const struct proc_entry system_entries[] = {
	{"cpuinfo", FILE_TYPE_REGULAR | 0444, text_cpuinfo, NULL},
	{"filesystems", FILE_TYPE_REGULAR | 0444, text_filesystems, NULL},
	{"loadavg", FILE_TYPE_REGULAR | 0444, text_loadavg, NULL},
	{"meminfo", FILE_TYPE_REGULAR | 0444, text_meminfo, NULL},
	{"mounts", FILE_TYPE_LINK | 0777, NULL, link_mounts},
	{"self", FILE_TYPE_LINK | 0777, NULL, link_self},
	{"stat", FILE_TYPE_REGULAR | 0444, text_stat, NULL},
	{"uptime", FILE_TYPE_REGULAR | 0444, text_uptime, NULL},
	{"version", FILE_TYPE_REGULAR | 0444, text_version, NULL},
};

static const struct proc_entry process_entries[] = {
	{"cmdline", FILE_TYPE_REGULAR | 0444, text_process_cmdline, NULL},
	{"comm", FILE_TYPE_REGULAR | 0444, text_process_comm, NULL},
	{"cwd", FILE_TYPE_LINK | 0777, NULL, link_cwd},
	{"environ", FILE_TYPE_REGULAR | 0400, text_process_environ, NULL},
	{"exe", FILE_TYPE_LINK | 0777, NULL, link_exe},
	{"fd", FILE_TYPE_DIRECTORY | 0500, NULL, NULL},
	{"maps", FILE_TYPE_REGULAR | 0444, text_process_maps, NULL},
	{"mounts", FILE_TYPE_REGULAR | 0444, text_process_mounts, NULL},
	{"root", FILE_TYPE_LINK | 0777, NULL, link_root},
	{"stat", FILE_TYPE_REGULAR | 0444, text_process_stat, NULL},
	{"statm", FILE_TYPE_REGULAR | 0444, text_process_statm, NULL},
	{"status", FILE_TYPE_REGULAR | 0444, text_process_status, NULL},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// What a path in /proc names.
struct location {
	int32_t id;                     // of the process; 0: none
	const struct proc_entry *entry; // NULL: /proc or the process's directory itself
	int32_t descriptor;             // in its fd directory; -1: none
};

bool proc_contains(const char *path)
{
	return strncmp(path, PREFIX, PREFIX_LENGTH) == 0 &&
		(path[PREFIX_LENGTH] == 0 || path[PREFIX_LENGTH] == '/');
}

// The next component; its length is 0 at the end.
static const char *next_component(const char *path, size_t *length)
{
	path += strspn(path, "/");
	*length = strcspn(path, "/");
	return path;
}

// A decimal number without leading zeros; -1: it is none, or one that nothing has.
static int32_t parse_number(const char *text, size_t length)
{
	int32_t value = 0;

	if (length == 0 || length > 6 || (text[0] == '0' && length > 1))
		return -1;
	for (size_t index = 0; index < length; index++) {
		if (text[index] < '0' || text[index] > '9')
			return -1;
		value = value * 10 + (text[index] - '0');
	}
	return value;
}

static const struct proc_entry *find_entry(
	const struct proc_entry *entries, size_t count, const char *name, size_t length)
{
	for (size_t index = 0; index < count; index++) {
		if (strlen(entries[index].name) == length && memcmp(entries[index].name, name, length) == 0)
			return &entries[index];
	}
	return NULL;
}

static bool is_descriptors(const struct location *location)
{
	return location->entry && (location->entry->mode & FILE_TYPE_MASK) == FILE_TYPE_DIRECTORY;
}

static bool descriptor_exists(int32_t id, int32_t descriptor)
{
	struct subject subject;

	if (descriptor < 0 || !subject_take(id, &subject))
		return false;
	bool exists = subject.files && file_table_next(subject.files, descriptor) == descriptor;
	subject_release(&subject);
	return exists;
}

// 0, -LINUX_ENOENT or -LINUX_ENOTDIR.
static int64_t locate(const char *path, struct location *location)
{
	size_t length;
	const char *name = next_component(path + PREFIX_LENGTH, &length);

	*location = (struct location){.descriptor = -1};
	if (length == 0)
		return 0;
	location->id = parse_number(name, length);
	if (location->id > 0) {
		if (!subject_exists(location->id))
			return -LINUX_ENOENT;
		name = next_component(name + length, &length);
		if (length == 0)
			return 0;
		location->entry = find_entry(process_entries, COUNT_OF(process_entries), name, length);
	} else {
		location->id = 0;
		location->entry = find_entry(system_entries, COUNT_OF(system_entries), name, length);
	}
	if (!location->entry)
		return -LINUX_ENOENT;
	name = next_component(name + length, &length);
	if (length == 0)
		return 0;
	if (!is_descriptors(location))
		return -LINUX_ENOTDIR;
	location->descriptor = parse_number(name, length);
	if (!descriptor_exists(location->id, location->descriptor))
		return -LINUX_ENOENT;
	return *next_component(name + length, &length) ? -LINUX_ENOTDIR : 0;
}

// The process that an entry is about: the caller's own where it is about none.
static bool take_subject(struct thread *thread, const struct location *location, struct subject *subject)
{
	return subject_take(location->id != 0 ? location->id : thread->process->id, subject);
}

int64_t proc_follow_link(struct thread *thread, const char *path, char target[LINUX_PATH_MAX])
{
	struct location location;
	struct subject subject;
	int64_t result = locate(path, &location);

	if (result)
		return result;
	if (!location.entry || !location.entry->link)
		return -LINUX_EINVAL;
	if (!take_subject(thread, &location, &subject))
		return -LINUX_ENOENT;
	result = location.entry->link(&subject, target);
	subject_release(&subject);
	return result;
}

// The file behind a process's descriptor; NULL: none.
static struct open_file *take_descriptor(const struct location *location)
{
	struct subject subject;

	if (!subject_take(location->id, &subject))
		return NULL;
	struct open_file *file = subject.files ? file_table_get(subject.files, location->descriptor) : NULL;
	subject_release(&subject);
	return file;
}

static int64_t describe_file(struct open_file *file, char target[LINUX_PATH_MAX])
{
	struct file_attributes attributes;

	if (file->path)
		return set_target(target, file->path);
	int64_t error = open_file_attributes(file, &attributes);
	if (error)
		return error;
	const char *kind = (attributes.mode & FILE_TYPE_MASK) == FILE_TYPE_PIPE ? "pipe" : "file";
	return (int64_t)format_text(target, LINUX_PATH_MAX, "%s:[%lu]", kind, (unsigned long)attributes.node);
}

int64_t proc_read_link(struct thread *thread, const char *path, char target[LINUX_PATH_MAX])
{
	struct location location;
	int64_t result = locate(path, &location);

	if (result)
		return result;
	if (location.descriptor < 0)
		return proc_follow_link(thread, path, target);
	struct open_file *file = take_descriptor(&location);
	if (!file)
		return -LINUX_ENOENT;
	result = describe_file(file, target);
	open_file_release(file);
	return result;
}

static struct file_attributes attributes_of(const struct location *location)
{
	uint32_t mode = FILE_TYPE_DIRECTORY | 0555;
	uint64_t index = 0;

	if (location->descriptor >= 0) {
		mode = FILE_TYPE_LINK | 0700;
		index = NODES_OF_ID - 1;
	} else if (location->entry) {
		const struct proc_entry *entries = location->id != 0 ? process_entries : system_entries;

		mode = location->entry->mode;
		index = 1 + (uint64_t)(location->entry - entries);
	}
	return attributes_make(FILE_SYSTEM_PROC, 1 + (uint64_t)location->id * NODES_OF_ID + index, mode);
}

int64_t proc_attributes(
	struct thread *thread, const char *path, bool follow, struct file_attributes *attributes)
{
	struct location location;
	int64_t error = locate(path, &location);

	(void)thread;
	if (error)
		return error;
	if (location.descriptor >= 0 && follow) {
		struct open_file *file = take_descriptor(&location);

		error = file ? open_file_attributes(file, attributes) : -LINUX_ENOENT;
		if (file)
			open_file_release(file);
		return error;
	}
	*attributes = attributes_of(&location);
	return 0;
}

// An open file or directory of /proc.
struct proc_file {
	struct open_file file;
	struct location location;
	struct text text;
};

static int64_t proc_file_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	const struct text *text = &((struct proc_file *)file)->text;

	(void)thread;
	if (*offset >= text->length)
		return 0;
	size_t length = to.length < text->length - *offset ? to.length : text->length - *offset;
	return span_write(to, text->bytes + *offset, length) ? -LINUX_EFAULT : (int64_t)length;
}

static int64_t proc_file_attributes(struct open_file *file, struct file_attributes *attributes)
{
	*attributes = attributes_of(&((struct proc_file *)file)->location);
	return 0;
}

static void proc_file_release(struct open_file *file)
{
	free(((struct proc_file *)file)->text.bytes);
}

static const struct file_operations text_operations = {
	.seekable = true,
	.read = proc_file_read,
	.attributes = proc_file_attributes,
	.release = proc_file_release,
};

// Positions in a directory: the index of a name; behind the names of /proc that of a process, by id.
struct emission {
	uint64_t position;
	directory_emit *emit;
	void *context;
	bool full;
};

static void emit_name(struct emission *emission, uint64_t index, const char *name, uint32_t mode)
{
	if (index < emission->position || emission->full)
		return;
	emission->full = !emission->emit(emission->context,
		&(struct directory_entry){
			.node = index + 1,
			.next = index + 1,
			.type = mode & FILE_TYPE_MASK,
			.name = name,
			.name_length = strlen(name),
		});
}

static void emit_number(struct emission *emission, uint64_t index, int32_t number, uint32_t mode)
{
	char name[12];

	format_text(name, sizeof(name), "%d", number);
	emit_name(emission, index, name, mode);
}

static void emit_descriptors(struct emission *emission, int32_t id, uint64_t index)
{
	struct subject subject;

	if (!subject_take(id, &subject))
		return;
	if (subject.files) {
		for (int32_t descriptor = file_table_next(subject.files, 0); descriptor >= 0;
			descriptor = file_table_next(subject.files, descriptor + 1))
			emit_number(emission, index + (uint64_t)descriptor, descriptor, FILE_TYPE_LINK);
	}
	subject_release(&subject);
}

static int64_t proc_directory_read(
	struct open_file *file, uint64_t position, directory_emit *emit, void *context)
{
	const struct location *location = &((struct proc_file *)file)->location;
	const struct proc_entry *entries = location->id != 0 ? process_entries : system_entries;
	size_t count = location->id != 0 ? COUNT_OF(process_entries) : COUNT_OF(system_entries);
	struct emission emission = {.position = position, .emit = emit, .context = context};
	uint64_t index = 0;

	emit_name(&emission, index++, ".", FILE_TYPE_DIRECTORY);
	emit_name(&emission, index++, "..", FILE_TYPE_DIRECTORY);
	if (is_descriptors(location)) {
		emit_descriptors(&emission, location->id, index);
		return 0;
	}
	for (size_t entry = 0; entry < count; entry++)
		emit_name(&emission, index++, entries[entry].name, entries[entry].mode);
	for (int32_t id = 1; location->id == 0 && id < ID_LIMIT && !emission.full; id++) {
		if (subject_exists(id))
			emit_number(&emission, index + (uint64_t)id, id, FILE_TYPE_DIRECTORY);
	}
	return 0;
}

static const struct file_operations directory_operations = {
	.read_directory = proc_directory_read,
	.attributes = proc_file_attributes,
};

static int64_t open_directory(
	const char *path, const struct location *location, uint32_t flags, struct open_file **file)
{
	struct proc_file *directory = open_file_create(
		sizeof(*directory), &directory_operations, flags, HANDLE_NONE);

	if (!directory)
		return -LINUX_ENOMEM;
	directory->location = *location;
	directory->file.path = strdup(path);
	if (!directory->file.path) {
		open_file_release(&directory->file);
		return -LINUX_ENOMEM;
	}
	*file = &directory->file;
	return 0;
}

static int64_t open_text(
	struct thread *thread, const struct location *location, uint32_t flags, struct open_file **file)
{
	struct subject subject;

	if ((flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY)
		return -LINUX_EACCES;
	if (!take_subject(thread, location, &subject))
		return -LINUX_ENOENT;
	struct proc_file *created = open_file_create(sizeof(*created), &text_operations, flags, HANDLE_NONE);
	if (created) {
		created->location = *location;
		location->entry->text(&created->text, &subject);
		if (created->text.failed) {
			open_file_release(&created->file);
			created = NULL;
		}
	}
	subject_release(&subject);
	if (!created)
		return -LINUX_ENOMEM;
	*file = &created->file;
	return 0;
}

int64_t proc_open(struct thread *thread, const char *path, uint32_t flags, struct open_file **file)
{
	struct location location;
	int64_t error = locate(path, &location);
	bool directory_wanted = flags & LINUX_O_DIRECTORY;

	if (error)
		return error;
	flags &= ~(uint32_t)LINUX_O_DIRECTORY;
	if (location.descriptor >= 0) {
		*file = take_descriptor(&location);
		return *file ? 0 : -LINUX_ENOENT;
	}
	if (!location.entry || is_descriptors(&location)) {
		bool for_writing = (flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY;

		return for_writing ? -LINUX_EISDIR : open_directory(path, &location, flags, file);
	}
	if (directory_wanted)
		return -LINUX_ENOTDIR;
	return location.entry->text ? open_text(thread, &location, flags, file) : -LINUX_ELOOP;
}
