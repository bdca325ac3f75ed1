// SPDX-License-Identifier: MIT
//
// Memory objects: making and ending them, finding or making their pages, copying.

#include <arch/mmu.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/string.h>

#define LARGE_ORDER 9 // of a block of MMU_LARGE_SIZE

_Static_assert(PAGE_SIZE << LARGE_ORDER == MMU_LARGE_SIZE && RADIX_LEAF_PAGES == 1 << LARGE_ORDER,
	"a block is a leaf");

static struct object_cache memory_cache = OBJECT_CACHE_INITIALIZER(memory_cache, "memory", struct memory);

// --- Pages

paddr_t memory_resident_page(struct memory *memory, uint64_t offset)
{
	if (memory->kind == MEMORY_PHYSICAL)
		return memory->physical + offset;
	return radix_get(&memory->pages, offset >> PAGE_SHIFT);
}

bool memory_may_write(const struct memory *memory, paddr_t frame)
{
	return memory->kind == MEMORY_PHYSICAL || frame_sharers(frame) == 1;
}

uint64_t memory_next_page(struct memory *memory, uint64_t offset, uint64_t end)
{
	uint64_t index;

	if (offset >= end)
		return RADIX_NONE;
	if (memory->kind == MEMORY_PHYSICAL)
		return offset;
	index = radix_next(&memory->pages, offset >> PAGE_SHIFT, end >> PAGE_SHIFT);
	return index == RADIX_NONE ? RADIX_NONE : index << PAGE_SHIFT;
}

uint64_t memory_find_step_end(struct memory *memory, uint64_t offset, uint64_t end)
{
	uint64_t pages, first;

	pages = memory->owner || memory->mapping_count == 0 ? PAGES_PER_STEP
							    : PAGES_PER_STEP / memory->mapping_count;
	if (end - offset <= pages * PAGE_SIZE)
		return end;
	first = memory_next_page(memory, offset, end);
	if (first == RADIX_NONE)
		return end;
	if (end - first > RADIX_LEAF_PAGES * PAGE_SIZE - first % (RADIX_LEAF_PAGES * PAGE_SIZE))
		end = (first / (RADIX_LEAF_PAGES * PAGE_SIZE) + 1) * RADIX_LEAF_PAGES * PAGE_SIZE;
	for (offset = first + PAGE_SIZE; pages > 1; pages--) {
		uint64_t next = memory_next_page(memory, offset, end);

		// Not to be gone over again by who works on the pages.
		if (next == RADIX_NONE)
			return end % (RADIX_LEAF_PAGES * PAGE_SIZE) == 0 ? offset : end;
		offset = next + PAGE_SIZE;
	}
	return offset;
}

// Enters a frame and takes it over; false: it could not be charged or entered, and is still the caller's.
static bool add_page(struct memory *memory, uint64_t offset, paddr_t frame)
{
	struct account *account = memory->object.account;

	if (!account_charge_pages(account, 1))
		return false;
	if (!radix_insert(&memory->pages, offset >> PAGE_SHIFT, frame, account)) {
		account_uncharge_pages(account, 1);
		return false;
	}
	memory->resident++;
	return true;
}

static enum memory_result make_page(struct memory *memory, uint64_t offset, paddr_t *frame)
{
	*frame = frame_allocate_zeroed();
	if (*frame == PADDR_NONE)
		return MEMORY_NO_MEMORY;
	if (add_page(memory, offset, *frame))
		return MEMORY_OK;
	frame_release(*frame);
	return MEMORY_NO_MEMORY;
}

static paddr_t copy_frame(paddr_t from)
{
	paddr_t copy = frame_allocate();

	if (copy != PADDR_NONE)
		memcpy(phys_to_virt(copy), phys_to_virt(from), PAGE_SIZE);
	return copy;
}

// A page that others share gets a frame of its own. It was charged when it was shared.
static __attribute__((noinline)) enum memory_result unshare_page(
	struct memory *memory, uint64_t offset, paddr_t *frame)
{
	paddr_t shared = *frame;

	*frame = copy_frame(shared);
	if (*frame == PADDR_NONE)
		return MEMORY_NO_MEMORY;
	memory_restrict(memory, offset, offset + PAGE_SIZE, 0);
	radix_replace(&memory->pages, offset >> PAGE_SHIFT, *frame);
	frame_release(shared);
	return MEMORY_OK;
}

enum memory_result memory_get_page(
	struct memory *memory, uint64_t offset, bool for_write, paddr_t *frame, bool *writable)
{
	enum memory_result result = MEMORY_OK;

