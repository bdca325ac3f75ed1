// SPDX-License-Identifier: MIT
//
// Linux on AArch64: features and registers by name.

#include <linux/arch/guest.h>

#define HWCAP_FP    ((uint64_t)1 << 0)
#define HWCAP_ASIMD ((uint64_t)1 << 1)

bool guest_register(const struct registers *registers, unsigned index, struct guest_register *result)
{
	static const char names[31][4] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
		"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
		"x24", "x25", "x26", "x27", "x28", "x29", "x30"};
	const struct guest_register others[] = {{"sp", registers->sp}, {"pc", registers->pc},
		{"pstate", registers->pstate}, {"tpidr", registers->tpidr}};

	if (index < 31)
		*result = (struct guest_register){names[index], registers->x[index]};
	else if (index < 31 + sizeof(others) / sizeof(others[0]))
		*result = others[index - 31];
	else
		return false;
	return true;
}

uint64_t guest_capabilities(void)
{
	return HWCAP_FP | HWCAP_ASIMD;
}
