// SPDX-License-Identifier: MIT
//
// The Power State Coordination Interface (Arm DEN0022, version 0.2 on): other CPUs, power off, reset.

#include <arch/cpu.h>
#include <isa/internal.h>

#define PSCI_CPU_ON       0xc4000003
#define PSCI_SYSTEM_OFF   0x84000008
#define PSCI_SYSTEM_RESET 0x84000009

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;

// The SMC calling convention (Arm DEN0028): x0 to x17 may change.
static int64_t psci_call(uint64_t function, uint64_t argument1, uint64_t argument2, uint64_t argument3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = argument1;
	register uint64_t x2 __asm__("x2") = argument2;
	register uint64_t x3 __asm__("x3") = argument3;

#define PSCI_CALL(instruction)                                                                           \
	__asm__ volatile(instruction                                                                     \
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                        \
			 :                                                                               \
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", \
			 "x16", "x17", "memory")
	if (conduit == CONDUIT_HVC)
		PSCI_CALL("hvc #0");
	else if (conduit == CONDUIT_SMC)
		PSCI_CALL("smc #0");
	else
		return -1; // NOT_SUPPORTED
	return (int64_t)x0;
}

void psci_init(const struct fdt *fdt)
{
	fdt_node node = fdt_find_compatible(fdt, FDT_NONE, "arm,psci-0.2");
	const char *method;

	if (node == FDT_NONE)
		node = fdt_find_compatible(fdt, FDT_NONE, "arm,psci-1.0");
	method = fdt_get_string(fdt, node, "method");
	if (method != NULL && __builtin_strcmp(method, "hvc") == 0)
		conduit = CONDUIT_HVC;
	else if (method != NULL && __builtin_strcmp(method, "smc") == 0)
		conduit = CONDUIT_SMC;
}

bool psci_cpu_on(uint64_t hardware_id, paddr_t entry, uint64_t context)
{
	return psci_call(PSCI_CPU_ON, hardware_id, entry, context) == 0;
}

void arch_power_off(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void arch_reset(void)
{
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}