	ASSERT_LOCK_HELD(&memory->lock);
	assert(offset % PAGE_SIZE == 0);
	if (offset >= memory->size)
		return MEMORY_RANGE;
	*frame = memory_resident_page(memory, offset);
	if (memory->kind == MEMORY_ANONYMOUS) {
		if (*frame == PADDR_NONE)
			result = memory->pager ? MEMORY_MISSING : make_page(memory, offset, frame);
		else if (for_write && frame_sharers(*frame) > 1)
			result = unshare_page(memory, offset, frame);
		if (result)
			return result;
	}
	*writable = memory_may_write(memory, *frame);
	return MEMORY_OK;
}

paddr_t memory_large_page(struct memory *memory, uint64_t offset)
{
	paddr_t first;

	ASSERT_LOCK_HELD(&memory->lock);
	if (offset > memory->size || memory->size - offset < MMU_LARGE_SIZE)
		return PADDR_NONE;
	first = memory_resident_page(memory, offset);
	if (first % MMU_LARGE_SIZE != 0)
		return PADDR_NONE;
	if (memory->kind == MEMORY_ANONYMOUS &&
		(!radix_leaf_is_contiguous(&memory->pages, offset >> PAGE_SHIFT) ||
			frames_are_shared(first, MMU_LARGE_SIZE >> PAGE_SHIFT)))
		return PADDR_NONE;
	return first;
}

void memory_discard(struct memory *memory, uint64_t offset, uint64_t end)
{
	struct account *account = memory->object.account;
	uint64_t count = 0;

	ASSERT_LOCK_HELD(&memory->lock);
	assert(memory->kind == MEMORY_ANONYMOUS);
	for (; offset < end && (offset = memory_next_page(memory, offset, end)) != RADIX_NONE;
		offset += PAGE_SIZE, count++) {
		paddr_t frame = radix_remove(&memory->pages, offset >> PAGE_SHIFT, account);

		if (memory->contiguous)
			frame_unpin(frame);
		frame_release(frame);
	}
	memory->resident -= count;
	account_uncharge_pages(account, count);
}

// --- Making and ending

static struct memory *make(struct account *account, enum memory_kind kind, uint64_t size)
{
	struct memory *memory = object_create(OBJECT_MEMORY, account);

	if (memory == NULL)
		return NULL;
	spin_init(&memory->lock, RANK_MEMORY);
	list_init(&memory->mappings);
	memory->kind = kind;
	memory->size = size;
	memory->physical = PADDR_NONE;
	memory->readable = true;
	radix_init(&memory->pages, size >> PAGE_SHIFT);
	return memory;
}

// Gives up an object that could not be filled.
static struct memory *give_up(struct memory *memory)
{
	object_put(&memory->object);
	return NULL;
}

// Allocates the pages from an offset on. False: no memory.
static bool fill(struct memory *memory, uint64_t offset)
{
	for (; offset < memory->size; offset += PAGE_SIZE) {
		enum memory_result result;
		paddr_t frame;

		spin_lock(&memory->lock);
		result = make_page(memory, offset, &frame);
		spin_unlock(&memory->lock);
		if (result)
			return false;
		if ((offset >> PAGE_SHIFT) % PAGES_FILLED_PER_STEP == PAGES_FILLED_PER_STEP - 1)
			preemption_point();
	}
	return true;
}

// Enters `count` frames of a block, zeroed, page by page, and frees the others. False: no memory.
static bool enter_block(struct memory *memory, uint64_t offset, paddr_t first, uint64_t count, unsigned order)
{
	uint64_t entered = 0;

	for (; entered < count; entered++) {
		paddr_t frame = first + (entered << PAGE_SHIFT);
		bool added;

		memset(phys_to_virt(frame), 0, PAGE_SIZE);
		spin_lock(&memory->lock);
		added = add_page(memory, offset + (entered << PAGE_SHIFT), frame);
		if (added && memory->contiguous)
			frame_pin(frame);
		spin_unlock(&memory->lock);
		if (!added)
			break;
		if (entered % PAGES_FILLED_PER_STEP == PAGES_FILLED_PER_STEP - 1)
			preemption_point();
	}
	for (uint64_t i = entered; i < (uint64_t)1 << order; i++) {
		frame_release(first + (i << PAGE_SHIFT));
		if (i % PAGES_PER_STEP == PAGES_PER_STEP - 1)
			preemption_point();
	}
	return entered == count;
}

