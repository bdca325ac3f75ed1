// SPDX-License-Identifier: MIT
//
// The calls that tell and change attributes of files, and list directories.

#include <linux/calls/calls.h>
#include <linux/files/attributes.h>
#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/files/table.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>
#include <linux/system/machine.h>
#include <linux/time/clock.h>

#include <stdlib.h>
#include <string.h>

#define STATFS_TMPFS       0x01021994 // what file systems in memory say they are
#define DIRECTORY_READ_MAX ((uint32_t)64 * 1024)
#define KEEP_ID            UINT32_MAX // chown: leave this one

static int64_t attributes_at(struct thread *thread, int32_t directory, guest_address_t address,
	uint32_t flags, struct file_attributes *attributes)
{
	struct path path;

	if (flags &
		~(uint32_t)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH |
			LINUX_AT_STATX_SYNC_TYPE))
		return -LINUX_EINVAL;
	int64_t error = path_take(thread, directory, address, flags, &path);
	if (error)
		return error;
	error = file_path_attributes(thread, &path, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), attributes);
	path_release(&path);
	return error;
}

static int64_t attributes_of(struct thread *thread, int32_t descriptor, struct file_attributes *attributes)
{
	struct open_file *file = file_table_get(thread->files, descriptor);

	if (!file)
		return -LINUX_EBADF;
	int64_t error = open_file_attributes(file, attributes);
	open_file_release(file);
	return error;
}

static int64_t give_stat(
	struct thread *thread, guest_address_t result, const struct file_attributes *attributes)
{
	struct linux_stat stat;

	guest_fill_stat(&stat, attributes);
	return copy_to_guest(thread, result, &stat, sizeof(stat));
}

int64_t linux_fstat(struct thread *thread, int32_t descriptor, guest_address_t result)
{
	struct file_attributes attributes;
	int64_t error = attributes_of(thread, descriptor, &attributes);

	return error ? error : give_stat(thread, result, &attributes);
}

int64_t linux_newfstatat(struct thread *thread, int32_t directory, guest_address_t path,
	guest_address_t result, uint32_t flags)
{
	struct file_attributes attributes;
	int64_t error = attributes_at(thread, directory, path, flags, &attributes);

	return error ? error : give_stat(thread, result, &attributes);
}

static struct linux_statx_time statx_time(uint64_t nanoseconds)
{
	return (struct linux_statx_time){
		.seconds = time_seconds(nanoseconds), .nanoseconds = (uint32_t)time_nanoseconds(nanoseconds)};
}

int64_t linux_statx(struct thread *thread, int32_t directory, guest_address_t path, uint32_t flags,
	uint32_t mask, guest_address_t result)
{
	struct file_attributes attributes;
	int64_t error = attributes_at(thread, directory, path, flags, &attributes);

	(void)mask; // more than what was asked for may be told
	if (error)
		return error;
	struct linux_statx statx = {
		.mask = LINUX_STATX_BASIC_STATS,
		.block_size = ATTRIBUTES_BLOCK_SIZE,
		.links = (uint32_t)attributes.links,
		.user = (uint32_t)attributes.user,
		.group = (uint32_t)attributes.group,
		.mode = (uint16_t)attributes.mode,
		.node = attributes.node,
		.size = attributes.size,
		.blocks = attributes_sectors(&attributes),
		.access_time = statx_time(attributes.access_time),
		.modify_time = statx_time(attributes.modify_time),
		.change_time = statx_time(attributes.change_time),
		.device_major = linux_device_major(attributes.device),
		.device_minor = linux_device_minor(attributes.device),
		.file_system_major = linux_device_major(attributes.file_system),
		.file_system_minor = linux_device_minor(attributes.file_system),
	};
	return copy_to_guest(thread, result, &statx, sizeof(statx));
}

// The server tells no sizes of file systems: theirs is what the machine has.
static int64_t give_statfs(
	struct thread *thread, guest_address_t result, const struct file_attributes *attributes)
{
	struct machine_memory memory = machine_memory();
	struct linux_statfs statfs = {
		.type = STATFS_TMPFS,
		.blocks = memory.total / ATTRIBUTES_BLOCK_SIZE,
		.blocks_free = memory.free / ATTRIBUTES_BLOCK_SIZE,
		.blocks_available = memory.free / ATTRIBUTES_BLOCK_SIZE,
		.block_size = ATTRIBUTES_BLOCK_SIZE,
		.fragment_size = ATTRIBUTES_BLOCK_SIZE,
		.file_system = attributes->file_system,
		.name_length = LINUX_NAME_MAX,
	};

	return copy_to_guest(thread, result, &statfs, sizeof(statfs));
}

