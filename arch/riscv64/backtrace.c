// SPDX-License-Identifier: MIT
//
// Backtraces by frame pointer: s0 points just above the return address and, below that, the caller's s0.

#include "internal.h"
#include <arch/thread.h>
#include <arch/usercopy.h>
#include <tern/info.h>

struct frame_record {
	uintptr_t caller; // its s0
	uintptr_t return_address;
};

typedef bool (*record_reader)(uintptr_t address, struct frame_record *record);

static bool read_user(uintptr_t address, struct frame_record *record)
{
	return address >= ARCH_USER_START && address < ARCH_USER_END - sizeof(*record) &&
		arch_copy_from_user(record, address, sizeof(*record)) == 0;
}

static bool read_kernel(uintptr_t address, struct frame_record *record)
{
	if (address < ARCH_DIRECT_MAP_BASE)
		return false;
	*record = *(const struct frame_record *)address;
	return true;
}

// Frames follow one another upwards, within the largest stack there is.
static size_t walk(
	uintptr_t frame_pointer, record_reader read, uintptr_t span, uintptr_t *addresses, size_t limit)
{
	uintptr_t first = frame_pointer;
	struct frame_record record;
	size_t count = 0;

	while (count < limit && frame_pointer % sizeof(uintptr_t) == 0 && frame_pointer >= sizeof(record) &&
		read(frame_pointer - sizeof(record), &record) && record.return_address != 0) {
		addresses[count++] = record.return_address;
		if (record.caller <= frame_pointer || record.caller - first > span)
			break;
		frame_pointer = record.caller;
	}
	return count;
}

size_t arch_backtrace(uintptr_t *addresses, size_t limit)
{
	return walk((uintptr_t)__builtin_frame_address(0), read_kernel, THREAD_KERNEL_STACK_MAX, addresses,
		limit);
}

size_t arch_backtrace_frame(const struct arch_frame *frame, uintptr_t *addresses, size_t limit)
{
	uintptr_t frame_pointer = frame->x[REGISTER_FP];

	if (limit == 0)
		return 0;
	addresses[0] = frame->pc;
	if (!(frame->status & SSTATUS_SPP))
		return 1 + walk(frame_pointer, read_user, UINTPTR_MAX, addresses + 1, limit - 1);
	if (frame_pointer < frame->x[REGISTER_SP] ||
		frame_pointer - frame->x[REGISTER_SP] > THREAD_KERNEL_STACK_MAX)
		return 1;
	return 1 + walk(frame_pointer, read_kernel, THREAD_KERNEL_STACK_MAX, addresses + 1, limit - 1);
}
