// SPDX-License-Identifier: MIT
//
// The kernel log on the console.

#ifndef CONSOLE_KERNEL_LOG_H
#define CONSOLE_KERNEL_LOG_H

#include <tern/types.h>

// Takes over showing the log from the kernel, which has shown it up to now: `notification` gets `bits` when
// it grows. A raw line shows what is at least as grave as `level`, a framed one everything.
enum error kernel_log_open(handle_t notification, uint64_t bits, const char *level);

// Shows what is new, as far as the line has room.
void kernel_log_work(void);

// Whether there was no more room for all of it.
bool kernel_log_is_behind(void);

#endif