int64_t linux_statfs(struct thread *thread, guest_address_t path, guest_address_t result)
{
	struct file_attributes attributes;
	int64_t error = attributes_at(thread, LINUX_AT_FDCWD, path, 0, &attributes);

	return error ? error : give_statfs(thread, result, &attributes);
}

int64_t linux_fstatfs(struct thread *thread, int32_t descriptor, guest_address_t result)
{
	struct file_attributes attributes;
	int64_t error = attributes_of(thread, descriptor, &attributes);

	return error ? error : give_statfs(thread, result, &attributes);
}

// Whether a user may access a file so. The superuser may all, but execute only what anybody may.
static bool access_permitted(
	const struct file_attributes *attributes, uint32_t user, uint32_t group, uint32_t access)
{
	uint32_t mode = (uint32_t)attributes->mode;
	uint32_t permitted = mode & 7;

	if (user == 0) {
		bool executable = (mode & 0111) || (mode & FILE_TYPE_MASK) == FILE_TYPE_DIRECTORY;

		return !(access & LINUX_X_OK) || executable;
	}
	if (attributes->user == user)
		permitted = (mode >> 6) & 7;
	else if (attributes->group == group)
		permitted = (mode >> 3) & 7;
	return (access & ~permitted) == 0;
}

int64_t linux_faccessat2(
	struct thread *thread, int32_t directory, guest_address_t path, uint32_t access, uint32_t flags)
{
	const struct credentials *credentials = &thread->process->credentials;
	struct file_attributes attributes;
	bool effective = flags & LINUX_AT_EACCESS;

	if (access & ~(uint32_t)(LINUX_R_OK | LINUX_W_OK | LINUX_X_OK))
		return -LINUX_EINVAL;
	int64_t error = attributes_at(
		thread, directory, path, flags & ~(uint32_t)LINUX_AT_EACCESS, &attributes);
	if (error)
		return error;
	uint32_t user = effective ? credentials->effective_user : credentials->real_user;
	uint32_t group = effective ? credentials->effective_group : credentials->real_group;
	return access_permitted(&attributes, user, group, access) ? 0 : -LINUX_EACCES;
}

int64_t linux_faccessat(struct thread *thread, int32_t directory, guest_address_t path, uint32_t access)
{
	return linux_faccessat2(thread, directory, path, access, 0);
}

// Records for getdents64 being put together.
struct listing {
	char *buffer;
	size_t size, length;
	uint64_t position; // after the last record
};

static bool list_one(void *context, const struct directory_entry *entry)
{
	struct listing *listing = context;
	size_t length = (sizeof(struct linux_dirent64) + entry->name_length + 1 + 7) & ~(size_t)7;
	struct linux_dirent64 *record = (struct linux_dirent64 *)(listing->buffer + listing->length);

	if (length > listing->size - listing->length || entry->name_length > LINUX_NAME_MAX)
		return false;
	memset(record, 0, length);
	record->node = entry->node;
	record->next = (int64_t)entry->next;
	record->length = (uint16_t)length;
	record->type = (uint8_t)(entry->type >> 12);
	memcpy(record->name, entry->name, entry->name_length);
	listing->length += length;
	listing->position = entry->next;
	return true;
}

// Lists from the file's position on, which it moves. Errors: EINVAL where not even one entry fits.
static int64_t list_directory(struct open_file *file, struct listing *listing)
{
	pthread_mutex_lock(&file->lock);
	listing->position = file->offset;
	int64_t error = file->operations->read_directory(file, file->offset, list_one, listing);
	bool ended = listing->position == file->offset;
	file->offset = listing->position;
	pthread_mutex_unlock(&file->lock);
	if (error)
		return error;
	return ended && listing->size < sizeof(struct linux_dirent64) + LINUX_NAME_MAX + 1 ? -LINUX_EINVAL
											   : 0;
}

int64_t linux_getdents64(struct thread *thread, int32_t descriptor, guest_address_t buffer, uint32_t length)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	struct listing listing = {.size = length < DIRECTORY_READ_MAX ? length : DIRECTORY_READ_MAX};
	int64_t result;

	if (!file)
		return -LINUX_EBADF;
	listing.buffer = malloc(listing.size + 1);
	if (!listing.buffer)
		result = -LINUX_ENOMEM;
	else if (!file->operations->read_directory)
		result = -LINUX_ENOTDIR;
	else if (!open_file_readable(file))
		result = -LINUX_EBADF;
	else
		result = list_directory(file, &listing);
	if (!result)
		result = copy_to_guest(thread, buffer, listing.buffer, listing.length)
			? -LINUX_EFAULT
			: (int64_t)listing.length;
	free(listing.buffer);
	open_file_release(file);
	return result;
}

