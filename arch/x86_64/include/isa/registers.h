// SPDX-License-Identifier: MIT
//
// Control and model-specific registers, I/O ports and the CPU's features (Intel SDM volumes 3 and 4).

#ifndef ISA_REGISTERS_H
#define ISA_REGISTERS_H

#include <isa/asm.h>
#include <stdbool.h>
#include <stdint.h>

#define CR0_PROTECTION     ((uint64_t)1 << 0)
#define CR0_MONITOR_FPU    ((uint64_t)1 << 1)
#define CR0_TASK_SWITCHED  ((uint64_t)1 << 3)
#define CR0_NUMERIC_ERROR  ((uint64_t)1 << 5)
#define CR0_WRITE_PROTECT  ((uint64_t)1 << 16)
#define CR0_ALIGNMENT_MASK ((uint64_t)1 << 18)
#define CR0_PAGING         ((uint64_t)1 << 31)

#define CR3_KEEP_PCID ((uint64_t)1 << 63)

#define CR4_PAE             ((uint64_t)1 << 5)
#define CR4_MACHINE_CHECK   ((uint64_t)1 << 6)
#define CR4_GLOBAL_PAGES    ((uint64_t)1 << 7)
#define CR4_FXSAVE          ((uint64_t)1 << 9)
#define CR4_SIMD_EXCEPTIONS ((uint64_t)1 << 10)
#define CR4_UMIP            ((uint64_t)1 << 11)
#define CR4_FSGSBASE        ((uint64_t)1 << 16)
#define CR4_PCID            ((uint64_t)1 << 17)
#define CR4_XSAVE           ((uint64_t)1 << 18)
#define CR4_SMEP            ((uint64_t)1 << 20)
#define CR4_SMAP            ((uint64_t)1 << 21)

#define RFLAGS_CARRY          ((uint64_t)1 << 0)
#define RFLAGS_ONE            ((uint64_t)1 << 1)
#define RFLAGS_PARITY         ((uint64_t)1 << 2)
#define RFLAGS_ADJUST         ((uint64_t)1 << 4)
#define RFLAGS_ZERO           ((uint64_t)1 << 6)
#define RFLAGS_SIGN           ((uint64_t)1 << 7)
#define RFLAGS_TRAP           ((uint64_t)RFLAGS_TRAP_FLAG)
#define RFLAGS_INTERRUPT_FLAG ((uint64_t)1 << 9)
#define RFLAGS_DIRECTION      ((uint64_t)1 << 10)
#define RFLAGS_OVERFLOW       ((uint64_t)1 << 11)
#define RFLAGS_IO_PRIVILEGE   ((uint64_t)3 << 12)
#define RFLAGS_NESTED_TASK    ((uint64_t)1 << 14)
#define RFLAGS_RESUME         ((uint64_t)1 << 16)
#define RFLAGS_ALIGNMENT      ((uint64_t)1 << 18)
#define RFLAGS_ID             ((uint64_t)1 << 21)

enum msr {
	MSR_APIC_BASE = 0x1b,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC = 0x800,
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_FLAG_MASK = 0xc0000084,
	MSR_FS_BASE = 0xc0000100,
	MSR_GS_BASE = 0xc0000101,
	MSR_KERNEL_GS_BASE = 0xc0000102,
};

static inline uint64_t read_msr(enum msr msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void write_msr(enum msr msr, uint64_t value)
{
	uint32_t low = (uint32_t)(value & UINT32_MAX), high = (uint32_t)(value >> 32);

	__asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high) : "memory");
}

#define DEFINE_CONTROL_REGISTER(name)                                                \
	static inline uint64_t read_##name(void)                                     \
	{                                                                            \
		uint64_t value;                                                      \
		__asm__ volatile("movq %%" #name ", %0" : "=r"(value) : : "memory"); \
		return value;                                                        \
	}                                                                            \
	static inline void write_##name(uint64_t value)                              \
	{                                                                            \
		__asm__ volatile("movq %0, %%" #name : : "r"(value) : "memory");     \
	}

DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr2)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)
DEFINE_CONTROL_REGISTER(dr6)
DEFINE_CONTROL_REGISTER(dr7)

struct cpu_features {
	bool fsgsbase;
	bool gigabyte_pages;
	bool pcid;
	bool rdrand;
	bool rdseed;
	bool smap;
	bool smep;
	bool tsc_deadline;
	bool umip;
	bool x2apic;
	bool xsave;
	bool avx;
	bool fpu_pointers_leak; // FXRSTOR and XRSTOR leave the x87 pointers of the thread before (AMD)
};

// Of the boot CPU; all CPUs are taken to have the same.
extern struct cpu_features cpu_features;

#endif
