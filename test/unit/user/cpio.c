// SPDX-License-Identifier: MIT
//
// The reader of boot archives: what is in an archive is found; damaged and cut-off archives are read without leaving
// their bytes (the address sanitizer watches) and without end.

#include <runtime/cpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARCHIVE_MAX   4096
#define RANDOM_ROUNDS 50000

static char archive[ARCHIVE_MAX];
static size_t length;
static int failures;

#define CHECK(condition)                                          \
	do {                                                      \
		if (!(condition)) {                               \
			printf("%d: %s\n", __LINE__, #condition); \
			failures++;                               \
		}                                                 \
	} while (0)

static void put(const char *name, unsigned mode, const char *data)
{
	length += (size_t)sprintf(archive + length,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 7, 8, 1, 1000,
		(unsigned)strlen(data), 0, 0, 4, 5, (unsigned)strlen(name) + 1, 0);
	strcpy(archive + length, name);
	length = (length + strlen(name) + 1 + 3) & ~(size_t)3;
	memcpy(archive + length, data, strlen(data));
	length = (length + strlen(data) + 3) & ~(size_t)3;
}

static void make_archive(void)
{
	put("etc", 040755, "");
	put("./etc/motd", 0100644, "first");
	put("/bin/link", 0120777, "target");
	put("TRAILER!!!", 0, "");
	length = (length + 511) & ~(size_t)511;
	put("etc/motd", 0100600, "second one");
	put("TRAILER!!!", 0, "");
	length += 100;
}

// Reads all entries of a copy that ends where its memory ends; returns their number.
static unsigned read_all(const char *bytes, size_t size, bool *damaged)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct cpio_reader reader = {.archive = copy, .length = size};
	struct cpio_entry entry;
	unsigned count = 0;
	volatile size_t sum = 0;
	memcpy(copy, bytes, size);
	while (cpio_next(&reader, &entry, damaged) && count < 1000) {
		count++;
		sum += strlen(entry.name);
		for (uint64_t i = 0; i < entry.size; i++)
			sum += (unsigned char)entry.data[i];
	}
	free(copy);
	return count;
}

static void test_good(void)
{
	struct cpio_entry found;
	bool damaged;
	CHECK(read_all(archive, length, &damaged) == 4 && !damaged);
	CHECK(cpio_find(archive, length, "/etc/motd", &found) && found.size == 10 &&
		memcmp(found.data, "second one", 10) == 0 && found.mode == 0100600);
	CHECK(found.user == 7 && found.group == 8 && found.modify_time == 1000 && found.device_major == 4 &&
		found.device_minor == 5);
	CHECK(cpio_find(archive, length, "bin/link", &found) && found.size == 6);
	CHECK(!cpio_find(archive, length, "etc/mot", &found));
	CHECK(!cpio_find(archive, 0, "etc", &found));
}

static void test_damaged(void)
{
	char saved[ARCHIVE_MAX];
	bool damaged;
	memcpy(saved, archive, sizeof(saved));
	for (size_t size = 0; size < length; size++)
		CHECK(read_all(archive, size, &damaged) <= 4);
	for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
		for (int i = 0; i <= rand() % 3; i++)
			archive[(size_t)rand() % length] = "0123456789abcdefF\0x/"[rand() % 20];
		read_all(archive, length, &damaged);
		memcpy(archive, saved, sizeof(saved));
	}
	archive[0] = 'x';
	CHECK(read_all(archive, length, &damaged) == 0 && damaged);
}

int main(void)
{
	srand(1);
	make_archive();
	test_good();
	test_damaged();
	return failures > 0;
}
