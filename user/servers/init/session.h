// SPDX-License-Identifier: MIT
//
// What this boot is for: the command that the boot archive asks for, or a shell on the console.

#ifndef INIT_SESSION_H
#define INIT_SESSION_H

#include <tern/boot.h>

// Runs the session in a thread of its own; the machine is shut down when it ends. False: no memory.
bool session_start(const struct boot_info *info, handle_t names);

// Drains the console, reports the status and ends the machine; returns only where that is not possible.
enum error session_end(uint64_t action, uint64_t status);

#endif
