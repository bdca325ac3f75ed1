// SPDX-License-Identifier: MIT
//
// A thread's view of the files: working directory and file creation mask. Shared or copied by clone.

#ifndef FILES_VIEW_H
#define FILES_VIEW_H

#include <stdint.h>

struct file_view;
struct open_file;

// A view whose working directory is the root. NULL: no memory.
struct file_view *file_view_create(struct open_file *root);
struct file_view *file_view_copy(struct file_view *view);
struct file_view *file_view_share(struct file_view *view);
void file_view_release(struct file_view *view);

// The working directory, with a reference for the caller.
struct open_file *file_view_directory(struct file_view *view);
// Takes over the reference.
void file_view_set_directory(struct file_view *view, struct open_file *directory);

uint32_t file_view_mask(struct file_view *view);
// Returns the old one.
uint32_t file_view_set_mask(struct file_view *view, uint32_t mask);

#endif
