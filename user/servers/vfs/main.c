// SPDX-License-Identifier: MIT
//
// The file server: one tree in memory, which begins as the content of the boot archive and can be written
// everywhere. It serves protocol/file.h.

#include "archive.h"
#include "requests.h"
#include <runtime/format.h>
#include <runtime/start.h>

static enum error close_file(struct open_file *open)
{
	open_close(open);
	return ERR_OK;
}

static enum error handle_request(struct request *request)
{
	struct open_file *open = open_find(request->badge);
	if (open == NULL)
		return ERR_BAD_HANDLE;
	switch (request->label) {
	case FILE_OPEN:
		return request_open(request, open);
	case FILE_CLOSE:
		return close_file(open);
	case FILE_GET_ATTRIBUTES:
		return request_get_attributes(request, open);
	case FILE_SET_ATTRIBUTES:
		return request_set_attributes(request, open);
	case FILE_READ:
		return request_read_file(request, open);
	case FILE_WRITE:
		return request_write_file(request, open);
	case FILE_READ_DIRECTORY:
		return request_read_directory(request, open);
	case FILE_CREATE:
		return request_create(request, open);
	case FILE_CREATE_LINK:
		return request_create_link(request, open);
	case FILE_READ_LINK:
		return request_read_link(request, open);
	case FILE_ADD_NAME:
		return request_add_name(request, open);
	case FILE_REMOVE:
		return request_remove(request, open);
	case FILE_RENAME:
		return request_rename(request, open);
	case FILE_GET_MEMORY:
		return request_get_memory(request, open);
	case FILE_MAKE_VIEW:
		return request_make_view(request, open);
	default:
		return ERR_INVALID_ARGUMENT;
	}
}

int main(void)
{
	struct server server = {.endpoint = start_handle(START_SERVE), .request = handle_request};
	struct node *root = tree_create();
	if (root == NULL) {
		log_print(LOG_ERROR, "no memory for the tree");
		return 1;
	}
	enum error error = archive_load(root);
	if (error != ERR_OK)
		log_print(LOG_ERROR, "the boot archive: %s", error_text(error));
	open_init(root);
	error = server_run(&server);
	log_print(LOG_ERROR, "cannot receive: %s", error_text(error));
	return 1;
}
