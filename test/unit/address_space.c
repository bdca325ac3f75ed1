// SPDX-License-Identifier: MIT
//
// Address spaces and memory objects against a model that knows each page by itself: random mapping,
// unmapping, protecting, cloning and access through a simulated CPU, whose TLB shows every missing shootdown.
// Mappings must be merged as far as they can be, and nothing may be left at the end.

#include "machine.h"
#include "simulated_mmu.h"
#include <kernel/address_space.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACES       4
#define OBJECTS      5
#define OBJECT_PAGES 200
#define WINDOW_PAGES 400
#define WINDOW       ((vaddr_t)0x7ffe0000) // spans several page tables
#define CELLS        ((size_t)1 << 22)
#define STEPS        20000

// What is at one page: where it comes from, and the cell with its content.
struct page {
	bool mapped;
	uint64_t flags;
	uint64_t allowed;
	const void *source; // of object pages; NULL: private memory or a guard
	uint64_t source_page;
	uint64_t *cell;
};

struct model_space {
	struct address_space *space; // NULL: unused
	struct page pages[WINDOW_PAGES];
};

struct model_object {
	struct memory *memory; // NULL: unused
	bool physical;
	uint64_t pages;
	uint64_t *cells[OBJECT_PAGES];
};

static struct model_space spaces[SPACES];
static struct model_object objects[OBJECTS];

// Cells are shared in all ways, and all given back at the end of a run.
static uint64_t cells[CELLS];
static size_t cells_used;

static uint64_t *new_cell(uint64_t value)
{
	CHECK(cells_used < CELLS);
	cells[cells_used] = value;
	return &cells[cells_used++];
}

static vaddr_t address_of(unsigned page)
{
	return WINDOW + page * PAGE_SIZE;
}

// --- The simulated CPU

static enum fault_kind access_page(
	struct address_space *space, vaddr_t address, enum fault_access access, void **data)
{
	static const unsigned mmu_access[] = {0, MMU_READ, MMU_WRITE, MMU_EXECUTE};

	address_space_switch(space);
	for (unsigned tries = 0; tries < 3; tries++) {
		paddr_t physical = host_mmu_access(&space->arch, address, mmu_access[access] | MMU_USER);
		enum fault_kind kind;

		if (physical != PADDR_NONE) {
			*data = phys_to_virt(physical);
			return FAULT_NONE;
		}
		kind = address_space_fault(space, address, access);
		if (kind)
			return kind;
	}
	CHECK(!"the fault was resolved");
	return FAULT_PAGE;
}

static enum fault_kind expected_fault(const struct page *page, enum fault_access access)
{
	static const uint64_t needed[] = {0, MAPPING_READ, MAPPING_WRITE, MAPPING_EXECUTE};

	if (!page->mapped)
		return FAULT_PAGE;
	if (page->flags & MAPPING_GUARD)
		return FAULT_STACK_GUARD;
	return page->flags & needed[access] ? FAULT_NONE : FAULT_PAGE;
}

// The content of a page stands at both its ends, so that half a copy shows.
static uint64_t page_content(const void *data)
{
	const uint64_t *words = data;

	CHECK(words[0] == words[PAGE_SIZE / sizeof(*words) - 1]);
	return words[0];
}

static void set_page_content(void *data, uint64_t value)
{
	uint64_t *words = data;

	words[0] = value;
	words[PAGE_SIZE / sizeof(*words) - 1] = value;
}

static void access_one(struct model_space *model, unsigned number)
{
	enum fault_access access = FAULT_ACCESS_READ + (unsigned)random_below(3);
	struct page *page = &model->pages[number];
	enum fault_kind kind;
	void *data;

	kind = access_page(model->space, address_of(number), access, &data);
	CHECK(kind == expected_fault(page, access));
	if (kind)
		return;
	CHECK(page_content(data) == *page->cell);
	if (access == FAULT_ACCESS_WRITE) {
		*page->cell = random_below(1 << 30);
		set_page_content(data, *page->cell);
	}
}

