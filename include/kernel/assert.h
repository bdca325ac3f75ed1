// SPDX-License-Identifier: MIT
//
// Assertions: invariants of the kernel, checked in debug builds. Never used for anything that comes from
// outside.

#ifndef KERNEL_ASSERT_H
#define KERNEL_ASSERT_H

#include <kernel/panic.h>

#ifdef TERN_DEBUG
#define assert(condition)                                                                       \
	do {                                                                                    \
		if (__builtin_expect(!(condition), 0))                                          \
			panic("assertion failed: %s at %s:%d", #condition, __FILE__, __LINE__); \
	} while (0)
#else
#define assert(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

#endif
