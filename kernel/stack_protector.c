// SPDX-License-Identifier: MIT
//
// The compiler's stack protector: a canary between a function's arrays and its return address.

#include <kernel/panic.h>
#include <kernel/random.h>
#include <kernel/stack_protector.h>
#include <stdint.h>

extern uintptr_t __stack_chk_guard;
void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = (uintptr_t)0x5aff00ff0aff5a00;

// Its own canary would change under it.
__attribute__((no_stack_protector)) void stack_protector_init(void)
{
	uintptr_t canary;

	random_fill(&canary, sizeof(canary));
	// A zero byte stops string functions.
	__stack_chk_guard = canary & ~(uintptr_t)0xff;
}

void __stack_chk_fail(void)
{
	panic("kernel stack overwritten past an array");
}