static void do_access(struct model_space *model)
{
	unsigned first = (unsigned)random_below(WINDOW_PAGES - 8);

	for (unsigned i = 0; i < 8; i++)
		access_one(model, first + i);
}

// As an access, but through the frame: what IPC and futexes do.
static void do_pin(struct model_space *model)
{
	unsigned number = (unsigned)random_below(WINDOW_PAGES);
	bool for_write = random_below(2);
	struct page *page = &model->pages[number];
	enum fault_kind kind = expected_fault(page, for_write ? FAULT_ACCESS_WRITE : FAULT_ACCESS_READ);
	paddr_t frame;
	enum error error = address_space_pin(model->space, address_of(number), for_write, &frame);

	CHECK(error == (kind ? ERR_PEER_FAULT : ERR_OK));
	if (error)
		return;
	CHECK(page_content(phys_to_virt(frame)) == *page->cell);
	if (for_write) {
		*page->cell = random_below(1 << 30);
		set_page_content(phys_to_virt(frame), *page->cell);
	}
	frame_unpin(frame);
}

// --- Mapping

static uint64_t random_access(void)
{
	static const uint64_t choices[] = {0, MAPPING_READ, MAPPING_READ | MAPPING_WRITE,
		MAPPING_READ | MAPPING_WRITE, MAPPING_READ | MAPPING_WRITE, MAPPING_READ | MAPPING_EXECUTE};

	return choices[random_below(6)];
}

static bool window_is_free(const struct model_space *model, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		if (model->pages[i].mapped)
			return false;
	}
	return true;
}

// The first page at or above `from` with so many free ones; WINDOW_PAGES: none.
static unsigned first_free(const struct model_space *model, unsigned from, unsigned count)
{
	while (from + count <= WINDOW_PAGES && !window_is_free(model, from, count))
		from++;
	return from + count <= WINDOW_PAGES ? from : WINDOW_PAGES;
}

static void model_map(struct model_space *model, unsigned first, unsigned count, uint64_t flags,
	uint64_t allowed, const struct model_object *object, unsigned object_page)
{
	uint64_t *shared_id = flags & MAPPING_SHARED ? new_cell(0) : NULL;

	for (unsigned i = 0; i < count; i++) {
		struct page *page = &model->pages[first + i];

		*page = (struct page){.mapped = true, .flags = flags, .allowed = allowed};
		if (object) {
			page->source = object->memory;
			page->source_page = object_page + i;
			page->cell = object->cells[object_page + i];
		} else if (!(flags & MAPPING_GUARD)) {
			page->source = shared_id; // of shared anonymous memory
			page->source_page = i;
			page->cell = new_cell(0);
		}
	}
}

// The space and range in which a mapping is being replaced; NULL: none.
static struct model_space *replacing;
static vaddr_t replacing_start, replacing_end;

static struct model_object *random_object(void)
{
	struct model_object *object = &objects[random_below(OBJECTS)];

	return object->memory ? object : NULL;
}

