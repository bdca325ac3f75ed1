// SPDX-License-Identifier: MIT
//
// The manifest: which servers there are and what each gets. The file itself explains its format.

#ifndef INIT_MANIFEST_H
#define INIT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

#define MANIFEST_SERVERS 16
#define MANIFEST_NAMES   8
#define MANIFEST_PATH    128

enum manifest_gift {
	GIVE_LOG = 1 << 0,
	GIVE_LOG_CONTROL = 1 << 1,
	GIVE_ARCHIVE = 1 << 2,
	GIVE_CONSOLE = 1 << 3,
	GIVE_ROOT = 1 << 4,
	GIVE_INSPECTION = 1 << 5,
};

struct manifest_names {
	char name[MANIFEST_NAMES][NAME_LENGTH];
	size_t count;
};

struct manifest_server {
	char name[NAME_LENGTH];
	char image[MANIFEST_PATH];
	uint64_t pages;
	uint64_t objects;
	unsigned gifts; // enum manifest_gift
	bool restart;
	struct manifest_names devices;
	struct manifest_names used;
	struct manifest_names provided;
};

struct manifest {
	struct manifest_server servers[MANIFEST_SERVERS];
	size_t count;
};

// Reads a manifest; percentages of memory are of `total_pages`. 0, or the number of the line that is wrong.
unsigned manifest_read(const char *text, size_t length, uint64_t total_pages, struct manifest *manifest);

bool manifest_names_has(const struct manifest_names *names, const char *name);

#endif
