// SPDX-License-Identifier: MIT
//
// The frame allocator: a buddy system over all RAM, and in front of it a small stack of single frames for
// each CPU, which needs no lock. What flows from a CPU to others goes in batches through a depot, so that its lock
// is held for a moment only. A free block is linked through its own first bytes, the frames of a batch are listed in
// those of its first one; what must outlive that is in the frame table.

#include <arch/cpu.h>
#include <kernel/assert.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <kernel/string.h>
#include <stdatomic.h>

#define BATCH_FRAMES 32
#define BATCH_ORDER  5 // of the block that is split where the depot is empty
#define CACHE_FRAMES (2 * BATCH_FRAMES)
#define DEPOT_MAX    128 // batches; more go back to the blocks, with the lock held for each frame
#define USE_STEP     64  // frames of a block between preemption points

#define ONE_SHARER ((uint64_t)1)
#define ONE_PIN    ((uint64_t)1 << 32)

struct frame {
	_Atomic uint64_t counts; // sharers in the low half, pins in the high half
	bool managed;
	bool heads_free_block;
	uint8_t order; // of the free block it heads
};

struct batch {
	struct batch *next;
	paddr_t frames[BATCH_FRAMES]; // the first one holds this
};

_Static_assert(sizeof(struct batch) <= PAGE_SIZE, "a batch is listed in one frame");

static struct {
	struct spinlock lock;
	struct frame *table;
	uint64_t first; // frame number of table[0]
	uint64_t count; // of table entries
	struct list_node blocks[FRAME_ORDER_MAX + 1];
	uint64_t free; // in blocks
	uint64_t total;
	struct batch *depot;
	uint64_t depot_count;
} frames = {.lock = SPINLOCK_INITIALIZER(RANK_FRAME)};

struct frame_cache {
	paddr_t frames[CACHE_FRAMES];
	_Atomic uint32_t count; // changed by its CPU only
} __attribute__((aligned(64)));

static struct frame_cache frame_caches[ARCH_CPU_MAX];

// NULL for what is no RAM of ours.
static struct frame *find_frame(paddr_t physical)
{
	uint64_t index = (physical >> PAGE_SHIFT) - frames.first;

	if (index >= frames.count || !frames.table[index].managed)
		return NULL;
	return &frames.table[index];
}

static struct frame *frame_of(paddr_t physical)
{
	struct frame *frame = find_frame(physical);

	assert(frame != NULL && physical % PAGE_SIZE == 0);
	return frame;
}

// --- Blocks

static void push_block(uint64_t number, unsigned order)
{
	struct frame *frame = &frames.table[number - frames.first];

	frame->heads_free_block = true;
	frame->order = (uint8_t)order;
	list_push_front(&frames.blocks[order], phys_to_virt(number << PAGE_SHIFT));
}

static void unlink_block(uint64_t number)
{
	frames.table[number - frames.first].heads_free_block = false;
	list_remove(phys_to_virt(number << PAGE_SHIFT));
}

static bool is_free_block(uint64_t number, unsigned order)
{
	const struct frame *frame = find_frame(number << PAGE_SHIFT);

	return frame != NULL && frame->heads_free_block && frame->order == order;
}

// Joins the block with its buddy as often as that is free too.
static void free_block(uint64_t number, unsigned order)
{
	ASSERT_LOCK_HELD(&frames.lock);
	frames.free += (uint64_t)1 << order;
	while (order < FRAME_ORDER_MAX && is_free_block(number ^ (uint64_t)1 << order, order)) {
		unlink_block(number ^ (uint64_t)1 << order);
		number &= ~((uint64_t)1 << order);
		order++;
	}
	push_block(number, order);
}

// Splits the smallest block that is large enough.
static paddr_t allocate_block(unsigned order)
{
	unsigned from = order;
	paddr_t physical;

	ASSERT_LOCK_HELD(&frames.lock);
	while (list_is_empty(&frames.blocks[from])) {
		if (from++ == FRAME_ORDER_MAX)
			return PADDR_NONE;
	}
	physical = virt_to_phys(frames.blocks[from].next);
	unlink_block(physical >> PAGE_SHIFT);
	while (from-- > order)
		push_block((physical >> PAGE_SHIFT) + ((uint64_t)1 << from), from);
	frames.free -= (uint64_t)1 << order;
	return physical;
}

// --- Start

// The part of a boot range that is handed out.
static struct boot_range usable(const struct boot_range *range)
{
	if (range->base == 0 && range->length >= PAGE_SIZE)
		return (struct boot_range){PAGE_SIZE, range->length - PAGE_SIZE};
	return *range;
}

