// SPDX-License-Identifier: MIT
//
// The boot archive, mapped into init.

#include "archive.h"
#include <runtime/system_calls.h>

static const char *archive;
static size_t archive_length;

bool archive_map(const struct boot_info *info)
{
	uint64_t address;
	struct map_request map = {
		.memory = info->archive,
		.length = (info->archive_length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
		.flags = MAPPING_READ,
	};
	if (info->archive == HANDLE_NONE || address_space_map(HANDLE_SELF, &map, &address) != ERR_OK)
		return false;
	archive = (const char *)address;
	archive_length = info->archive_length;
	return true;
}

bool archive_find(const char *path, struct cpio_entry *found)
{
	return cpio_find(archive, archive_length, path, found);
}
