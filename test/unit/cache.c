// SPDX-License-Identifier: MIT
//
// Object caches: objects are zeroed, aligned, apart from each other; pages come and go with them.

#include "machine.h"
#include <arch/types.h>
#include <kernel/cache.h>
#include <kernel/frame.h>
#include <stdio.h>
#include <string.h>

#define OBJECTS 300
#define STEPS   20000

struct small {
	uint64_t words[5];
};

struct aligned {
	_Alignas(64) char bytes[192];
};

struct large {
	char bytes[5000];
} __attribute__((aligned(8)));

static struct object_cache small_cache = OBJECT_CACHE_INITIALIZER(small_cache, "small", struct small);
static struct object_cache aligned_cache = OBJECT_CACHE_INITIALIZER(aligned_cache, "aligned", struct aligned);
static struct object_cache large_cache = OBJECT_CACHE_INITIALIZER(large_cache, "large", struct large);

static bool is_filled(const unsigned char *bytes, unsigned char with, size_t length)
{
	return bytes[0] == with && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static void try_cache(struct object_cache *cache)
{
	unsigned char *objects[OBJECTS] = {NULL};
	uint64_t live = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		unsigned number = (unsigned)random_below(OBJECTS);
		unsigned char **object = &objects[number];

		if (*object) {
			CHECK(is_filled(*object, (unsigned char)number, cache->size));
			cache_free(cache, *object);
			*object = NULL;
			live--;
			continue;
		}
		*object = cache_allocate(cache);
		CHECK(*object != NULL && (uintptr_t)*object % cache->align == 0);
		CHECK(is_filled(*object, 0, cache->size));
		memset(*object, (int)number, cache->size);
		live++;
		CHECK(cache->live == live);
	}
	CHECK(frame_free() == frame_total() - cache->pages);
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (objects[i])
			cache_free(cache, objects[i]);
	}
	CHECK(cache->live == 0 && cache->pages == 0 && frame_free() == frame_total());
}

static void try_without_memory(struct object_cache *cache)
{
	machine_take_frames(0);
	CHECK(cache_allocate(cache) == NULL && cache->live == 0 && cache->pages == 0);
	machine_return_frames();
}

int main(void)
{
	struct object_cache *caches[] = {&small_cache, &aligned_cache, &large_cache};

	machine_start(8);
	random_seed(2);
	for (unsigned i = 0; i < 3; i++) {
		try_cache(caches[i]);
		try_without_memory(caches[i]);
	}
	printf("ok\n");
	return 0;
}