static void do_map(struct model_space *model)
{
	unsigned count = 1 + (unsigned)random_below(random_below(8) ? 12 : 150);
	unsigned first = (unsigned)random_below(WINDOW_PAGES - count);
	struct model_object *object = random_below(2) ? random_object() : NULL;
	unsigned object_page = 0;
	uint64_t access = random_access();
	uint64_t allowed = random_below(4) ? MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE
					   : MAPPING_READ | MAPPING_EXECUTE;
	struct map_request request = {.address = address_of(first), .flags = access};
	vaddr_t address = 0;
	enum error error;

	if (random_below(8) == 0) {
		request.flags = MAPPING_GUARD;
		object = NULL;
	} else if (random_below(3) == 0) {
		request.flags |= MAPPING_SHARED;
	}
	if (object && object->pages < count)
		count = (unsigned)object->pages;
	if (object)
		object_page = (unsigned)random_below(object->pages - count + 1);
	request.length = count * PAGE_SIZE;
	request.offset = object_page * PAGE_SIZE;
	if (random_below(2))
		request.flags |= MAPPING_FIXED | (random_below(2) ? MAPPING_REPLACE : 0);
	replacing = request.flags & MAPPING_REPLACE ? model : NULL;
	replacing_start = request.address;
	replacing_end = request.address + request.length;
	error = address_space_map(model->space, object ? object->memory : NULL, &request, allowed, &address);
	replacing = NULL;
	if (request.flags & access & ~allowed) {
		CHECK(error == ERR_NO_RIGHTS);
		return;
	}
	if (!(request.flags & MAPPING_FIXED)) {
		CHECK(error == ERR_OK);
		first = first_free(model, first, count);
		if (first == WINDOW_PAGES) { // it went above the window
			CHECK(address + request.length > address_of(WINDOW_PAGES));
			CHECK(address_space_unmap(model->space, address, request.length) == ERR_OK);
			return;
		}
	} else if (!(request.flags & MAPPING_REPLACE) && !window_is_free(model, first, count)) {
		CHECK(error == ERR_EXISTS);
		return;
	}
	CHECK(error == ERR_OK && address == address_of(first));
	model_map(model, first, count, request.flags & ~(MAPPING_FIXED | MAPPING_REPLACE), allowed, object,
		object_page);
}

static void do_unmap(struct model_space *model)
{
	unsigned count = 1 + (unsigned)random_below(random_below(20) ? 10 : WINDOW_PAGES - 1);
	unsigned first = (unsigned)random_below(WINDOW_PAGES - count + 1);

	CHECK(address_space_unmap(model->space, address_of(first), count * PAGE_SIZE) == ERR_OK);
	for (unsigned i = first; i < first + count; i++)
		model->pages[i].mapped = false;
}

static enum error expected_protect(
	const struct model_space *model, unsigned first, unsigned count, uint64_t access)
{
	bool forbidden = false;

	for (unsigned i = first; i < first + count; i++) {
		const struct page *page = &model->pages[i];

		if (!page->mapped || (page->flags & MAPPING_GUARD))
			return forbidden ? ERR_NO_RIGHTS : ERR_NOT_FOUND;
		forbidden |= (access & ~page->allowed) != 0;
	}
	return forbidden ? ERR_NO_RIGHTS : ERR_OK;
}

static void do_protect(struct model_space *model)
{
	unsigned count = 1 + (unsigned)random_below(random_below(6) ? 6 : 100);
	unsigned first = (unsigned)random_below(WINDOW_PAGES - count + 1);
	uint64_t access = random_access();
	enum error error = address_space_protect(model->space, address_of(first), count * PAGE_SIZE, access);

	CHECK(error == expected_protect(model, first, count, access));
	for (unsigned i = first; !error && i < first + count; i++)
		model->pages[i].flags = (model->pages[i].flags & ~(uint64_t)7) | access;
}

// --- Looking

static bool continues(const struct page *lower, const struct page *upper)
{
	return upper->mapped && lower->flags == upper->flags && lower->allowed == upper->allowed &&
		lower->source == upper->source &&
		(lower->source == NULL || lower->source_page + 1 == upper->source_page);
}

// The mapping at or above a page is as large as it can be.
static void do_query(struct model_space *model)
{
	unsigned page = (unsigned)random_below(WINDOW_PAGES);
	vaddr_t address = address_of(page);
	struct mapping_info info;
	enum error error = address_space_query(model->space, address, &info);
	unsigned first, end;

	while (page < WINDOW_PAGES && !model->pages[page].mapped)
		page++;
	CHECK(error == (page == WINDOW_PAGES ? ERR_NOT_FOUND : ERR_OK));
	if (error)
		return;
	for (first = page; first > 0 && model->pages[first - 1].mapped &&
		continues(&model->pages[first - 1], &model->pages[first]);)
		first--;
	for (end = page + 1; end < WINDOW_PAGES && continues(&model->pages[end - 1], &model->pages[end]);)
		end++;
	CHECK(info.address == address_of(first) && info.length == (end - first) * PAGE_SIZE);
	CHECK(info.flags == model->pages[page].flags);
}

