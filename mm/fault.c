// SPDX-License-Identifier: MIT
//
// Page faults, and reaching a page of any space from outside.
//
// The first touch of an anonymous page, be it a read, makes a zeroed frame. A shared zero page would save
// frames that are only read, but most pages are written soon after: this way they fault once, and an entry
// that is present always means a page that is resident, which lets unmapping look at what there is instead of
// at every address.

#include "mapping.h"
#include <arch/usercopy.h>
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/trap.h>

#define FAULT_AHEAD 16 // pages that a mapping may have for them to be entered at once

// A page of a space, with the locks of its memory and of the space held.
struct page {
	const struct mapping *mapping;
	paddr_t frame;
	bool writable;
};

// Finds or makes the page for an access (MAPPING_READ ...); `exclusive`: its frame is shown to nobody's copy. On FAULT_NONE the
// memory's lock is held too.
static enum fault_kind find_page(
	struct address_space *space, vaddr_t address, uint64_t access, bool exclusive, struct page *page)
{
	enum memory_result result;
	struct mapping *mapping;
	struct memory *memory;
	uint64_t offset;

	ASSERT_LOCK_HELD(&space->lock);
	mapping = address < ARCH_USER_END && !space->destroyed ? mapping_at(space, address) : NULL;
	if (mapping == NULL)
		return FAULT_PAGE;
	if (mapping->flags & MAPPING_GUARD)
		return FAULT_STACK_GUARD;
	if (access & ~mapping->flags)
		return FAULT_PAGE;
	memory = mapping->memory;
	offset = mapping->offset + (address - mapping->address);
	page->mapping = mapping;
	spin_lock(&memory->lock);
	result = memory_get_page(memory, offset, exclusive, &page->frame, &page->writable);
	if (result == MEMORY_OK)
		return FAULT_NONE;
	spin_unlock(&memory->lock);
	return result == MEMORY_MISSING ? FAULT_PAGER : FAULT_NO_MEMORY;
}

// --- Faults

__attribute__((noinline)) paddr_t page_table_allocate(struct address_space *space)
{
	paddr_t table;

	if (!account_charge_pages(space->object.account, 1))
		return PADDR_NONE;
	table = frame_allocate_zeroed();
	if (table == PADDR_NONE)
		account_uncharge_pages(space->object.account, 1);
	return table;
}

void page_table_free(struct address_space *space, paddr_t table)
{
	frame_release(table);
	account_uncharge_pages(space->object.account, 1);
}

static inline __attribute__((always_inline)) enum mmu_result map_entry(
	struct address_space *space, vaddr_t address, paddr_t physical, size_t size, unsigned access)
{
	paddr_t table = PADDR_NONE;
	enum mmu_result result;

	while ((result = arch_mmu_map(&space->arch, address, physical, size, access, &table)) ==
		MMU_NEED_TABLE) {
		table = page_table_allocate(space);
		if (table == PADDR_NONE)
			return MMU_NEED_TABLE;
	}
	assert(table == PADDR_NONE);
	return result;
}

enum mmu_result page_table_map(
	struct address_space *space, vaddr_t address, paddr_t physical, size_t size, unsigned access)
{
	return map_entry(space, address, physical, size, access);
}

// While access is changed in steps, a fault may get ahead of them with an entry that loses some; they then find nothing to do there.
__attribute__((noinline)) void page_table_renew(struct address_space *space, vaddr_t address, unsigned access)
{
	unsigned before;
	size_t size;

	arch_mmu_query(&space->arch, address, &size, &before);
	arch_mmu_protect(&space->arch, address, access);
	if (before & ~access)
		tlb_shootdown(space, address, size >> PAGE_SHIFT);
	else
		arch_tlb_flush(&space->arch, address, size >> PAGE_SHIFT);
}

static unsigned entry_access(const struct page *page)
{
	unsigned access = mapping_access(page->mapping->flags) | MMU_USER;

	if (!page->writable)
		access &= ~(unsigned)MMU_WRITE;
	if (page->mapping->flags & MAPPING_DEVICE)
		access |= MMU_DEVICE;
	return access;
}

// Enters a page into the page tables. False: no memory for a table.
static bool enter_page(struct address_space *space, vaddr_t address, const struct page *page)
{
	unsigned access = entry_access(page);
	enum mmu_result result;

	if ((access & MMU_EXECUTE) && page->mapping->memory->readable) {
		arch_sync_code(phys_to_virt(page->frame), PAGE_SIZE);
		code_shootdown(space);
	}
	result = map_entry(space, address, page->frame, PAGE_SIZE, access);
	if (result == MMU_OCCUPIED) {
		assert(arch_mmu_query(&space->arch, address, &(size_t){0}, &(unsigned){0}) == page->frame);
		large_page_split(space, address);
		page_table_renew(space, address, access);
	}
	return result != MMU_NEED_TABLE;
}

