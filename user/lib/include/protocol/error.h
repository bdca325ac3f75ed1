// SPDX-License-Identifier: MIT
//
// The label of every reply is an error: 0 (ERR_OK) for success, a number of enum error, or one of these,
// which only servers report. In all protocols an unknown label or a malformed request is
// ERR_INVALID_ARGUMENT, and the words of a reply whose label is not 0 mean nothing. Request labels start at
// 0x100 and differ between all protocols.

#ifndef PROTOCOL_ERROR_H
#define PROTOCOL_ERROR_H

enum protocol_error {
	PROTOCOL_ERROR_FIRST = 64,
	ERR_NOT_DIRECTORY = PROTOCOL_ERROR_FIRST, // a path goes through, or the operation needs, a directory
	ERR_IS_DIRECTORY,                         // the operation does not work on directories
	ERR_NOT_EMPTY,                            // a directory to be removed or replaced has entries
	ERR_NAME_TOO_LONG,                        // a name or a path beyond its limit
	ERR_LOOP,                                 // too many symbolic links, or one where none may be
	ERR_READ_ONLY,                            // the view or the file system is read-only
	ERR_CROSS_DEVICE,                         // two paths are in different file systems
	ERR_NO_SPACE,                             // the file system is full
	ERR_FILE_TOO_LARGE,                       // a file would grow beyond its limit
	ERR_NOT_EXECUTABLE,                       // no personality or loader recognises the program
};

#endif
