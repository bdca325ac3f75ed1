// SPDX-License-Identifier: MIT
//
// Views of the file server: nobody gets out of one, and it ends with all that was opened through it.

#include "check.h"
#include <runtime/file.h>
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <string.h>

#define LIMIT 8

static handle_t root;
static struct file_attributes attributes;

static enum error try_open(handle_t from, const char *path, unsigned flags)
{
	handle_t file;
	enum error error = file_open(from, path, flags, 0644, &file, &attributes);
	if (error == ERR_OK)
		file_close(file);
	return error;
}

static enum error rename_between(handle_t from, const char *old, handle_t to, const char *new)
{
	struct message message = {
		.info = MESSAGE_INFO(FILE_RENAME, 3, 1) | MESSAGE_BUFFERS,
		.words = {0, strlen(old), strlen(new)},
	};
	message_offer(0, old, strlen(old), OFFER_READ);
	message_offer(1, new, strlen(new), OFFER_READ);
	message_buffer()->capabilities[0] = to;
	return protocol_call(from, &message);
}

static handle_t make_view(const char *path, unsigned flags)
{
	handle_t directory, view = HANDLE_NONE;
	if (file_open(root, path, 0, 0, &directory, &attributes) != ERR_OK)
		return HANDLE_NONE;
	file_make_view(directory, flags, LIMIT, &view);
	file_close(directory);
	return view;
}

static void test_confinement(void)
{
	file_create(root, "/tmp/view", FILE_TYPE_DIRECTORY | 0755);
	file_create(root, "/tmp/view/inside", FILE_TYPE_DIRECTORY | 0755);
	handle_t view = make_view("/tmp/view", 0), inside;
	check(view != HANDLE_NONE, "a view of a directory");
	check_error(try_open(view, "/inside", 0), ERR_OK, "a view has the directory as its root");
	check_error(try_open(view, "/etc", 0), ERR_NOT_FOUND, "a view shows nothing else");
	check_error(try_open(view, "../../etc", 0), ERR_NOT_FOUND, "a view has nothing above its root");
	check_error(try_open(view, "inside/../../view/inside", 0), ERR_NOT_FOUND,
		"no path leads out of a view and back");
	check_error(file_open(view, "inside", 0, 0, &inside, &attributes), ERR_OK,
		"a directory is opened in a view");
	check_error(rename_between(root, "/tmp/view/inside", root, "/tmp/outside"), ERR_OK,
		"a directory is moved out of a view");
	check_error(try_open(inside, "..", 0), ERR_NOT_FOUND, "a directory moved out leads nowhere");
	check_error(rename_between(root, "/tmp/outside", view, "inside"), ERR_OK,
		"a directory is moved back, by two capabilities");
	check_error(try_open(inside, "..", 0), ERR_OK, "a directory moved back has a parent");
	file_close(view);
	check_error(try_open(inside, ".", 0), ERR_BAD_HANDLE, "the view's end closes what it opened");
}

static void test_read_only(void)
{
	handle_t view = make_view("/tmp", FILE_VIEW_READ_ONLY), nested;
	check_error(try_open(view, "view", 0), ERR_OK, "a read-only view can be read");
	check_error(try_open(view, "new", FILE_OPEN_WRITE | FILE_OPEN_CREATE), ERR_READ_ONLY,
		"no file is made in a read-only view");
	check_error(file_create(view, "new", FILE_TYPE_DIRECTORY), ERR_READ_ONLY,
		"no directory is made in a read-only view");
	check_error(file_remove(view, "view", FILE_REMOVE_DIRECTORY), ERR_NOT_EMPTY,
		"a full directory is full in any view");
	check_error(file_remove(view, "view/inside", FILE_REMOVE_DIRECTORY), ERR_READ_ONLY,
		"no directory is removed from a read-only view");
	check_error(rename_between(view, "view", root, "/tmp/w"), ERR_READ_ONLY,
		"no directory is renamed from a read-only view");
	check_error(file_make_view(view, 0, 0, &nested), ERR_OK, "a view is made in a read-only view");
	check_error(file_create(nested, "new", FILE_TYPE_DIRECTORY), ERR_READ_ONLY,
		"a view in a read-only view is read-only");
	file_close(view);
	check_error(try_open(nested, ".", 0), ERR_BAD_HANDLE, "a view ends with the view it was made in");
}

static void test_limit(void)
{
	handle_t view = make_view("/tmp", 0), file;
	enum error error = ERR_OK;
	unsigned opened = 0;
	while (opened <= LIMIT && (error = file_open(view, ".", 0, 0, &file, &attributes)) == ERR_OK)
		opened++;
	check(opened == LIMIT, "a view opens as many files as it may");
	check_error(error, ERR_NO_SLOTS, "a view opens no more files than it may");
	check_error(try_open(root, "/tmp", 0), ERR_OK, "other views have limits of their own");
	file_close(view);
}

int main(void)
{
	root = start_handle(START_ROOT);
	test_confinement();
	test_read_only();
	test_limit();
	return check_end();
}
