// SPDX-License-Identifier: MIT
//
// Backtraces along frame pointers.

#include <arch/mmu.h>
#include <arch/thread.h>
#include <arch/usercopy.h>
#include <isa/internal.h>

struct stack_frame {
	uintptr_t caller;
	uintptr_t return_address;
};

static bool is_mapped_in_kernel(uintptr_t address)
{
	struct arch_address_space kernel = {.root = kernel_root};
	unsigned access;
	size_t size;

	return address >= ARCH_DIRECT_MAP_BASE &&
		arch_mmu_query(&kernel, address, &size, &access) != PADDR_NONE;
}

static bool read_frame(uintptr_t pointer, bool is_user, struct stack_frame *frame)
{
	if (pointer % sizeof(uintptr_t) != 0)
		return false;
	if (is_user)
		return pointer >= ARCH_USER_START && pointer < ARCH_USER_END - sizeof(*frame) &&
			arch_copy_from_user(frame, pointer, sizeof(*frame)) == 0;
	if (!is_mapped_in_kernel(pointer) || !is_mapped_in_kernel(pointer + sizeof(*frame) - 1))
		return false;
	*frame = *(const struct stack_frame *)pointer;
	return true;
}

// Frames of callers lie above those of the called: a chain that does not rise ends.
static size_t walk(uintptr_t pointer, bool is_user, uintptr_t *addresses, size_t limit)
{
	struct stack_frame frame;
	size_t count = 0;

	while (count < limit && read_frame(pointer, is_user, &frame) && frame.return_address != 0) {
		addresses[count++] = frame.return_address;
		if (frame.caller <= pointer)
			break;
		pointer = frame.caller;
	}
	return count;
}

size_t arch_backtrace(uintptr_t *addresses, size_t limit)
{
	return walk((uintptr_t)__builtin_frame_address(0), false, addresses, limit);
}

size_t arch_backtrace_frame(const struct arch_frame *frame, uintptr_t *addresses, size_t limit)
{
	if (limit == 0)
		return 0;
	addresses[0] = frame->rip;
	return 1 + walk(frame->rbp, (frame->cs & 3) != 0, addresses + 1, limit - 1);
}
