// SPDX-License-Identifier: MIT
//
// The requests of protocol/file.h, one function for each. `open` is what the request was sent to. Each
// returns the label of the answer.

#ifndef VFS_REQUESTS_H
#define VFS_REQUESTS_H

#include "path.h"
#include <runtime/server.h>

// Makes the file capability of an open file the capability of the answer.
enum error answer_with_file(struct request *request, uint64_t badge);

// Puts attributes into the answer: the last thing before it is sent.
void answer_with_attributes(struct request *request, const struct node *node);

// Takes a path of `length` bytes from offered buffer `index` (0 or 1) and resolves it.
enum error take_path(
	unsigned index, uint64_t length, const struct open_file *from, bool follow, struct place *place);

// requests.c
enum error request_open(struct request *request, const struct open_file *open);
enum error request_get_attributes(struct request *request, const struct open_file *open);
enum error request_set_attributes(struct request *request, const struct open_file *open);
enum error request_make_view(struct request *request, const struct open_file *open);

// data.c
enum error request_read_file(struct request *request, const struct open_file *open);
enum error request_write_file(struct request *request, const struct open_file *open);
enum error request_read_directory(struct request *request, const struct open_file *open);
enum error request_read_link(struct request *request, const struct open_file *open);
enum error request_get_memory(struct request *request, const struct open_file *open);

// names.c
enum error request_create(struct request *request, const struct open_file *open);
enum error request_create_link(struct request *request, const struct open_file *open);
enum error request_add_name(struct request *request, const struct open_file *open);
enum error request_remove(struct request *request, const struct open_file *open);
enum error request_rename(struct request *request, const struct open_file *open);

#endif
