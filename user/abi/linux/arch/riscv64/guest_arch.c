// SPDX-License-Identifier: MIT
//
// Linux on RISC-V 64: features, registers by name, and the call that flushes instruction caches.

#include <linux/calls/calls.h>
#include <linux/interface/errors.h>
#include <linux/memory/memory.h>
#include <linux/process/process.h>

#define ISA_LETTER(letter) ((uint64_t)1 << ((letter) - 'A'))

bool guest_register(const struct registers *registers, unsigned index, struct guest_register *result)
{
	static const char names[32][5] = {"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",
		"a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
		"s10", "s11", "t3", "t4", "t5", "t6"};

	if (index >= 32)
		return false;
	*result = (struct guest_register){names[index], index == 0 ? registers->pc : registers->x[index]};
	return true;
}

// Linux tells the single-letter extensions as bits.
uint64_t guest_capabilities(void)
{
	return ISA_LETTER('I') | ISA_LETTER('M') | ISA_LETTER('A') | ISA_LETTER('F') | ISA_LETTER('D') |
		ISA_LETTER('C');
}

int64_t linux_riscv_flush_icache(struct thread *thread, guest_address_t start, guest_address_t end)
{
	if (end < start || end > GUEST_ADDRESS_END)
		return -LINUX_EINVAL;
	guest_memory_sync_code(thread->process->memory, start, end - start);
	return 0;
}