// --- Whole spaces

static void make_space(struct model_space *model)
{
	memset(model, 0, sizeof(*model));
	model->space = address_space_create(&root_account);
	CHECK(model->space != NULL);
}

static void do_clone(struct model_space *model)
{
	struct model_space *copy = &spaces[random_below(SPACES)];

	if (copy->space)
		return;
	copy->space = address_space_clone(model->space, &root_account);
	CHECK(copy->space != NULL);
	memcpy(copy->pages, model->pages, sizeof(copy->pages));
	for (unsigned i = 0; i < WINDOW_PAGES; i++) {
		struct page *page = &copy->pages[i];
		bool physical = false;

		for (unsigned j = 0; page->source && j < OBJECTS; j++)
			physical |= objects[j].memory == page->source && objects[j].physical;
		if (!page->mapped || page->cell == NULL || (page->flags & MAPPING_SHARED) || physical)
			continue;
		page->cell = new_cell(*page->cell);
		page->source = NULL;
	}
}

static void end_space(struct model_space *model)
{
	object_put(&model->space->object);
	object_reap();
	model->space = NULL;
}

// --- Objects

static bool object_is_mapped(const struct model_object *object)
{
	for (unsigned i = 0; i < SPACES * WINDOW_PAGES; i++) {
		const struct model_space *model = &spaces[i / WINDOW_PAGES];

		if (model->space && model->pages[i % WINDOW_PAGES].source == object->memory)
			return true;
	}
	return false;
}

static void make_object(struct model_object *object)
{
	static const uint64_t flags[] = {0, 0, MEMORY_RESIDENT, MEMORY_CONTIGUOUS};

	object->pages = 1 + random_below(OBJECT_PAGES);
	object->physical = random_below(4) == 0;
	if (object->physical) { // the hole between the two ranges of RAM
		paddr_t hole = boot_machine.memory[0].base + boot_machine.memory[0].length;

		memset(phys_to_virt(hole), 0, object->pages * PAGE_SIZE);
		object->memory = memory_create_from_frames(&root_account, hole, object->pages * PAGE_SIZE);
	} else {
		object->memory = memory_create(
			&root_account, object->pages * PAGE_SIZE, flags[random_below(4)]);
	}
	CHECK(object->memory != NULL);
	for (unsigned i = 0; i < object->pages; i++)
		object->cells[i] = new_cell(0);
}

static void end_object(struct model_object *object)
{
	object_put(&object->memory->object);
	object_reap();
	object->memory = NULL;
}

static bool any_physical(void)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (objects[i].memory && objects[i].physical)
			return true;
	}
	return false;
}

static void clone_object(struct model_object *parent, struct model_object *child)
{
	uint64_t first = random_below(parent->pages);

	child->physical = false;
	child->pages = 1 + random_below(parent->pages - first);
	child->memory = memory_clone(
		parent->memory, &root_account, first * PAGE_SIZE, child->pages * PAGE_SIZE);
	CHECK(child->memory != NULL);
	for (unsigned i = 0; i < child->pages; i++)
		child->cells[i] = new_cell(*parent->cells[first + i]);
}

// Reads or writes some pages as the kernel does.
static void copy_object(struct model_object *object)
{
	static char buffer[8 * PAGE_SIZE];
	uint64_t first = random_below(object->pages);
	uint64_t count = 1 + random_below(object->pages - first < 8 ? object->pages - first : 8);

	if (random_below(2)) {
		CHECK(memory_read(object->memory, first * PAGE_SIZE, buffer, count * PAGE_SIZE) == MEMORY_OK);
		for (unsigned i = 0; i < count; i++)
			CHECK(page_content(buffer + i * PAGE_SIZE) == *object->cells[first + i]);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		*object->cells[first + i] = random_below(1 << 30);
		set_page_content(buffer + i * PAGE_SIZE, *object->cells[first + i]);
	}
	CHECK(memory_write(object->memory, first * PAGE_SIZE, buffer, count * PAGE_SIZE) == MEMORY_OK);
}

