// SPDX-License-Identifier: MIT
//
// Reads boot archives. Every length in them is checked against the end.

#include <runtime/cpio.h>
#include <string.h>

#define MAGIC       "070701"
#define MAGIC_SIZE  6
#define FIELD_SIZE  8
#define HEADER_SIZE 110
#define LAST_NAME   "TRAILER!!!"

enum field {
	FIELD_NODE,
	FIELD_MODE,
	FIELD_USER,
	FIELD_GROUP,
	FIELD_LINKS,
	FIELD_MODIFY_TIME,
	FIELD_SIZE_OF_DATA,
	FIELD_MAJOR,
	FIELD_MINOR,
	FIELD_DEVICE_MAJOR,
	FIELD_DEVICE_MINOR,
	FIELD_SIZE_OF_NAME,
	FIELD_CHECK,
	FIELDS,
};

static size_t aligned(size_t position)
{
	return (position + 3) & ~(size_t)3;
}

static bool read_field(const char *digits, uint32_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < FIELD_SIZE; i++) {
		char digit = digits[i];
		uint32_t number;
		if (digit >= '0' && digit <= '9')
			number = (uint32_t)(digit - '0');
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			number = (uint32_t)((digit | 0x20) - 'a') + 10;
		else
			return false;
		*value = *value << 4 | number;
	}
	return true;
}

static bool read_header(const char *header, uint32_t fields[FIELDS])
{
	if (memcmp(header, MAGIC, MAGIC_SIZE) != 0)
		return false;
	for (unsigned i = 0; i < FIELDS; i++)
		if (!read_field(header + MAGIC_SIZE + i * FIELD_SIZE, &fields[i]))
			return false;
	return true;
}

static const char *without_root(const char *name)
{
	for (;;)
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else
			return name;
}

// Reads the entry at the reader's position and moves behind it.
static bool read_entry(struct cpio_reader *reader, struct cpio_entry *entry)
{
	uint32_t fields[FIELDS];
	size_t left = reader->length - reader->position;
	const char *header = reader->archive + reader->position;
	if (left < HEADER_SIZE || !read_header(header, fields))
		return false;
	size_t name_size = fields[FIELD_SIZE_OF_NAME], size = fields[FIELD_SIZE_OF_DATA];
	if (name_size == 0 || name_size > left - HEADER_SIZE || header[HEADER_SIZE + name_size - 1] != '\0')
		return false;
	size_t data = aligned(reader->position + HEADER_SIZE + name_size);
	if (data > reader->length || size > reader->length - data)
		return false;
	*entry = (struct cpio_entry){
		.name = without_root(header + HEADER_SIZE),
		.data = reader->archive + data,
		.size = size,
		.mode = fields[FIELD_MODE],
		.user = fields[FIELD_USER],
		.group = fields[FIELD_GROUP],
		.modify_time = fields[FIELD_MODIFY_TIME],
		.device_major = fields[FIELD_DEVICE_MAJOR],
		.device_minor = fields[FIELD_DEVICE_MINOR],
	};
	reader->position = aligned(data + size);
	return true;
}

// Between archives, and behind the last one, are zeros.
static void skip_zeros(struct cpio_reader *reader)
{
	while (reader->position < reader->length && reader->archive[reader->position] == '\0')
		reader->position++;
}

bool cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, bool *damaged)
{
	*damaged = false;
	do {
		skip_zeros(reader);
		if (reader->position >= reader->length)
			return false;
		if (!read_entry(reader, entry)) {
			*damaged = true;
			return false;
		}
	} while (strcmp(entry->name, LAST_NAME) == 0);
	return true;
}

bool cpio_find(const void *archive, size_t length, const char *path, struct cpio_entry *found)
{
	struct cpio_reader reader = {.archive = archive, .length = length};
	struct cpio_entry entry;
	bool damaged, any = false;
	path = without_root(path);
	while (cpio_next(&reader, &entry, &damaged)) {
		if (strcmp(entry.name, path) == 0) {
			*found = entry;
			any = true;
		}
	}
	return any;
}
