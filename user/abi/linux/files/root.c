// SPDX-License-Identifier: MIT
//
// The root directory of all guests.

#include <linux/files/root.h>

#include <linux/files/device.h>
#include <linux/files/directory.h>
#include <linux/files/open_file.h>

#include <runtime/start.h>
#include <string.h>

static struct open_file *root;

bool root_init(void)
{
	handle_t node = start_handle(START_ROOT);

	if (node == HANDLE_NONE)
		return false;
	device_make_nodes(node);
	root = directory_create(0, node);
	if (root)
		root->path = strdup("/");
	return root && root->path;
}

struct open_file *root_directory(void)
{
	return root;
}
