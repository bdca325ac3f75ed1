// SPDX-License-Identifier: MIT
//
// Unpredictable bytes for the kernel and its users.

#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stddef.h>

// Seeds the generator. Once, on the boot CPU, before anybody asks.
void random_init(void);
void random_fill(void *buffer, size_t length);

#endif