__attribute__((noinline, flatten)) void fault_ahead(
	struct address_space *space, const struct mapping *mapping)
{
	struct memory *memory = mapping->memory;
	uint64_t end = mapping->offset + mapping->length, at = mapping->offset;

	ASSERT_LOCK_HELD(&memory->lock);
	if (mapping->length > FAULT_AHEAD * PAGE_SIZE ||
		(mapping->flags & (MAPPING_READ | MAPPING_EXECUTE)) != MAPPING_READ)
		return;
	for (; at < end; at += PAGE_SIZE) {
		struct page page = {.mapping = mapping, .frame = memory_resident_page(memory, at)};

		if (page.frame == PADDR_NONE)
			continue;
		page.writable = memory_may_write(memory, page.frame);
		if (!enter_page(space, mapping->address + (at - mapping->offset), &page))
			break;
	}
}

static uint64_t needed_access(enum fault_access access)
{
	switch (access) {
	case FAULT_ACCESS_WRITE:
		return MAPPING_WRITE;
	case FAULT_ACCESS_EXECUTE:
		return MAPPING_EXECUTE;
	default:
		return MAPPING_READ;
	}
}

__attribute__((flatten)) enum fault_kind address_space_fault(
	struct address_space *space, vaddr_t address, enum fault_access access)
{
	vaddr_t page_address = address & ~(vaddr_t)(PAGE_SIZE - 1);
	enum fault_kind kind;
	struct page page;

	ASSERT_NO_LOCKS_HELD();
	spin_lock(&space->lock);
	kind = find_page(space, page_address, needed_access(access), access == FAULT_ACCESS_WRITE, &page);
	if (!kind) {
		if (!(page.mapping->memory->large &&
			    large_page_enter(space, page_address, page.mapping, entry_access(&page))) &&
			!enter_page(space, page_address, &page))
			kind = FAULT_NO_MEMORY;
		spin_unlock(&page.mapping->memory->lock);
	}
	spin_unlock(&space->lock);
	return kind;
}

struct memory *address_space_paged(struct address_space *space, vaddr_t address, uint64_t *offset)
{
	vaddr_t page_address = address & ~(vaddr_t)(PAGE_SIZE - 1);
	struct memory *memory = NULL;
	const struct mapping *mapping;

	spin_lock(&space->lock);
	mapping = mapping_at(space, page_address);
	if (mapping && mapping->memory && mapping->memory->pager) {
		memory = mapping->memory;
		object_get(&memory->object);
		*offset = mapping->offset + (page_address - mapping->address);
	}
	spin_unlock(&space->lock);
	return memory;
}

bool vm_kernel_fault(vaddr_t address, enum fault_access access)
{
	struct address_space *space = cpu_self()->address_space;

	return space && address < ARCH_USER_END && address_space_fault(space, address, access) == FAULT_NONE;
}

// --- From outside

// Pins the frame behind an address (NULL: does not); tells its key where that is wanted. What a futex compares must be the frame that
// stores reach from now on, which a copy on write would replace; pinned, it is shared with no copy any more.
static enum error pin(
	struct address_space *space, vaddr_t address, uint64_t access, paddr_t *frame, struct futex_key *key)
{
	vaddr_t page_address = address & ~(vaddr_t)(PAGE_SIZE - 1);
	enum error error = ERR_OK;
	enum fault_kind kind;
	struct page page;

	spin_lock(&space->lock);
	kind = find_page(space, page_address, access, frame && (key || access == MAPPING_WRITE), &page);
	if (kind) {
		spin_unlock(&space->lock);
		return kind == FAULT_NO_MEMORY ? ERR_NO_MEMORY : ERR_PEER_FAULT;
	}
	if (!page.mapping->memory->readable) {
		error = ERR_PEER_FAULT;
	} else if (frame) {
		frame_pin(page.frame);
		*frame = page.frame;
	}
	if (key && (page.mapping->flags & MAPPING_SHARED)) {
		key->object_id = page.mapping->memory->object.id;
		key->offset = page.mapping->offset + (address - page.mapping->address);
	} else if (key) {
		key->object_id = space->object.id;
		key->offset = address;
	}
	spin_unlock(&page.mapping->memory->lock);
	spin_unlock(&space->lock);
	return error;
}

enum error address_space_pin(struct address_space *space, vaddr_t address, bool for_write, paddr_t *frame)
{
	return pin(space, address, for_write ? MAPPING_WRITE : MAPPING_READ, frame, NULL);
}

enum error address_space_futex_key(
	struct address_space *space, vaddr_t address, uint64_t access, struct futex_key *key, paddr_t *frame)
{
	enum error error = pin(space, address, access, frame, key);

	if (error && (access == MAPPING_READ || error == ERR_PEER_FAULT))
		error = ERR_BAD_ADDRESS;
	return error;
}
