// SPDX-License-Identifier: MIT
//
// A session of guests: what init asks this personality to run, with all processes that come of it. One at a
// time.

#ifndef PROCESS_SESSION_H
#define PROCESS_SESSION_H

#include <stdint.h>
#include <tern/types.h>

// Serves protocol/execute.h on an endpoint, for ever; returns only the error that ended receiving.
enum error session_serve(handle_t endpoint);

// The first process has ended, with a status as wait4 tells it.
void session_set_status(uint32_t wait_status);

// The last process is gone: whoever asked for the session is answered.
void session_finish(void);

#endif
