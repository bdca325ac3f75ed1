// SPDX-License-Identifier: MIT
//
// The root directory of all guests.

#include "files/root.h"

#include "files/device.h"
#include "files/directory.h"
#include "files/open_file.h"

#include <runtime/start.h>

static struct open_file *root;

bool root_init(void)
{
	handle_t node = start_handle(START_ROOT);

	if (node == HANDLE_NONE)
		return false;
	device_make_nodes(node);
	root = directory_create(&(struct path){.text = "/", .length = 1}, 0, node);
	return root;
}

struct open_file *root_directory(void)
{
	return root;
}
