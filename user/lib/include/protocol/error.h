// SPDX-License-Identifier: MIT
//
// The label of every reply is an error: 0 (ERR_OK) for success, another number of enum error, or one of
// these, which only servers report. In all protocols an unknown label or a malformed request is
// ERR_INVALID_ARGUMENT, and the words of a reply whose label is not 0 mean nothing. Request labels start at
// 0x100 and differ between all protocols.

#ifndef PROTOCOL_ERROR_H
#define PROTOCOL_ERROR_H

#include <tern/types.h>

#define ERR_NOT_DIRECTORY  ((enum error)64) // a path goes through, or the operation needs, a directory
#define ERR_IS_DIRECTORY   ((enum error)65) // the operation does not work on directories
#define ERR_NOT_EMPTY      ((enum error)66) // a directory to be removed or replaced has entries
#define ERR_NAME_TOO_LONG  ((enum error)67) // a name or a path beyond its limit
#define ERR_LOOP           ((enum error)68) // too many symbolic links, or one where none may be
#define ERR_READ_ONLY      ((enum error)69) // the view or the file system is read-only
#define ERR_CROSS_DEVICE   ((enum error)70) // two paths are in different file systems
#define ERR_NO_SPACE       ((enum error)71) // the file system is full
#define ERR_FILE_TOO_LARGE ((enum error)72) // a file would grow beyond its limit
#define ERR_NOT_EXECUTABLE ((enum error)73) // no personality or loader recognises the program

#endif
