// SPDX-License-Identifier: MIT
//
// Files. Spoken by the file server and by every file system alike.
//
// A *file capability* is an endpoint capability whose badge names one open file or directory; the first one
// a client has is its view's root, the start handle "root". A *view* is a tree that a client sees: paths
// (".." and symbolic links included) never lead above its root, and ending the view closes all that was
// opened through it.
//
// Requests go to a file capability. Those that take a path resolve it from the directory that they are sent
// to, an absolute one from the root of its view; an empty path is the file itself. Paths travel in offered
// buffers, without NUL, at most FILE_PATH_MAX bytes; a component has at most FILE_NAME_MAX. Resolution
// follows up to FILE_LINKS_MAX symbolic links. Every request with a path can fail with NOT_FOUND,
// NOT_DIRECTORY, LOOP, NAME_TOO_LONG, NO_RIGHTS, every change with READ_ONLY, NO_SPACE, NO_MEMORY, every
// request with INVALID_ARGUMENT, PEER_FAULT (an offered buffer) and BAD_HANDLE (the open file was closed).
// The file server does not check permission bits against users: that is the business of personalities; a
// capability opened without FILE_OPEN_READ or FILE_OPEN_WRITE gets NO_RIGHTS, though.

#ifndef PROTOCOL_FILE_H
#define PROTOCOL_FILE_H

#include <stdint.h>

// Set in the badges of capabilities that whoever made the file server's endpoint (init) mints for clients:
// each such badge is the root of a view of the whole tree, made when it is first used; the low bits tell
// clients apart.
#define FILE_BADGE_VIEW     ((uint64_t)1 << 63)
#define FILE_BADGE_VIEW_MAX 64 // low bits are below it

#define FILE_PATH_MAX  4096
#define FILE_NAME_MAX  255
#define FILE_LINKS_MAX 40

// Type bits of a mode; the others are the permission bits of POSIX (07777). Values are those of POSIX
// systems and cpio.
#define FILE_TYPE_MASK      0170000u
#define FILE_TYPE_SOCKET    0140000u
#define FILE_TYPE_LINK      0120000u
#define FILE_TYPE_REGULAR   0100000u
#define FILE_TYPE_BLOCK     0060000u
#define FILE_TYPE_DIRECTORY 0040000u
#define FILE_TYPE_CHARACTER 0020000u
#define FILE_TYPE_PIPE      0010000u

// Travels word for word in replies.
struct file_attributes {
	uint64_t node;        // inode number, unique in its file system while the file exists
	uint64_t file_system; // number of the file system
	uint64_t mode;        // type and permissions
	uint64_t links;
	uint64_t user;
	uint64_t group;
	uint64_t size;        // bytes; of a symbolic link the length of its target
	uint64_t allocated;   // bytes of storage in use
	uint64_t device;      // number of the device that a device node stands for
	uint64_t access_time; // nanoseconds since 1970
	uint64_t modify_time;
	uint64_t change_time;
};
#define FILE_ATTRIBUTES_WORDS (sizeof(struct file_attributes) / sizeof(uint64_t))

enum file_open_flags {
	FILE_OPEN_READ = 1 << 0,
	FILE_OPEN_WRITE = 1 << 1,
	FILE_OPEN_CREATE = 1 << 2,    // make a regular file if nothing is there
	FILE_OPEN_EXCLUSIVE = 1 << 3, // with CREATE: EXISTS if something is there, symbolic links included
	FILE_OPEN_TRUNCATE = 1 << 4,  // with WRITE: to length 0
	FILE_OPEN_DIRECTORY = 1 << 5, // NOT_DIRECTORY for anything else
	FILE_OPEN_NO_FOLLOW = 1 << 6, // do not follow a symbolic link in the last component, open it itself
};

enum file_path_flags {
	FILE_NO_FOLLOW = 1 << 0, // a symbolic link in the last component is meant itself
};

enum file_set_mask {
	FILE_SET_MODE = 1 << 0, // permission bits only
	FILE_SET_USER = 1 << 1,
	FILE_SET_GROUP = 1 << 2,
	FILE_SET_SIZE = 1 << 3, // truncates, or grows by a hole
	FILE_SET_ACCESS_TIME = 1 << 4,
	FILE_SET_MODIFY_TIME = 1 << 5,
};

enum file_remove_flags {
	FILE_REMOVE_DIRECTORY = 1 << 0, // an empty directory is meant, else anything but a directory
};

enum file_rename_flags {
	FILE_RENAME_NO_REPLACE = 1 << 0, // EXISTS if the new name is there
};

enum file_view_flags {
	FILE_VIEW_READ_ONLY = 1 << 0,
};

// FILE_WRITE: write at the end of the file, wherever it is by then.
#define FILE_OFFSET_END UINT64_MAX

// FILE_READ_DIRECTORY fills its buffer with these, each padded to a multiple of 8 bytes (`length`).
struct file_entry {
	uint64_t node;
	uint64_t cursor; // where to go on after this entry
	uint16_t length; // of this record
	uint16_t name_length;
	uint32_t type; // FILE_TYPE_... bits
	char name[];   // name_length bytes and at least one NUL
};

enum file_label {
	// Opens a file or directory. Files that are neither regular nor a directory can be opened, but not
	// read or written. A directory opened without flags serves to resolve paths from it.
	//   in:  word 0: enum file_open_flags
	//        word 1: permissions of a file that is created
	//        word 2: length of the path
	//        buffer 0 (OFFER_READ): path
	//   out: words: struct file_attributes
	//        capability 0: the file capability; end its use with FILE_CLOSE, then handle_close
	// Errors: EXISTS, IS_DIRECTORY (WRITE), NO_SLOTS (too many open files of the view).
	FILE_OPEN = 0x200,

