// SPDX-License-Identifier: MIT
//
// Object caches: typed allocation of kernel objects from pages. A page of a cache belongs to the kernel as a
// whole; accounts pay objects by number.

#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <stddef.h>
#include <stdint.h>

struct object_cache {
	struct spinlock lock;
	const char *name;
	size_t size;              // of an object, rounded up to its alignment
	size_t align;             // a power of two, at most 64
	struct list_node partial; // pages with free objects
	uint64_t live;
	uint64_t pages;
};

#define OBJECT_CACHE_INITIALIZER(cache, cache_name, type)                                             \
	{                                                                                             \
		.lock = SPINLOCK_INITIALIZER(RANK_CACHE), .name = (cache_name), .size = sizeof(type), \
		.align = _Alignof(type), .partial = LIST_INITIALIZER((cache).partial),                \
	}

// A zeroed object; NULL: no memory. Any context below RANK_CACHE. Objects larger than a page take whole
// blocks of frames.
void *cache_allocate(struct object_cache *cache);
// The same without zeroing it, for objects that fit into a page.
void *cache_allocate_unset(struct object_cache *cache);
void cache_free(struct object_cache *cache, void *object);

#endif
