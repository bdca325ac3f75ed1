// SPDX-License-Identifier: MIT
//
// Comes before all else in each file of a test: what atomic_load is about to look at is told, so that others can do
// something just before that.

#ifndef TEST_UNIT_BEFORE_LOAD_H
#define TEST_UNIT_BEFORE_LOAD_H

#include <stdatomic.h>

extern void (*before_load)(const volatile void *object); // NULL: nobody

#undef atomic_load
#define atomic_load(object)                                           \
	({                                                            \
		__auto_type pointer_ = (object);                      \
                                                                      \
		if (before_load)                                      \
			before_load(pointer_);                        \
		atomic_load_explicit(pointer_, memory_order_seq_cst); \
	})

#endif
