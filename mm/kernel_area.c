// SPDX-License-Identifier: MIT
//
// The kernel area: its lower half holds kernel stacks, its upper half device registers. Stacks live in slots
// of equal size, each at the upper end of its slot; what is below it in the slot is never mapped, so an
// overflow faults. A few freed stacks stay mapped for the next thread.

#include <arch/mmu.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/frame.h>
#include <kernel/spinlock.h>

#define SLOT_SIZE  ((size_t)2 * THREAD_KERNEL_STACK_MAX)
#define SLOTS_ROOM (ARCH_KERNEL_AREA_SIZE / 2 / SLOT_SIZE)
#define SLOT_COUNT (SLOTS_ROOM < (1 << 18) ? SLOTS_ROOM : (1 << 18))

#define STACKS_BASE  ((vaddr_t)ARCH_KERNEL_AREA_BASE)
#define DEVICES_BASE (STACKS_BASE + ARCH_KERNEL_AREA_SIZE / 2)
#define DEVICES_END  (STACKS_BASE + ARCH_KERNEL_AREA_SIZE)

#define KEPT_STACK_SIZE ((size_t)16 * 1024) // the default size is the one worth keeping
#define KEPT_STACKS_MAX 32

static struct {
	struct spinlock lock;              // also guards the page tables of the area
	uint8_t pages_of_slot[SLOT_COUNT]; // of the stack in a slot; 0: free
	size_t lowest_free;                // slots below it are taken
	vaddr_t kept[KEPT_STACKS_MAX];     // freed stacks that are still mapped
	unsigned kept_count;
	vaddr_t next_device;
} area = {
	.lock = SPINLOCK_INITIALIZER(RANK_KERNEL_AREA),
	.next_device = DEVICES_BASE,
};

// Maps a page, with frames for tables where they are missing. False: no frame.
static bool map_page(vaddr_t address, paddr_t physical, unsigned access)
{
	paddr_t table = PADDR_NONE;
	enum mmu_result result;

	ASSERT_LOCK_HELD(&area.lock);
	while ((result = arch_mmu_kernel_map(address, physical, access, &table)) == MMU_NEED_TABLE) {
		table = frame_allocate_zeroed();
		if (table == PADDR_NONE)
			return false;
	}
	if (table != PADDR_NONE)
		frame_release(table);
	assert(result == MMU_DONE);
	return true;
}

// Unmaps pages of a stack and frees their frames once no CPU has translations.
static void unmap_stack(vaddr_t stack, size_t pages)
{
	paddr_t frames[THREAD_KERNEL_STACK_MAX >> PAGE_SHIFT];

	ASSERT_LOCK_HELD(&area.lock);
	for (size_t i = 0; i < pages; i++)
		frames[i] = arch_mmu_kernel_unmap(stack + i * PAGE_SIZE);
	tlb_shootdown(NULL, stack, pages);
	for (size_t i = 0; i < pages; i++)
		frame_release(frames[i]);
}

static bool map_stack(vaddr_t stack, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		paddr_t frame = frame_allocate();

		if (frame != PADDR_NONE && map_page(stack + i * PAGE_SIZE, frame, MMU_READ | MMU_WRITE))
			continue;
		if (frame != PADDR_NONE)
			frame_release(frame);
		unmap_stack(stack, i);
		return false;
	}
	return true;
}

static size_t slot_of(vaddr_t address)
{
	return (address - STACKS_BASE) / SLOT_SIZE;
}

static vaddr_t stack_of(size_t slot, size_t size)
{
	return STACKS_BASE + (slot + 1) * SLOT_SIZE - size;
}

static vaddr_t new_stack(size_t size)
{
	size_t pages = size >> PAGE_SHIFT;
	size_t slot = area.lowest_free;

	ASSERT_LOCK_HELD(&area.lock);
	while (slot < SLOT_COUNT && area.pages_of_slot[slot] != 0)
		slot++;
	area.lowest_free = slot;
	if (slot == SLOT_COUNT || !map_stack(stack_of(slot, size), pages))
		return 0;
	area.pages_of_slot[slot] = (uint8_t)pages;
	return stack_of(slot, size);
}

vaddr_t kernel_stack_allocate(struct account *account, size_t size)
{
	vaddr_t stack;

	assert(size > 0 && size % PAGE_SIZE == 0 && size <= THREAD_KERNEL_STACK_MAX);
	if (!account_charge_pages(account, size >> PAGE_SHIFT))
		return 0;
	spin_lock(&area.lock);
	if (size == KEPT_STACK_SIZE && area.kept_count > 0) {
		stack = area.kept[--area.kept_count];
	} else {
		stack = new_stack(size);
	}
	spin_unlock(&area.lock);
	if (stack == 0)
		account_uncharge_pages(account, size >> PAGE_SHIFT);
	return stack;
}

void kernel_stack_free(struct account *account, vaddr_t stack, size_t size)
{
	size_t slot = slot_of(stack);

	spin_lock(&area.lock);
	assert(area.pages_of_slot[slot] == size >> PAGE_SHIFT && stack == stack_of(slot, size));
	if (size == KEPT_STACK_SIZE && area.kept_count < KEPT_STACKS_MAX) {
		area.kept[area.kept_count++] = stack;
	} else {
		unmap_stack(stack, size >> PAGE_SHIFT);
		area.pages_of_slot[slot] = 0;
		if (slot < area.lowest_free)
			area.lowest_free = slot;
	}
	spin_unlock(&area.lock);
	account_uncharge_pages(account, size >> PAGE_SHIFT);
}

// Reads without the lock: it is asked about a fault, which may have come with any lock held.
bool kernel_address_is_guard(vaddr_t address)
{
	size_t slot = slot_of(address);
	uint8_t pages;

	if (address < STACKS_BASE || slot >= SLOT_COUNT)
		return false;
	pages = __atomic_load_n(&area.pages_of_slot[slot], __ATOMIC_RELAXED);
	return pages != 0 && address < stack_of(slot, (size_t)pages << PAGE_SHIFT);
}

void *kernel_map_device(paddr_t physical, size_t length)
{
	size_t offset = physical % PAGE_SIZE;
	size_t pages = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	vaddr_t address;

	spin_lock(&area.lock);
	address = area.next_device;
	if (pages > (DEVICES_END - address) >> PAGE_SHIFT) {
		spin_unlock(&area.lock);
		return NULL;
	}
	area.next_device += pages << PAGE_SHIFT;
	for (size_t i = 0; i < pages; i++) {
		if (!map_page(address + i * PAGE_SIZE, physical - offset + i * PAGE_SIZE,
			    MMU_READ | MMU_WRITE | MMU_DEVICE)) {
			spin_unlock(&area.lock);
			return NULL;
		}
	}
	spin_unlock(&area.lock);
	return (void *)(address + offset);
}