static void add_range(paddr_t base, uint64_t length)
{
	uint64_t number = base >> PAGE_SHIFT;
	uint64_t left = length >> PAGE_SHIFT;

	for (uint64_t i = 0; i < left; i++)
		frames.table[number - frames.first + i].managed = true;
	frames.total += left;
	while (left > 0) {
		unsigned order = (unsigned)__builtin_ctzll(number);
		unsigned fits = 63 - (unsigned)__builtin_clzll(left);

		if (order > fits)
			order = fits;
		if (order > FRAME_ORDER_MAX)
			order = FRAME_ORDER_MAX;
		free_block(number, order);
		number += (uint64_t)1 << order;
		left -= (uint64_t)1 << order;
	}
}

// The table covers everything from the first to the last byte of RAM and lies at the start of the largest
// range.
void frame_init(void)
{
	paddr_t lowest = PADDR_NONE, highest = 0;
	uint64_t table_size;
	size_t home = 0;

	assert(boot_machine.memory_count > 0 && frames.table == NULL);
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		struct boot_range range = usable(&boot_machine.memory[i]);

		if (range.base < lowest)
			lowest = range.base;
		if (range.base + range.length > highest)
			highest = range.base + range.length;
		if (range.length > boot_machine.memory[home].length)
			home = i;
	}
	frames.first = lowest >> PAGE_SHIFT;
	frames.count = (highest - lowest) >> PAGE_SHIFT;
	table_size = (frames.count * sizeof(struct frame) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	if (table_size > usable(&boot_machine.memory[home]).length)
		panic("no room for the frame table");
	frames.table = phys_to_virt(usable(&boot_machine.memory[home]).base);
	memset(frames.table, 0, table_size);
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		list_init(&frames.blocks[order]);
	spin_lock(&frames.lock);
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		struct boot_range range = usable(&boot_machine.memory[i]);
		uint64_t taken = i == home ? table_size : 0;

		add_range(range.base + taken, range.length - taken);
	}
	spin_unlock(&frames.lock);
}

// --- The caches

static uint32_t cached(const struct frame_cache *cache)
{
	return atomic_load_explicit(&cache->count, memory_order_relaxed);
}

static void cache_push(struct frame_cache *cache, paddr_t frame)
{
	uint32_t count = cached(cache);

	cache->frames[count] = frame;
	atomic_store_explicit(&cache->count, count + 1, memory_order_relaxed);
}

static paddr_t cache_pop(struct frame_cache *cache)
{
	uint32_t count = cached(cache) - 1;

	atomic_store_explicit(&cache->count, count, memory_order_relaxed);
	return cache->frames[count];
}

static struct frame_cache *own_cache(void)
{
	assert(!arch_irq_enabled());
	return &frame_caches[cpu_self()->index];
}

static struct batch *take_batch(void)
{
	struct batch *batch = frames.depot;

	ASSERT_LOCK_HELD(&frames.lock);
	if (batch) {
		frames.depot = batch->next;
		frames.depot_count--;
	}
	return batch;
}

static void free_batch(const struct batch *batch)
{
	paddr_t list[BATCH_FRAMES];

	// It is overwritten while its frames are freed.
	memcpy(list, batch->frames, sizeof(list));
	for (unsigned i = 0; i < BATCH_FRAMES; i++)
		free_block(list[i] >> PAGE_SHIFT, 0);
}

// Fills an empty cache with a batch, or else with a block as large as there is up to BATCH_ORDER.
static __attribute__((noinline)) void refill(struct frame_cache *cache)
{
	paddr_t block = PADDR_NONE;
	unsigned order = BATCH_ORDER + 1;
	const struct batch *batch;

	spin_lock(&frames.lock);
	batch = take_batch();
	while (batch == NULL && block == PADDR_NONE && order-- > 0)
		block = allocate_block(order);
	spin_unlock(&frames.lock);
	if (batch) {
		for (unsigned i = 0; i < BATCH_FRAMES; i++)
			cache_push(cache, batch->frames[i]);
	} else if (block != PADDR_NONE) {
		for (uint64_t i = (uint64_t)1 << order; i-- > 0;)
			cache_push(cache, block + (i << PAGE_SHIFT));
	}
}

// Puts a batch out of a full cache into the depot.
static __attribute__((noinline)) void unload(struct frame_cache *cache)
{
	struct batch *batch = phys_to_virt(cache->frames[CACHE_FRAMES - 1]);

	for (unsigned i = 0; i < BATCH_FRAMES; i++)
		batch->frames[i] = cache_pop(cache);
	spin_lock(&frames.lock);
	if (frames.depot_count < DEPOT_MAX) {
		batch->next = frames.depot;
		frames.depot = batch;
		frames.depot_count++;
	} else {
		free_batch(batch);
	}
	spin_unlock(&frames.lock);
}