static void do_object(void)
{
	struct model_object *object = &objects[random_below(OBJECTS)];
	struct model_object *other = random_object();

	if (object->memory == NULL) {
		if (other && !other->physical && random_below(2))
			clone_object(other, object);
		else if (!any_physical())
			make_object(object);
		return;
	}
	// An object's address tells its pages apart, so it must not come back while they are mapped.
	if (random_below(4) == 0 && !object_is_mapped(object))
		end_object(object);
	else
		copy_object(object);
}

// --- The run

// What is being replaced is given to nobody else.
static void map_beside_replacement(void)
{
	struct map_request request = {
		.length = PAGE_SIZE, .address = replacing_start, .flags = MAPPING_READ | MAPPING_FIXED};
	vaddr_t address;

	CHECK(address_space_map(replacing->space, NULL, &request, 7, &address) == ERR_EXISTS);
	request.flags = MAPPING_READ;
	CHECK(address_space_map(replacing->space, NULL, &request, 7, &address) == ERR_OK);
	CHECK(address >= replacing_end);
	CHECK(address_space_unmap(replacing->space, address, PAGE_SIZE) == ERR_OK);
}

// What another thread may do at a preemption point: it looks at a space of the test, and changes one place
// that the model does not know.
static void interfere(void)
{
	struct model_space *model = &spaces[random_below(SPACES)];
	vaddr_t place = address_of(WINDOW_PAGES + 40);
	struct map_request request = {.length = 3 * PAGE_SIZE,
		.address = place,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED | MAPPING_REPLACE};
	void *data;

	if (model->space == NULL || model->space->destroyed || random_below(4))
		return;
	machine_at_preemption_point = NULL;
	if (replacing)
		map_beside_replacement();
	access_page(model->space, address_of((unsigned)random_below(WINDOW_PAGES)), FAULT_ACCESS_READ, &data);
	CHECK(address_space_map(model->space, NULL, &request, 7, &place) == ERR_OK);
	CHECK(access_page(model->space, place, FAULT_ACCESS_WRITE, &data) == FAULT_NONE);
	CHECK(address_space_unmap(model->space, place, request.length) == ERR_OK);
	machine_at_preemption_point = interfere;
}

static void step(struct model_space *model)
{
	static void (*const often[])(struct model_space *) = {do_access, do_access, do_access, do_access,
		do_pin, do_map, do_access, do_unmap, do_protect, do_query};

	if (model->space == NULL) {
		if (random_below(30) == 0)
			make_space(model);
		return;
	}
	switch (random_below(40)) {
	case 0:
		do_clone(model);
		break;
	case 1:
		if (random_below(2) == 0)
			end_space(model);
		break;
	case 2:
	case 3:
		do_object();
		break;
	default:
		often[random_below(10)](model);
	}
}

static void run(uint64_t seed)
{
	random_seed(seed);
	cells_used = 0;
	machine_at_preemption_point = interfere;
	for (unsigned i = 0; i < STEPS; i++)
		step(&spaces[random_below(SPACES)]);
	for (unsigned i = 0; i < SPACES; i++) {
		if (spaces[i].space)
			end_space(&spaces[i]);
	}
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (objects[i].memory)
			end_object(&objects[i]);
	}
	CHECK(root_account.pages_used == 0 && root_account.objects_used == 0);
	CHECK(frame_free() == frame_total());
}

int main(void)
{
	machine_start(64);
	for (uint64_t seed = 1; seed <= 25; seed++)
		run(seed);
	printf("ok\n");
	return 0;
}
