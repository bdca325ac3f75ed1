// SPDX-License-Identifier: MIT
//
// Backtraces along the frame pointers (AAPCS64, 6.2.3): each points at a record of the caller's frame pointer
// and the return address.

#include <arch/thread.h>
#include <arch/usercopy.h>
#include <isa/internal.h>

// Records further apart than a kernel stack can be large are not followed.
#define RECORD_DISTANCE_MAX 65536

#define PSTATE_MODE      0xf
#define PSTATE_MODE_USER 0

struct frame_record {
	uintptr_t next;
	uintptr_t return_address;
};

// Reads the record at `address`. `below` is the address of the one before, or the stack pointer.
static bool read_record(bool user, uintptr_t address, uintptr_t below, struct frame_record *record)
{
	if (address < below || address - below > RECORD_DISTANCE_MAX || address % sizeof(uintptr_t) != 0)
		return false;
	if (!user) {
		*record = *(const struct frame_record *)address;
		return true;
	}
	return address >= ARCH_USER_START && address <= ARCH_USER_END - sizeof(*record) &&
		arch_copy_from_user(record, address, sizeof(*record)) == 0;
}

static size_t follow(bool user, uintptr_t address, uintptr_t below, uintptr_t *addresses, size_t limit)
{
	struct frame_record record;
	size_t count = 0;

	while (count < limit && read_record(user, address, below, &record) && record.return_address != 0) {
		addresses[count++] = record.return_address;
		below = address + sizeof(record);
		address = record.next;
	}
	return count;
}

size_t arch_backtrace(uintptr_t *addresses, size_t limit)
{
	uintptr_t frame_pointer = (uintptr_t)__builtin_frame_address(0);

	return follow(false, frame_pointer, frame_pointer, addresses, limit);
}

size_t arch_backtrace_frame(const struct arch_frame *frame, uintptr_t *addresses, size_t limit)
{
	bool user = (frame->pstate & PSTATE_MODE) == PSTATE_MODE_USER;

	if (limit == 0)
		return 0;
	addresses[0] = frame->pc;
	return 1 + follow(user, frame->x[29], frame->sp, addresses + 1, limit - 1);
}
