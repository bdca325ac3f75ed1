// SPDX-License-Identifier: MIT
//
// Kernel stacks: mapped wholly, nothing below them, charged; device registers.

#include "machine.h"
#include "simulated_mmu.h"
#include <kernel/address_space.h>
#include <kernel/frame.h>
#include <stdio.h>

#define STACKS 200
#define STEPS  3000

struct stack {
	vaddr_t address; // 0: none
	size_t size;
};

static struct stack stacks[STACKS];

static bool is_mapped(vaddr_t address)
{
	return host_mmu_kernel_query(address) != PADDR_NONE;
}

static void check_stack(const struct stack *stack)
{
	for (size_t at = 0; at < stack->size; at += PAGE_SIZE) {
		CHECK(is_mapped(stack->address + at));
		CHECK(!kernel_address_is_guard(stack->address + at));
	}
	CHECK(!is_mapped(stack->address - 1) && kernel_address_is_guard(stack->address - 1));
	CHECK(!is_mapped(stack->address + stack->size));
}

static bool overlap(const struct stack *a, const struct stack *b)
{
	return a->address < b->address + b->size && b->address < a->address + a->size;
}

static void step(struct stack *stack, uint64_t *charged)
{
	if (stack->address) {
		check_stack(stack);
		kernel_stack_free(&root_account, stack->address, stack->size);
		*charged -= stack->size / PAGE_SIZE;
		stack->address = 0;
		return;
	}
	stack->size = (random_below(2) ? 4 : 2 + random_below(15)) * PAGE_SIZE;
	stack->address = kernel_stack_allocate(&root_account, stack->size);
	CHECK(stack->address != 0 && stack->address % PAGE_SIZE == 0);
	*charged += stack->size / PAGE_SIZE;
	check_stack(stack);
	for (unsigned i = 0; i < STACKS; i++)
		CHECK(&stacks[i] == stack || stacks[i].address == 0 || !overlap(&stacks[i], stack));
}

static void check_device(void)
{
	paddr_t registers = 0xfee00123;
	vaddr_t address = (vaddr_t)kernel_map_device(registers, 2 * PAGE_SIZE);

	CHECK(host_mmu_kernel_query(address) == registers);
	CHECK(host_mmu_kernel_query(address + 2 * PAGE_SIZE - 1) == registers + 2 * PAGE_SIZE - 1);
	CHECK((vaddr_t)kernel_map_device(registers, 1) != address);
	CHECK(kernel_map_device(registers, (size_t)1 << 50) == NULL);
}

int main(void)
{
	uint64_t charged = 0;

	machine_start(32);
	random_seed(4);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&stacks[random_below(STACKS)], &charged);
		CHECK(root_account.pages_used == charged);
	}
	for (unsigned i = 0; i < STACKS; i++) {
		if (stacks[i].address)
			step(&stacks[i], &charged);
	}
	CHECK(root_account.pages_used == 0);
	check_device();
	printf("ok\n");
	return 0;
}