	// Closes what a capability names, for all its duplicates. Closing the root of a view ends the view.
	FILE_CLOSE,

	// Tells attributes.
	//   in:  word 0: enum file_path_flags, word 1: length of the path; buffer 0 (OFFER_READ): path, if it
	//   is not empty
	//   out: words: struct file_attributes
	FILE_GET_ATTRIBUTES,

	// Changes attributes; all or none. The change time is set to now.
	//   in:  word 0: enum file_path_flags, word 1: length of the path
	//        word 2: enum file_set_mask
	//        words 3-8: mode, user, group, size, access time, modify time
	//        buffer 0 (OFFER_READ): path, if it is not empty
	//   out: words: struct file_attributes
	// Errors: IS_DIRECTORY (size), FILE_TOO_LARGE. A size needs FILE_OPEN_WRITE where the path is
	// empty.
	FILE_SET_ATTRIBUTES,

	// Reads from a regular file.
	//   in:  word 0: offset, word 1: number of bytes; buffer 0 (OFFER_WRITE): where to
	//   out: word 0: number of bytes read: short only at the end of the file, or where the buffer cannot
	//   be written
	// Errors: IS_DIRECTORY.
	FILE_READ,

	// Writes to a regular file; a hole before `offset` reads as zeros.
	//   in:  word 0: offset or FILE_OFFSET_END, word 1: number of bytes; buffer 0 (OFFER_READ): where
	//   from
	//   out: word 0: number of bytes written: short where the buffer cannot be read or the space ends
	//        word 1: offset after the last byte written
	// Errors: IS_DIRECTORY, FILE_TOO_LARGE.
	FILE_WRITE,

	// Reads entries of a directory, "." and ".." not among them. Entries that come or go meanwhile may
	// or may not be seen, all others exactly once.
	//   in:  word 0: cursor: 0, or that of the last entry seen; word 1: room in bytes; buffer 0
	//   (OFFER_WRITE): where to
	//   out: word 0: number of bytes: whole struct file_entry, 0 at the end
	// Errors: TOO_LONG (not even one fits).
	FILE_READ_DIRECTORY,

	// Makes a directory, a pipe, a socket or a device node (regular files: FILE_OPEN).
	//   in:  word 0: mode with type, word 1: length of the path, word 2: device number; buffer 0
	//   (OFFER_READ): path
	//   out: words: struct file_attributes
	// Errors: EXISTS.
	FILE_CREATE,

	// Makes a symbolic link.
	//   in:  word 0: length of the path, word 1: length of the target (1 to FILE_PATH_MAX - 1)
	//        buffer 0 (OFFER_READ): path; buffer 1 (OFFER_READ): target
	// Errors: EXISTS.
	FILE_CREATE_LINK,

	// Tells the target of a symbolic link, never followed.
	//   in:  word 0: length of the path, word 1: room in buffer 1
	//        buffer 0 (OFFER_READ): path; buffer 1 (OFFER_WRITE): where to
	//   out: word 0: length of the target; at most the room was written
	// Errors: INVALID_ARGUMENT (no symbolic link).
	FILE_READ_LINK,

	// Gives a file that is no directory another name (a hard link). A symbolic link in the last
	// component is not followed.
	//   in:  word 0: length of the old path, word 1: of the new path
	//        buffers 0 and 1 (OFFER_READ): old and new path
	//        capability 0, optional: file capability of the directory from which the new path is resolved
	// Errors: EXISTS, IS_DIRECTORY, CROSS_DEVICE.
	FILE_ADD_NAME,

	// Removes a name; the file goes with its last name and its last open capability.
	//   in:  word 0: enum file_remove_flags, word 1: length of the path; buffer 0 (OFFER_READ): path
	// Errors: IS_DIRECTORY, NOT_DIRECTORY, NOT_EMPTY, BUSY (root of a view).
	FILE_REMOVE,

	// Renames, replacing what has the new name (a directory only if it is empty).
	//   in:  word 0: enum file_rename_flags, word 1: length of the old path, word 2: of the new path
	//        buffers 0 and 1 (OFFER_READ): old and new path
	//        capability 0, optional: file capability of the directory from which the new path is resolved
	// Errors: EXISTS, IS_DIRECTORY, NOT_DIRECTORY, NOT_EMPTY, CROSS_DEVICE, INVALID_ARGUMENT (a
	// directory into itself), BUSY.
	FILE_RENAME,

	// Gives the content of a regular file as memory, to map or to load. It is one object for all who
	// ask, so it cannot be written: make a memory_clone for private writable pages. Later writes to the
	// file do not change it. Past the end of the file its last page is zero.
	//   out: word 0: size of the file in bytes
	//        capability 0: memory with READ, EXECUTE, MAP, DUPLICATE, TRANSFER
	// Errors: IS_DIRECTORY, INVALID_ARGUMENT (empty), NOT_SUPPORTED (this file system cannot),
	// NO_MEMORY.
	FILE_GET_MEMORY,

	// Makes a new view whose root is this directory. A read-only view makes read-only views.
	//   in:  word 0: enum file_view_flags, word 1: how many files may be open through it; 0: the server's
	//   default
	//   out: capability 0: file capability of its root
	// Errors: NOT_DIRECTORY, NO_SLOTS (too many views).
	FILE_MAKE_VIEW,
};

#endif
