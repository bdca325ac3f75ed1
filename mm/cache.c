// SPDX-License-Identifier: MIT
//
// Object caches. A page of a cache begins with a header and is cut into objects of one type; a free object's
// first word links it to the next. A page goes back when its last object does. Objects that do not fit into a
// page beside the header have frames of their own.

#include <arch/types.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/frame.h>
#include <kernel/string.h>

struct free_object {
	struct free_object *next;
};

struct cache_page {
	struct list_node link; // in cache->partial while it has free objects
	struct object_cache *cache;
	struct free_object *free;
	size_t used;
};

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static size_t first_object(const struct object_cache *cache)
{
	return round_up(sizeof(struct cache_page), cache->align);
}

static bool fits_page(const struct object_cache *cache)
{
	return first_object(cache) + cache->size <= PAGE_SIZE;
}

// --- Objects with frames of their own

static void *allocate_frames(struct object_cache *cache)
{
	size_t needed = round_up(cache->size, PAGE_SIZE) / PAGE_SIZE;
	unsigned order = 0;
	paddr_t first;

	while ((size_t)1 << order < needed)
		order++;
	first = frame_allocate_order(order);
	if (first == PADDR_NONE)
		return NULL;
	for (size_t i = needed; i < (size_t)1 << order; i++)
		frame_release(first + (i << PAGE_SHIFT));
	spin_lock(&cache->lock);
	cache->live++;
	cache->pages += needed;
	spin_unlock(&cache->lock);
	return memset(phys_to_virt(first), 0, cache->size);
}

static void free_frames(struct object_cache *cache, void *object)
{
	size_t count = round_up(cache->size, PAGE_SIZE) / PAGE_SIZE;

	spin_lock(&cache->lock);
	cache->live--;
	cache->pages -= count;
	spin_unlock(&cache->lock);
	for (size_t i = 0; i < count; i++)
		frame_release(virt_to_phys(object) + (i << PAGE_SHIFT));
}

// --- Objects that share a page

static __attribute__((noinline)) struct cache_page *add_page(struct object_cache *cache)
{
	paddr_t frame = frame_allocate();
	struct cache_page *page;

	ASSERT_LOCK_HELD(&cache->lock);
	if (frame == PADDR_NONE)
		return NULL;
	page = phys_to_virt(frame);
	*page = (struct cache_page){.cache = cache};
	for (size_t at = first_object(cache); at + cache->size <= PAGE_SIZE; at += cache->size) {
		struct free_object *object = (void *)((char *)page + at);

		object->next = page->free;
		page->free = object;
	}
	list_push_front(&cache->partial, &page->link);
	cache->pages++;
	return page;
}

void *cache_allocate_unset(struct object_cache *cache)
{
	struct free_object *object = NULL;
	struct cache_page *page;

	assert(cache->size >= sizeof(struct free_object) && cache->size % cache->align == 0);
	assert(fits_page(cache));
	spin_lock(&cache->lock);
	page = list_is_empty(&cache->partial) ? add_page(cache)
					      : container_of(cache->partial.next, struct cache_page, link);
	if (page) {
		object = page->free;
		page->free = object->next;
		page->used++;
		cache->live++;
		if (page->free == NULL)
			list_remove(&page->link);
	}
	spin_unlock(&cache->lock);
	return object;
}

void *cache_allocate(struct object_cache *cache)
{
	void *object;

	if (!fits_page(cache))
		return allocate_frames(cache);
	object = cache_allocate_unset(cache);
	return object ? memset(object, 0, cache->size) : NULL;
}

void cache_free(struct object_cache *cache, void *object)
{
	struct cache_page *page = (void *)((uintptr_t)object & ~(PAGE_SIZE - 1));
	struct free_object *freed = object;

	if (!fits_page(cache)) {
		free_frames(cache, object);
		return;
	}
	assert(page->cache == cache);
	assert(((uintptr_t)object % PAGE_SIZE - first_object(cache)) % cache->size == 0);
	spin_lock(&cache->lock);
	assert(page->used > 0);
	cache->live--;
	if (page->free == NULL)
		list_push_front(&cache->partial, &page->link);
	freed->next = page->free;
	page->free = freed;
	if (--page->used == 0) {
		list_remove(&page->link);
		cache->pages--;
		frame_release(virt_to_phys(page));
	}
	spin_unlock(&cache->lock);
}