// One block; its frames are pinned, so that a clone gets copies and they stay where they are.
static bool fill_contiguous(struct memory *memory)
{
	uint64_t count = memory->size >> PAGE_SHIFT;
	unsigned order = 0;

	while ((uint64_t)1 << order < count)
		order++;
	memory->physical = frame_allocate_order(order);
	if (memory->physical == PADDR_NONE)
		return false;
	memory->contiguous = true;
	return enter_block(memory, 0, memory->physical, count, order);
}

// Blocks that large pages can show; single pages at the end, and where there are none any more.
static bool fill_resident(struct memory *memory)
{
	uint64_t offset = 0;

	for (; memory->size - offset >= MMU_LARGE_SIZE; offset += MMU_LARGE_SIZE) {
		paddr_t first = frame_allocate_order(LARGE_ORDER);

		if (first == PADDR_NONE)
			break;
		if (!enter_block(memory, offset, first, RADIX_LEAF_PAGES, LARGE_ORDER))
			return false;
	}
	return fill(memory, offset);
}

struct memory *memory_create(struct account *account, uint64_t size, uint64_t flags)
{
	struct memory *memory;
	bool done = true;

	assert(size > 0 && size % PAGE_SIZE == 0 && size <= MEMORY_SIZE_MAX);
	// What cannot succeed shall not take all frames first.
	if ((flags & (MEMORY_CONTIGUOUS | MEMORY_RESIDENT)) && size >> PAGE_SHIFT > frame_free())
		return NULL;
	memory = make(account, MEMORY_ANONYMOUS, size);
	if (memory == NULL)
		return NULL;
	memory->large = flags != 0 && size >= MMU_LARGE_SIZE;
	if (flags & MEMORY_CONTIGUOUS)
		done = fill_contiguous(memory);
	else if (flags & MEMORY_RESIDENT)
		done = fill_resident(memory);
	return done ? memory : give_up(memory);
}

struct memory *memory_create_physical(struct account *account, paddr_t physical, uint64_t size)
{
	struct memory *memory = memory_create_from_frames(account, physical, size);

	if (memory)
		memory->readable = false;
	return memory;
}

struct memory *memory_create_from_frames(struct account *account, paddr_t first, uint64_t size)
{
	struct memory *memory = make(account, MEMORY_PHYSICAL, size);

	assert(first % PAGE_SIZE == 0);
	if (memory) {
		memory->physical = first;
		memory->large = size >= MMU_LARGE_SIZE;
	}
	return memory;
}

struct memory *memory_create_paged(
	struct account *account, uint64_t size, struct endpoint *pager, uint64_t badge, uint64_t pager_offset)
{
	struct memory *memory = make(account, MEMORY_ANONYMOUS, size);

	if (memory == NULL)
		return NULL;
	object_get(&pager->object);
	memory->pager = pager;
	memory->pager_badge = badge;
	memory->pager_offset = pager_offset;
	return memory;
}

struct memory *memory_create_private(struct account *account, struct address_space *owner)
{
	struct memory *memory = make(account, MEMORY_ANONYMOUS, ARCH_USER_END);

	if (memory)
		memory->owner = owner;
	return memory;
}

static void destroy(struct object *object)
{
	struct memory *memory = container_of(object, struct memory, object);
	uint64_t offset = 0;

	assert(list_is_empty(&memory->mappings));
	if (memory->pager)
		object_put(&memory->pager->object);
	while (memory->resident > 0) {
		uint64_t end;

		spin_lock(&memory->lock);
		end = memory_step_end(memory, offset, memory->size);
		memory_discard(memory, offset, end);
		offset = end;
		spin_unlock(&memory->lock);
		if (memory->resident > 0)
			preemption_point();
	}
}

const struct object_operations memory_operations = {
	.name = "memory",
	.cache = &memory_cache,
	.revoke_kept = mapping_revoke_first,
	.destroy = destroy,
};

// --- Copy-on-write children

// Gives the child the parent's frame, or a copy where somebody uses the frame's address.
static bool share_page(struct memory *parent, uint64_t offset, struct memory *child, uint64_t child_offset)
{
	paddr_t frame = memory_resident_page(parent, offset);

	if (frame_is_pinned(frame))
		frame = copy_frame(frame);
	else
		frame_share(frame);
	if (frame == PADDR_NONE)
		return false;
	if (!add_page(child, child_offset, frame)) {
		frame_release(frame);
		return false;
	}
	return true;
}

bool memory_share_step(
	struct memory *parent, uint64_t *offset, uint64_t end, struct memory *child, uint64_t child_offset)
{
	uint64_t start = *offset;
	uint64_t stop = memory_step_end(parent, start, end);
	bool done = true;

