// SPDX-License-Identifier: MIT
//
// How a program gets to know what it was given. Its parent maps a start block and passes its address to the
// entry point; the first program gets struct boot_info from the kernel instead, and the runtime makes a block
// of it.

#ifndef RUNTIME_START_H
#define RUNTIME_START_H

#include <tern/boot.h>
#include <tern/types.h>

#define START_MAGIC   0x6e72655474726174 // "tartTern"
#define START_HANDLES 24

// Names of handles that have a meaning everywhere; a program lacks what its manifest entry does not give it.
#define START_NAMES     "names"     // endpoint of the name service: protocol/name.h
#define START_CONSOLE   "console"   // endpoint for the standard streams: protocol/console.h
#define START_ROOT      "root"      // root of the program's view of the files: protocol/file.h
#define START_DIRECTORY "directory" // current directory, in that view; without it, the root
#define START_LOG       "log"       // resource: the kernel log
#define START_ACCOUNT   "account"   // the program's own account
#define START_SERVE     "serve"     // endpoint on which a server of the manifest receives
#define START_REGISTERS "registers" // of a driver's device: runtime/device.h
#define START_INTERRUPT "interrupt"
#define START_ARCHIVE   "archive" // memory: the boot archive

#define START_SYSTEM "system" // resource: looking at the whole system

// Further ones that only tests of the system get: whole resources of the machine, START_SYSTEM with all rights.
#define START_PHYSICAL   "physical"
#define START_INTERRUPTS "interrupts"
#define START_PORTS      "ports"

struct start_handle {
	char name[NAME_LENGTH];
	handle_t handle;
};

// Strings and pointers of the vector are in the same pages, behind it.
struct start_block {
	uint64_t magic;
	uint64_t message_buffer; // address of the first thread's message buffer
	uint64_t argument_count;
	uint64_t vector; // address of: argument pointers, 0, environment pointers, 0, auxiliary vector
	uint64_t handle_count;
	struct start_handle handles[START_HANDLES];
};

// The handle that the parent gave under a name, or HANDLE_NONE.
handle_t start_handle(const char *name);

// All that the parent gave.
const struct start_block *start_block(void);

// What the kernel told the first program; NULL in all others.
const struct boot_info *boot_info(void);

#endif
