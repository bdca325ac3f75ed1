// SPDX-License-Identifier: MIT
//
// poll and select: both become a list of items to wait for.

#include <linux/files/poll.h>

#include <linux/files/open_file.h>
#include <linux/files/table.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>

#include <stdlib.h>
#include <string.h>

#define ALWAYS_REPORTED (LINUX_POLLERR | LINUX_POLLHUP | LINUX_POLLNVAL)

struct poll_item {
	struct open_file *file; // NULL: not to be looked at
	uint32_t wanted;        // LINUX_POLL*
	uint32_t ready;
	struct wait_entry entry;
	bool joined;
};

// Looks at all items; how many are ready.
static int64_t look(struct poll_item *items, uint32_t count)
{
	int64_t ready = 0;

	for (uint32_t index = 0; index < count; index++) {
		struct poll_item *item = &items[index];

		if (item->file)
			item->ready = open_file_ready(item->file) & (item->wanted | ALWAYS_REPORTED);
		ready += item->ready != 0;
	}
	return ready;
}

// Waits until an item is ready; how many are, 0 at the deadline.
static int64_t wait_for_any(struct thread *thread, struct poll_item *items, uint32_t count, uint64_t deadline)
{
	int64_t ready;

	for (uint32_t index = 0; index < count; index++) {
		struct poll_item *item = &items[index];

		item->joined = item->file && item->file->operations->changes;
		if (item->joined)
			wait_join(&item->entry, thread, item->file->operations->changes(item->file));
	}
	while ((ready = look(items, count)) == 0) {
		int64_t error = wait_sleep(thread, deadline);

		if (error) {
			ready = error == -LINUX_ETIMEDOUT ? look(items, count) : -LINUX_EINTR;
			break;
		}
	}
	for (uint32_t index = 0; index < count; index++) {
		if (items[index].joined)
			wait_leave(&items[index].entry);
	}
	return ready;
}

int64_t poll_file(struct thread *thread, struct open_file *file, uint32_t wanted, uint64_t deadline)
{
	struct poll_item item = {.file = file, .wanted = wanted};

	return wait_for_any(thread, &item, 1, deadline);
}

static void free_items(struct poll_item *items, uint32_t count)
{
	for (uint32_t index = 0; index < count; index++) {
		if (items[index].file)
			open_file_release(items[index].file);
	}
	free(items);
}

static void take_polled(struct thread *thread, struct poll_item *item, const struct linux_pollfd *polled)
{
	if (polled->descriptor < 0)
		return;
	item->wanted = (uint16_t)polled->events;
	item->file = file_table_get(thread->files, polled->descriptor);
	if (!item->file)
		item->ready = LINUX_POLLNVAL;
}

int64_t poll_guest(struct thread *thread, guest_address_t polled, uint32_t count, uint64_t deadline)
{
	if (count > thread->process->limits[LINUX_RLIMIT_NOFILE].current || count > FILE_TABLE_MAX)
		return -LINUX_EINVAL;
	size_t size = count * sizeof(struct linux_pollfd);
	struct linux_pollfd *copy = malloc(size + 1);
	struct poll_item *items = calloc((size_t)count + 1, sizeof(*items));
	int64_t result = copy && items ? copy_from_guest(thread, copy, polled, size) : -LINUX_ENOMEM;

	if (!result) {
		for (uint32_t index = 0; index < count; index++)
			take_polled(thread, &items[index], &copy[index]);
		result = wait_for_any(thread, items, count, deadline);
		for (uint32_t index = 0; index < count; index++)
			copy[index].returned = (int16_t)items[index].ready;
		if (result >= 0 && copy_to_guest(thread, polled, copy, size))
			result = -LINUX_EFAULT;
	}
	if (items)
		free_items(items, count);
	free(copy);
	return result;
}

// The sets of select, in the order of its arguments.
enum select_set {
	SET_READABLE,
	SET_WRITABLE,
	SET_EXCEPTIONAL,
	SET_COUNT,
};

static const uint32_t set_events[SET_COUNT] = {
	[SET_READABLE] = LINUX_POLLIN | LINUX_POLLHUP | LINUX_POLLERR,
	[SET_WRITABLE] = LINUX_POLLOUT | LINUX_POLLERR,
	[SET_EXCEPTIONAL] = LINUX_POLLPRI,
};

struct selection {
	guest_address_t addresses[SET_COUNT];
	uint8_t *bits[SET_COUNT]; // all in one allocation, that of the first
	size_t size;              // bytes of a set
	uint32_t count;
};

static bool bit_is_set(const uint8_t *bits, uint32_t index)
{
	return bits[index / 8] & (1u << (index % 8));
}

static int64_t take_sets(struct thread *thread, struct selection *selection)
{
	uint8_t *bits = calloc(SET_COUNT, selection->size + 1);

	selection->bits[0] = bits;
	if (!bits)
		return -LINUX_ENOMEM;
	for (unsigned set = 0; set < SET_COUNT; set++) {
		selection->bits[set] = bits + set * selection->size;
		if (selection->addresses[set] == 0)
			continue;
		int64_t error = copy_from_guest(
			thread, selection->bits[set], selection->addresses[set], selection->size);
		if (error)
			return error;
	}
	return 0;
}

static int64_t take_items(struct thread *thread, const struct selection *selection, struct poll_item *items)
{
	for (uint32_t index = 0; index < selection->count; index++) {
		for (unsigned set = 0; set < SET_COUNT; set++) {
			if (bit_is_set(selection->bits[set], index))
				items[index].wanted |= set_events[set];
		}
		if (items[index].wanted == 0)
			continue;
		items[index].file = file_table_get(thread->files, (int32_t)index);
		if (!items[index].file)
			return -LINUX_EBADF;
	}
	return 0;
}

// Leaves the bits of what is ready, and copies the sets back; how many bits there are.
static int64_t give_sets(struct thread *thread, struct selection *selection, const struct poll_item *items)
{
	int64_t ready = 0;

	for (uint32_t index = 0; index < selection->count; index++) {
		for (unsigned set = 0; set < SET_COUNT; set++) {
			if (!bit_is_set(selection->bits[set], index))
				continue;
			if (items[index].ready & set_events[set])
				ready++;
			else
				selection->bits[set][index / 8] &= (uint8_t) ~(1u << (index % 8));
		}
	}
	for (unsigned set = 0; set < SET_COUNT; set++) {
		if (selection->addresses[set] != 0 &&
			copy_to_guest(
				thread, selection->addresses[set], selection->bits[set], selection->size))
			return -LINUX_EFAULT;
	}
	return ready;
}

int64_t select_guest(struct thread *thread, int32_t count, guest_address_t readable, guest_address_t writable,
	guest_address_t exceptional, uint64_t deadline)
{
	struct selection selection = {.addresses = {readable, writable, exceptional}};

	if (count < 0 || count > FILE_TABLE_MAX)
		return -LINUX_EINVAL;
	selection.count = (uint32_t)count;
	selection.size = (selection.count + 63) / 64 * sizeof(uint64_t);
	struct poll_item *items = calloc((size_t)selection.count + 1, sizeof(*items));
	int64_t result = items ? take_sets(thread, &selection) : -LINUX_ENOMEM;
	if (!result)
		result = take_items(thread, &selection, items);
	if (!result)
		result = wait_for_any(thread, items, selection.count, deadline);
	if (result >= 0)
		result = give_sets(thread, &selection, items);
	if (items)
		free_items(items, selection.count);
	free(selection.bits[0]);
	return result;
}