// Changes attributes of what a path names, or of path->base where it is empty.
static int64_t change_path(struct thread *thread, struct path *path, bool follow, uint64_t mask,
	const struct file_attributes *attributes)
{
	int64_t error = path_locate(thread, path, follow);

	if (error)
		return error;
	if (path->is_proc || path->base->node == HANDLE_NONE)
		return -LINUX_EPERM;
	struct server_path at_server = path_at_server(path);
	return server_set_attributes(&at_server, follow ? 0 : FILE_NO_FOLLOW, mask, attributes);
}

static int64_t change_at(struct thread *thread, int32_t directory, guest_address_t address, uint32_t flags,
	uint64_t mask, const struct file_attributes *attributes)
{
	struct path path;

	if (flags & ~(uint32_t)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -LINUX_EINVAL;
	int64_t error = path_take(thread, directory, address, flags, &path);
	if (error)
		return error;
	error = change_path(thread, &path, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), mask, attributes);
	path_release(&path);
	return error;
}

static int64_t change_descriptor(
	struct thread *thread, int32_t descriptor, uint64_t mask, const struct file_attributes *attributes)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	int64_t error = -LINUX_EPERM;

	if (!file)
		return -LINUX_EBADF;
	if (file->node != HANDLE_NONE)
		error = server_set_attributes(
			&(struct server_path){.directory = file->node, .text = ""}, 0, mask, attributes);
	open_file_release(file);
	return error;
}

int64_t linux_fchmod(struct thread *thread, int32_t descriptor, uint32_t mode)
{
	return change_descriptor(
		thread, descriptor, FILE_SET_MODE, &(struct file_attributes){.mode = mode & 07777});
}

int64_t linux_fchmodat2(
	struct thread *thread, int32_t directory, guest_address_t path, uint32_t mode, uint32_t flags)
{
	return change_at(thread, directory, path, flags, FILE_SET_MODE,
		&(struct file_attributes){.mode = mode & 07777});
}

int64_t linux_fchmodat(struct thread *thread, int32_t directory, guest_address_t path, uint32_t mode)
{
	return linux_fchmodat2(thread, directory, path, mode, 0);
}

static uint64_t owner_mask(uint32_t user, uint32_t group)
{
	return (user != KEEP_ID ? FILE_SET_USER : 0u) | (group != KEEP_ID ? FILE_SET_GROUP : 0u);
}

int64_t linux_fchown(struct thread *thread, int32_t descriptor, uint32_t user, uint32_t group)
{
	return change_descriptor(thread, descriptor, owner_mask(user, group),
		&(struct file_attributes){.user = user, .group = group});
}

int64_t linux_fchownat(struct thread *thread, int32_t directory, guest_address_t path, uint32_t user,
	uint32_t group, uint32_t flags)
{
	return change_at(thread, directory, path, flags, owner_mask(user, group),
		&(struct file_attributes){.user = user, .group = group});
}

// The two times of utimensat, and which of them to set. Address 0: both are now.
static int64_t take_times(
	struct thread *thread, guest_address_t address, uint64_t *mask, struct file_attributes *attributes)
{
	struct linux_timespec times[2] = {{0, LINUX_UTIME_NOW}, {0, LINUX_UTIME_NOW}};
	uint64_t *const results[2] = {&attributes->access_time, &attributes->modify_time};
	static const uint64_t masks[2] = {FILE_SET_ACCESS_TIME, FILE_SET_MODIFY_TIME};

	if (address != 0 && copy_from_guest(thread, times, address, sizeof(times)))
		return -LINUX_EFAULT;
	*mask = 0;
	for (unsigned index = 0; index < 2; index++) {
		const struct linux_timespec *time = &times[index];

		if (time->nanoseconds == LINUX_UTIME_OMIT)
			continue;
		*mask |= masks[index];
		if (time->nanoseconds == LINUX_UTIME_NOW)
			*results[index] = clock_wall();
		else if (time->nanoseconds < 0 || time->nanoseconds >= (int64_t)NANOSECONDS_PER_SECOND)
			return -LINUX_EINVAL;
		else
			*results[index] = (uint64_t)time->seconds * NANOSECONDS_PER_SECOND +
				(uint64_t)time->nanoseconds;
	}
	return 0;
}

// Without a path the descriptor's own file is meant.
int64_t linux_utimensat(
	struct thread *thread, int32_t directory, guest_address_t path, guest_address_t times, uint32_t flags)
{
	struct file_attributes attributes = {0};
	uint64_t mask;
	int64_t error = take_times(thread, times, &mask, &attributes);

	if (error)
		return error;
	if (path == 0)
		return change_descriptor(thread, directory, mask, &attributes);
	return change_at(thread, directory, path, flags, mask, &attributes);
}