	ASSERT_LOCK_HELD(&parent->lock);
	assert(parent->kind == MEMORY_ANONYMOUS && end <= parent->size);
	for (uint64_t at = start; done && (at = memory_next_page(parent, at, stop)) != RADIX_NONE;
		at += PAGE_SIZE)
		done = share_page(parent, at, child, child_offset + (at - start));
	// The child cannot be read yet, so what is written until here is as if written before.
	memory_restrict(parent, start, stop, ~(unsigned)MMU_WRITE);
	*offset = stop;
	return done;
}

struct memory *memory_clone(struct memory *parent, struct account *account, uint64_t offset, uint64_t size)
{
	struct memory *child = parent->pager ? memory_create_paged(account, size, parent->pager,
						       parent->pager_badge, parent->pager_offset + offset)
					     : make(account, MEMORY_ANONYMOUS, size);
	uint64_t at = offset;

	assert(parent->kind == MEMORY_ANONYMOUS && offset <= parent->size && size <= parent->size - offset);
	if (child == NULL)
		return NULL;
	while (at < offset + size) {
		bool done;

		spin_lock(&parent->lock);
		done = memory_share_step(parent, &at, offset + size, child, at - offset);
		spin_unlock(&parent->lock);
		if (!done)
			return give_up(child);
		preemption_point();
	}
	return child;
}

// --- Pages that come and go

static bool supply_page(struct memory *memory, uint64_t offset, struct memory *pages, uint64_t page)
{
	paddr_t frame;

	ASSERT_LOCK_HELD(&memory->lock);
	if (memory_resident_page(memory, offset) != PADDR_NONE)
		return true;
	if (memory_resident_page(pages, page) == PADDR_NONE)
		return make_page(memory, offset, &frame) == MEMORY_OK;
	return share_page(pages, page, memory, offset);
}

bool memory_supply(struct memory *memory, uint64_t offset, struct memory *pages)
{
	for (uint64_t page = 0; page < pages->size; page += PAGE_SIZE) {
		bool done;

		spin_lock(&memory->lock);
		done = supply_page(memory, offset + page, pages, page);
		spin_unlock(&memory->lock);
		if (!done)
			return false;
		if ((page >> PAGE_SHIFT) % PAGES_FILLED_PER_STEP == PAGES_FILLED_PER_STEP - 1)
			preemption_point();
	}
	return true;
}

void memory_decommit(struct memory *memory, uint64_t offset, uint64_t end)
{
	while (offset < end) {
		uint64_t stop;

		spin_lock(&memory->lock);
		stop = memory_step_end(memory, offset, end);
		memory_restrict(memory, offset, stop, 0);
		memory_discard(memory, offset, stop);
		spin_unlock(&memory->lock);
		offset = stop;
		preemption_point();
	}
}

// --- Copies of the kernel

enum memory_result memory_read(struct memory *memory, uint64_t offset, void *buffer, size_t length)
{
	char *to = buffer;

	assert(memory->readable);
	if (offset > memory->size || length > memory->size - offset)
		return MEMORY_RANGE;
	while (length > 0) {
		size_t in_page = offset % PAGE_SIZE;
		size_t part = length < PAGE_SIZE - in_page ? length : PAGE_SIZE - in_page;
		paddr_t frame;

		spin_lock(&memory->lock);
		frame = memory_resident_page(memory, offset - in_page);
		if (frame == PADDR_NONE)
			memset(to, 0, part);
		else
			memcpy(to, (char *)phys_to_virt(frame) + in_page, part);
		spin_unlock(&memory->lock);
		to += part;
		offset += part;
		length -= part;
		if ((offset >> PAGE_SHIFT) % PAGES_FILLED_PER_STEP == 0)
			preemption_point();
	}
	return MEMORY_OK;
}

enum memory_result memory_write(struct memory *memory, uint64_t offset, const void *buffer, size_t length)
{
	const char *from = buffer;

	assert(memory->readable);
	if (offset > memory->size || length > memory->size - offset)
		return MEMORY_RANGE;
	while (length > 0) {
		size_t in_page = offset % PAGE_SIZE;
		size_t part = length < PAGE_SIZE - in_page ? length : PAGE_SIZE - in_page;
		enum memory_result result;
		bool writable;
		paddr_t frame;

		spin_lock(&memory->lock);
		result = memory_get_page(memory, offset - in_page, true, &frame, &writable);
		if (!result)
			memcpy((char *)phys_to_virt(frame) + in_page, from, part);
		spin_unlock(&memory->lock);
		if (result)
			return result;
		from += part;
		offset += part;
		length -= part;
		if ((offset >> PAGE_SHIFT) % PAGES_FILLED_PER_STEP == 0)
			preemption_point();
	}
	return MEMORY_OK;
}
