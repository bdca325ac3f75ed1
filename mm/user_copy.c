// SPDX-License-Identifier: MIT
//
// Copies between the kernel and the current user's memory: the range is checked here, faults are the HAL's.

#include <arch/usercopy.h>
#include <kernel/assert.h>
#include <kernel/syscall.h>

bool user_range_valid(uint64_t address, uint64_t length)
{
	return address <= ARCH_USER_END && length <= ARCH_USER_END - address;
}

enum error copy_from_user(void *destination, const void __user *source, size_t length)
{
	uintptr_t from = (uintptr_t)source;

	ASSERT_NO_LOCKS_HELD();
	if (!user_range_valid(from, length) || arch_copy_from_user(destination, from, length) != 0)
		return ERR_BAD_ADDRESS;
	return ERR_OK;
}

enum error copy_to_user(void __user *destination, const void *source, size_t length)
{
	uintptr_t to = (uintptr_t)destination;

	ASSERT_NO_LOCKS_HELD();
	if (!user_range_valid(to, length) || arch_copy_to_user(to, source, length) != 0)
		return ERR_BAD_ADDRESS;
	return ERR_OK;
}