void frame_trim(void)
{
	struct frame_cache *cache = own_cache();

	spin_lock(&frames.lock);
	while (cached(cache) > 0)
		free_block(cache_pop(cache) >> PAGE_SHIFT, 0);
	spin_unlock(&frames.lock);
}

// --- Allocation

static void start_use(paddr_t physical)
{
	struct frame *frame = frame_of(physical);

	assert(atomic_load_explicit(&frame->counts, memory_order_relaxed) == 0 && !frame->heads_free_block);
	atomic_store_explicit(&frame->counts, ONE_SHARER, memory_order_relaxed);
}

paddr_t frame_allocate(void)
{
	struct frame_cache *cache = own_cache();
	paddr_t physical;

	if (cached(cache) == 0)
		refill(cache);
	if (cached(cache) == 0)
		return PADDR_NONE;
	physical = cache_pop(cache);
	start_use(physical);
	return physical;
}

paddr_t frame_allocate_zeroed(void)
{
	paddr_t physical = frame_allocate();

	if (physical != PADDR_NONE)
		memset(phys_to_virt(physical), 0, PAGE_SIZE);
	return physical;
}

paddr_t frame_allocate_order(unsigned order)
{
	const struct batch *batch;
	paddr_t physical;

	if (order > FRAME_ORDER_MAX)
		return PADDR_NONE;
	frame_trim(); // what is cached here may be the missing buddy
	do {
		spin_lock(&frames.lock);
		physical = allocate_block(order);
		batch = physical == PADDR_NONE ? take_batch() : NULL;
		if (batch)
			free_batch(batch);
		spin_unlock(&frames.lock);
		if (batch && (uint64_t)1 << order > USE_STEP)
			preemption_point();
	} while (batch);
	if (physical == PADDR_NONE)
		return PADDR_NONE;
	for (uint64_t i = 0; i < (uint64_t)1 << order; i++) {
		start_use(physical + (i << PAGE_SHIFT));
		if (i % USE_STEP == USE_STEP - 1 && (uint64_t)1 << order > USE_STEP)
			preemption_point();
	}
	return physical;
}

// --- Counts

static void give_up(paddr_t physical, struct frame *frame, uint64_t one)
{
	uint64_t old = atomic_fetch_sub_explicit(&frame->counts, one, memory_order_acq_rel);
	struct frame_cache *cache;

	assert((one == ONE_PIN ? old >> 32 : (uint32_t)old) > 0);
	if (old != one)
		return;
	cache = own_cache();
	if (cached(cache) == CACHE_FRAMES)
		unload(cache);
	cache_push(cache, physical);
}

void frame_share(paddr_t frame)
{
	uint64_t old = atomic_fetch_add_explicit(&frame_of(frame)->counts, ONE_SHARER, memory_order_relaxed);

	assert((uint32_t)old > 0 && (uint32_t)old < UINT32_MAX);
	(void)old;
}

void frame_release(paddr_t frame)
{
	give_up(frame, frame_of(frame), ONE_SHARER);
}

uint32_t frame_sharers(paddr_t frame)
{
	return (uint32_t)atomic_load_explicit(&frame_of(frame)->counts, memory_order_acquire);
}

bool frames_are_shared(paddr_t first, uint64_t count)
{
	const struct frame *frame = frame_of(first);

	for (uint64_t i = 0; i < count; i++)
		if ((uint32_t)atomic_load_explicit(&frame[i].counts, memory_order_acquire) > 1)
			return true;
	return false;
}

void frame_pin(paddr_t physical)
{
	struct frame *frame = find_frame(physical);

	if (frame)
		atomic_fetch_add_explicit(&frame->counts, ONE_PIN, memory_order_relaxed);
}

void frame_unpin(paddr_t physical)
{
	struct frame *frame = find_frame(physical);

	if (frame)
		give_up(physical, frame, ONE_PIN);
}

bool frame_is_pinned(paddr_t frame)
{
	return atomic_load_explicit(&frame_of(frame)->counts, memory_order_relaxed) >= ONE_PIN;
}

// --- What there is

bool frame_range_is_managed(paddr_t first, uint64_t length)
{
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		const struct boot_range *range = &boot_machine.memory[i];

		if (first < range->base + range->length && range->base < first + length)
			return true;
	}
	return false;
}

uint64_t frame_total(void)
{
	return frames.total;
}

uint64_t frame_free(void)
{
	uint64_t count;

	spin_lock(&frames.lock);
	count = frames.free + frames.depot_count * BATCH_FRAMES;
	spin_unlock(&frames.lock);
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++)
		count += cached(&frame_caches[i]);
	return count;
}
