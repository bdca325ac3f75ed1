// SPDX-License-Identifier: MIT
//
// Descriptor tables.

#include <linux/files/table.h>

#include <linux/files/open_file.h>
#include <linux/interface/errors.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_INITIAL 32

struct slot {
	struct open_file *file;
	bool close_on_execute;
};

struct file_table {
	_Atomic uint32_t references;
	pthread_mutex_t lock; // guards the slots; files are released without it
	struct slot *slots;
	uint32_t count;
};

static struct file_table *table_allocate(uint32_t count)
{
	struct file_table *table = calloc(1, sizeof(*table));
	struct slot *slots = calloc(count, sizeof(*slots));

	if (!table || !slots) {
		free(table);
		free(slots);
		return NULL;
	}
	table->references = 1;
	table->slots = slots;
	table->count = count;
	pthread_mutex_init(&table->lock, NULL);
	return table;
}

struct file_table *file_table_create(void)
{
	return table_allocate(SLOTS_INITIAL);
}

struct file_table *file_table_copy(struct file_table *table)
{
	pthread_mutex_lock(&table->lock);
	struct file_table *copy = table_allocate(table->count);
	if (copy) {
		memcpy(copy->slots, table->slots, table->count * sizeof(*table->slots));
		for (uint32_t index = 0; index < copy->count; index++) {
			if (copy->slots[index].file)
				open_file_share(copy->slots[index].file);
		}
	}
	pthread_mutex_unlock(&table->lock);
	return copy;
}

struct file_table *file_table_share(struct file_table *table)
{
	atomic_fetch_add(&table->references, 1);
	return table;
}

void file_table_release(struct file_table *table)
{
	if (atomic_fetch_sub(&table->references, 1) > 1)
		return;
	for (uint32_t index = 0; index < table->count; index++) {
		if (table->slots[index].file)
			open_file_release(table->slots[index].file);
	}
	free(table->slots);
	free(table);
}

// The slot of a descriptor in use, or NULL. The lock is held.
static struct slot *slot_of(struct file_table *table, int32_t descriptor)
{
	if (descriptor < 0 || (uint32_t)descriptor >= table->count || !table->slots[descriptor].file)
		return NULL;
	return &table->slots[descriptor];
}

struct open_file *file_table_get(struct file_table *table, int32_t descriptor)
{
	pthread_mutex_lock(&table->lock);
	struct slot *slot = slot_of(table, descriptor);
	struct open_file *file = slot ? open_file_share(slot->file) : NULL;
	pthread_mutex_unlock(&table->lock);
	return file;
}

// Makes room for descriptors below `count`; false: no memory. The lock is held.
static bool table_grow(struct file_table *table, uint32_t count)
{
	uint32_t grown = table->count;

	if (count <= grown)
		return true;
	while (grown < count)
		grown *= 2;
	struct slot *slots = realloc(table->slots, grown * sizeof(*slots));
	if (!slots)
		return false;
	memset(slots + table->count, 0, (grown - table->count) * sizeof(*slots));
	table->slots = slots;
	table->count = grown;
	return true;
}

int64_t file_table_add(struct file_table *table, struct open_file *file, uint32_t lowest, uint64_t limit,
	bool close_on_execute)
{
	int64_t result = -LINUX_EMFILE;

	if (limit > FILE_TABLE_MAX)
		limit = FILE_TABLE_MAX;
	pthread_mutex_lock(&table->lock);
	uint32_t descriptor = lowest;
	while (descriptor < table->count && table->slots[descriptor].file)
		descriptor++;
	if (descriptor < limit) {
		result = -LINUX_ENOMEM;
		if (table_grow(table, descriptor + 1)) {
			table->slots[descriptor] = (struct slot){file, close_on_execute};
			result = descriptor;
		}
	}
	pthread_mutex_unlock(&table->lock);
	if (result < 0)
		open_file_release(file);
	return result;
}

int64_t file_table_put(
	struct file_table *table, struct open_file *file, uint32_t descriptor, bool close_on_execute)
{
	struct open_file *released = file;
	int64_t result = -LINUX_ENOMEM;

	pthread_mutex_lock(&table->lock);
	if (table_grow(table, descriptor + 1)) {
		released = table->slots[descriptor].file;
		table->slots[descriptor] = (struct slot){file, close_on_execute};
		result = descriptor;
	}
	pthread_mutex_unlock(&table->lock);
	if (released)
		open_file_release(released);
	return result;
}

int64_t file_table_close(struct file_table *table, int32_t descriptor)
{
	struct open_file *file = NULL;

	pthread_mutex_lock(&table->lock);
	struct slot *slot = slot_of(table, descriptor);
	if (slot) {
		file = slot->file;
		slot->file = NULL;
	}
	pthread_mutex_unlock(&table->lock);
	if (!file)
		return -LINUX_EBADF;
	open_file_release(file);
	return 0;
}

int64_t file_table_get_close_on_execute(struct file_table *table, int32_t descriptor)
{
	pthread_mutex_lock(&table->lock);
	struct slot *slot = slot_of(table, descriptor);
	int64_t result = slot ? slot->close_on_execute : -LINUX_EBADF;
	pthread_mutex_unlock(&table->lock);
	return result;
}

int64_t file_table_set_close_on_execute(struct file_table *table, int32_t descriptor, bool value)
{
	pthread_mutex_lock(&table->lock);
	struct slot *slot = slot_of(table, descriptor);
	if (slot)
		slot->close_on_execute = value;
	pthread_mutex_unlock(&table->lock);
	return slot ? 0 : -LINUX_EBADF;
}

int32_t file_table_next(struct file_table *table, int32_t from)
{
	int32_t found = -1;

	pthread_mutex_lock(&table->lock);
	for (uint32_t index = (uint32_t)from; index < table->count && found < 0; index++) {
		if (table->slots[index].file)
			found = (int32_t)index;
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}

void file_table_close_range(struct file_table *table, uint32_t first, uint32_t last)
{
	if (first >= FILE_TABLE_MAX)
		return;
	int32_t descriptor = file_table_next(table, (int32_t)first);
	while (descriptor >= 0 && (uint32_t)descriptor <= last) {
		file_table_close(table, descriptor);
		descriptor = file_table_next(table, descriptor + 1);
	}
}

void file_table_mark_range(struct file_table *table, uint32_t first, uint32_t last)
{
	pthread_mutex_lock(&table->lock);
	for (uint32_t index = first; index < table->count && index <= last; index++)
		table->slots[index].close_on_execute = true;
	pthread_mutex_unlock(&table->lock);
}

void file_table_close_marked(struct file_table *table)
{
	for (int32_t descriptor = file_table_next(table, 0); descriptor >= 0;
		descriptor = file_table_next(table, descriptor + 1)) {
		if (file_table_get_close_on_execute(table, descriptor) == 1)
			file_table_close(table, descriptor);
	}
}
