// SPDX-License-Identifier: MIT
//
// Lists the handles that this program holds, and how many objects of each type there are in the system.

#include "inspect.h"
#include <inttypes.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <stdio.h>
#include <string.h>
#include <tern/info.h>

#define RIGHT_COUNT 13

// A letter for each right that is there, a hyphen for each that is not, lowest bit first.
static void format_rights(rights_t rights, char text[RIGHT_COUNT + 1])
{
	static const char letters[] = "rwxmscCkgbdtn";
	memset(text, '-', RIGHT_COUNT);
	text[RIGHT_COUNT] = '\0';
	for (unsigned i = 0; i < RIGHT_COUNT; i++)
		if (rights & (rights_t)1 << i)
			text[i] = letters[i];
}

// The name under which the parent gave a handle; empty where it did not.
static const char *given_name(handle_t handle)
{
	const struct start_block *block = start_block();
	for (uint64_t i = 0; i < block->handle_count; i++)
		if (block->handles[i].handle == handle)
			return block->handles[i].name;
	return "";
}

static void show_handles(handle_t system)
{
	struct object_type_info type;
	struct handle_info info;
	handle_t handle = HANDLE_NONE;
	char rights[RIGHT_COUNT + 1];
	printf("%6s %-14s %8s %-13s %16s %s\n", "HANDLE", "TYPE", "OBJECT", "RIGHTS", "BADGE", "GIVEN AS");
	while (handle_next(handle, &info, &handle) == ERR_OK) {
		format_rights(info.rights, rights);
		if (system_object_type(system, info.type, &type) != ERR_OK)
			strcpy(type.name, "?");
		printf("%6" PRIu32 " %-14s %8" PRIu64 " %s %16" PRIx64 " %s\n", (uint32_t)handle, type.name,
			info.object_id, rights, info.badge, given_name(handle));
	}
}

static void show_objects(handle_t system)
{
	struct object_type_info info;
	printf("\n%-14s %8s %8s\n", "TYPE", "LIVE", "PAGES");
	for (uint32_t type = 1; system_object_type(system, type, &info) == ERR_OK; type++)
		printf("%-14s %8" PRIu64 " %8" PRIu64 "\n", info.name, info.live, info.pages);
}

int main(void)
{
	handle_t system = system_resource();
	printf("rights: r read, w write, x execute, m map, s send, c receive, C control, k kill, g grant,\n"
	       "        b bind, d duplicate, t transfer, n create\n\n");
	show_handles(system);
	show_objects(system);
	return 0;
}
