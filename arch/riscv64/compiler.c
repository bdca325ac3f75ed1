// SPDX-License-Identifier: MIT
//
// What the compiler calls where rv64imac has no instruction: counting zeros (Zbb has it) and atomic
// operations on bytes. Its own library is built for another floating-point ABI and cannot be linked.

#include <stdatomic.h>
#include <stdint.h>

int isa_count_leading_zeros(uint64_t value) __asm__("__clzdi2");
int isa_count_trailing_zeros(uint64_t value) __asm__("__ctzdi2");
uint8_t isa_exchange_byte(volatile void *address, uint8_t value, int order) __asm__("__atomic_exchange_1");

int isa_count_leading_zeros(uint64_t value)
{
	int count = 63;

	for (int half = 32; half > 0; half /= 2) {
		if (value >> half != 0) {
			value >>= half;
			count -= half;
		}
	}
	return count;
}

int isa_count_trailing_zeros(uint64_t value)
{
	return 63 - isa_count_leading_zeros(value & -value);
}

// Through the aligned word that the byte is in.
uint8_t isa_exchange_byte(volatile void *address, uint8_t value, int order)
{
	_Atomic uint32_t *word = (_Atomic uint32_t *)((uintptr_t)address & ~(uintptr_t)3);
	unsigned shift = (uintptr_t)address % 4 * 8;
	uint32_t mask = (uint32_t)0xff << shift;
	uint32_t old = atomic_load_explicit(word, memory_order_relaxed);

	(void)order;
	while (!atomic_compare_exchange_weak(word, &old, (old & ~mask) | (uint32_t)value << shift))
		;
	return (uint8_t)(old >> shift);
}
