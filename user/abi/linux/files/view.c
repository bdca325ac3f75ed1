// SPDX-License-Identifier: MIT
//
// Views of the files.

#include <linux/files/view.h>

#include <linux/files/open_file.h>

#include <stdatomic.h>
#include <stdlib.h>

#define MASK_INITIAL 022

struct file_view {
	_Atomic uint32_t references;
	pthread_mutex_t lock; // guards the directory
	struct open_file *directory;
	_Atomic uint32_t mask;
};

struct file_view *file_view_create(struct open_file *root)
{
	struct file_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->references = 1;
	view->mask = MASK_INITIAL;
	view->directory = open_file_share(root);
	pthread_mutex_init(&view->lock, NULL);
	return view;
}

struct file_view *file_view_copy(struct file_view *view)
{
	struct open_file *directory = file_view_directory(view);
	struct file_view *copy = file_view_create(directory);

	open_file_release(directory);
	if (copy)
		copy->mask = view->mask;
	return copy;
}

struct file_view *file_view_share(struct file_view *view)
{
	atomic_fetch_add(&view->references, 1);
	return view;
}

void file_view_release(struct file_view *view)
{
	if (atomic_fetch_sub(&view->references, 1) > 1)
		return;
	open_file_release(view->directory);
	free(view);
}

struct open_file *file_view_directory(struct file_view *view)
{
	pthread_mutex_lock(&view->lock);
	struct open_file *directory = open_file_share(view->directory);
	pthread_mutex_unlock(&view->lock);
	return directory;
}

void file_view_set_directory(struct file_view *view, struct open_file *directory)
{
	pthread_mutex_lock(&view->lock);
	struct open_file *old = view->directory;
	view->directory = directory;
	pthread_mutex_unlock(&view->lock);
	open_file_release(old);
}

uint32_t file_view_mask(struct file_view *view)
{
	return view->mask;
}

uint32_t file_view_set_mask(struct file_view *view, uint32_t mask)
{
	return atomic_exchange(&view->mask, mask & 0777);
}
