// SPDX-License-Identifier: MIT
//
// Unpredictable bytes for the kernel and its users.

#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

// Seeds the generator. Once, on the boot CPU, before anybody asks.
void random_init(void);
void random_fill(void *buffer, size_t length);
// A multiple of `step` below `limit`, for where something goes in memory; 0 where the command line says tern.layout=fixed.
uint64_t random_distance(uint64_t limit, uint64_t step);

#endif
