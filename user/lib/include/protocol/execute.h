// SPDX-License-Identifier: MIT
//
// Running programs of other systems. Spoken by a personality on its own endpoint; called by init for the
// command of this boot, or for the interactive shell.

#ifndef PROTOCOL_EXECUTE_H
#define PROTOCOL_EXECUTE_H

#define EXECUTE_STRINGS_MAX (128 * 1024)

enum execute_flags {
	EXECUTE_INTERACTIVE = 1 << 0, // the console is the program's controlling terminal, in cooked mode
};

enum execute_label {
	// Runs a program as the first process of a session with the console as its three streams and waits
	// for its end: the personality answers (reply_save) when the process has ended.
	//   in:  word 0: enum execute_flags
	//        word 1: number of argument strings, at least 1
	//        word 2: number of environment strings
	//        word 3: length of buffer 0
	//        buffer 0 (OFFER_READ): all strings, each with its NUL: arguments, then environment. The
	//        first
	//        argument is the path of the program, absolute or found by PATH as a shell would.
	//   out: word 0: exit status as a shell tells it: 0 to 255, 128 + signal
	// A program that cannot be run is no error of the call: the personality says why on the error
	// stream and answers 127 (not found) or 126 (found, but not executable). Errors: INVALID_ARGUMENT,
	// NO_MEMORY, BUSY (only one session at a time).
	EXECUTE_RUN = 0x400,
};

#endif
