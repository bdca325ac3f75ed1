// SPDX-License-Identifier: MIT
//
// The capabilities for a program that is about to be started.

#include "gifts.h"
#include "archive.h"
#include <runtime/system_calls.h>

void gifts_add(struct gifts *gifts, const char *name, handle_t handle, rights_t rights)
{
	if (handle != HANDLE_NONE && gifts->count < START_HANDLES) {
		gifts->list[gifts->count++] = (struct spawn_handle){
			.name = name, .handle = handle, .rights = rights};
	}
}

void gifts_add_client(struct gifts *gifts, const char *name, handle_t endpoint, uint64_t badge)
{
	handle_t minted;
	if (gifts->minted_count < START_HANDLES &&
		handle_mint(endpoint, RIGHTS_CLIENT, badge, &minted) == ERR_OK) {
		gifts->minted[gifts->minted_count++] = minted;
		gifts_add(gifts, name, minted, RIGHTS_SAME);
	}
}

enum error gifts_spawn(
	struct gifts *gifts, const char *path, struct spawn_request *request, handle_t *process)
{
	struct cpio_entry image;
	enum error error = ERR_NOT_FOUND;
	if (archive_find(path, &image)) {
		request->image = image.data;
		request->image_length = image.size;
		request->handles = gifts->list;
		request->handle_count = gifts->count;
		error = process_spawn(request, process);
	}
	for (size_t i = 0; i < gifts->minted_count; i++)
		handle_close(gifts->minted[i]);
	return error;
}
