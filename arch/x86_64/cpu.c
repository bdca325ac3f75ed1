// SPDX-License-Identifier: MIT
//
// One CPU's features, control registers, descriptor tables and system-call registers.

#include <arch/cpu.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/cpu.h>

struct cpu_features cpu_features;

// --- Features

struct code_site {
	uint8_t *code;
	uint8_t patch[8]; // padded
};

#define PATCH_LENGTH 3

extern const struct code_site smap_sites_start[], smap_sites_end[], fpu_sites_start[], fpu_sites_end[];

static void patch(const struct code_site *start, const struct code_site *end)
{
	for (const struct code_site *site = start; site != end; site++) {
		for (unsigned i = 0; i < PATCH_LENGTH; i++)
			site->code[i] = site->patch[i];
	}
}

#define VENDOR_AMD_EBX 0x68747541 // "Auth" of "AuthenticAMD"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid execute_cpuid(uint32_t leaf)
{
	struct cpuid result;

	__asm__ volatile("cpuid"
			 : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx)
			 : "0"(leaf), "2"(0));
	return result;
}

// All zero for a leaf that the CPU does not have.
static struct cpuid read_cpuid(uint32_t leaf)
{
	uint32_t last = execute_cpuid(leaf & 0x80000000).eax;

	return leaf <= last ? execute_cpuid(leaf) : (struct cpuid){0};
}

static bool bit(uint32_t word, unsigned number)
{
	return (word >> number & 1) != 0;
}

void cpu_features_init(void)
{
	struct cpu_features *features = &cpu_features;
	struct cpuid basic = read_cpuid(1);
	struct cpuid structured = read_cpuid(7);
	struct cpuid extended = read_cpuid(0x80000001);
	struct cpuid capacity = read_cpuid(0x80000008);

	features->pcid = bit(basic.ecx, 17);
	features->x2apic = bit(basic.ecx, 21);
	features->tsc_deadline = bit(basic.ecx, 24);
	features->xsave = bit(basic.ecx, 26);
	features->avx = features->xsave && bit(basic.ecx, 28);
	features->rdrand = bit(basic.ecx, 30);
	features->fsgsbase = bit(structured.ebx, 0);
	features->smep = bit(structured.ebx, 7);
	features->rdseed = bit(structured.ebx, 18);
	features->smap = bit(structured.ebx, 20);
	features->umip = bit(structured.ecx, 2);
	features->gigabyte_pages = bit(extended.edx, 26);
	features->fpu_pointers_leak = read_cpuid(0).ebx == VENDOR_AMD_EBX && !bit(capacity.ebx, 2);
	if (features->smap)
		patch(smap_sites_start, smap_sites_end);
	if (!features->fpu_pointers_leak)
		patch(fpu_sites_start, fpu_sites_end);
}

void cpu_control_init(void)
{
	const struct cpu_features *features = &cpu_features;
	uint64_t cr4 = CR4_PAE | CR4_MACHINE_CHECK | CR4_GLOBAL_PAGES | CR4_FXSAVE | CR4_SIMD_EXCEPTIONS;

	if (features->umip)
		cr4 |= CR4_UMIP;
	if (features->fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (features->xsave)
		cr4 |= CR4_XSAVE;
	if (features->smep)
		cr4 |= CR4_SMEP;
	if (features->smap)
		cr4 |= CR4_SMAP;
	if (features->pcid)
		cr4 |= CR4_PCID;
	write_cr4(cr4);
	write_cr0(CR0_PAGING | CR0_ALIGNMENT_MASK | CR0_WRITE_PROTECT | CR0_NUMERIC_ERROR | CR0_MONITOR_FPU |
		CR0_PROTECTION | CR0_TASK_SWITCHED);
	fpu_init_cpu();
}

// --- Descriptor tables (Intel SDM volume 3, chapters 3, 6 and 8)

#define DESCRIPTOR_KERNEL_CODE 0x00af9b000000ffff
#define DESCRIPTOR_KERNEL_DATA 0x00cf93000000ffff
#define DESCRIPTOR_USER_DATA   0x00cff3000000ffff
#define DESCRIPTOR_USER_CODE   0x00affb000000ffff
#define DESCRIPTOR_TSS         0x0000890000000000

#define GATE_INTERRUPT      0x8e
#define GATE_INTERRUPT_USER 0xee // INT3 may use it

#define VECTOR_BREAKPOINT 3
#define IST_DOUBLE_FAULT  1
#define IST_INTERRUPT     2
#define IST_DEBUG         3

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static struct gate gates[VECTOR_COUNT];

static void init_gates(void)
{
	for (unsigned vector = 0; vector < VECTOR_COUNT; vector++) {
		uintptr_t stub = (uintptr_t)trap_stubs[vector];

		gates[vector] = (struct gate){
			.offset_low = (uint16_t)stub,
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
			.selector = SELECTOR_KERNEL_CODE,
			.type = vector == VECTOR_BREAKPOINT ? GATE_INTERRUPT_USER : GATE_INTERRUPT,
		};
	}
	gates[VECTOR_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
	gates[VECTOR_DEBUG].ist = IST_DEBUG;
	gates[VECTOR_NMI].ist = IST_INTERRUPT;
	gates[VECTOR_MACHINE_CHECK].ist = IST_INTERRUPT;
}

static void init_task_state(struct cpu *cpu)
{
	struct arch_cpu *arch = &cpu->arch;
	uintptr_t base = (uintptr_t)&arch->task_state;
	uint64_t limit = sizeof(arch->task_state) - 1;

	arch->double_fault_stack.cpu = cpu;
	arch->interrupt_stack.cpu = cpu;
	arch->task_state = (struct task_state){.io_map_base = sizeof(arch->task_state)};
	arch->task_state.ist[IST_DOUBLE_FAULT - 1] = (uintptr_t)&arch->double_fault_stack.cpu;
	arch->task_state.ist[IST_INTERRUPT - 1] = (uintptr_t)&arch->interrupt_stack.cpu;
	arch->task_state.ist[IST_DEBUG - 1] = (uintptr_t)&arch->debug_stack[DEBUG_STACK_WORDS];

	arch->gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_KERNEL_CODE;
	arch->gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_KERNEL_DATA;
	arch->gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
	arch->gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
	arch->gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | limit | (base & 0xffffff) << 16 |
		(base >> 24 & 0xff) << 56;
	arch->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void load_tables(const struct arch_cpu *arch)
{
	struct table_pointer gdt = {.limit = sizeof(arch->gdt) - 1, .base = (uintptr_t)arch->gdt};
	struct table_pointer idt = {.limit = sizeof(gates) - 1, .base = (uintptr_t)gates};

	__asm__ volatile("lgdt %0\n\t"
			 "lidt %1\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movw %w3, %%ss\n\t"
			 "movw %w4, %%ds\n\t"
			 "movw %w4, %%es\n\t"
			 "movw %w4, %%fs\n\t"
			 "movw %w4, %%gs\n\t"
			 "lldt %w4\n\t"
			 "ltr %w5"
			 :
			 : "m"(gdt), "m"(idt), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
			 "r"(SELECTOR_TSS)
			 : "rax", "memory");
}

void arch_cpu_init(struct cpu *cpu)
{
	cpu->arch.self = cpu;
	cpu->arch.fpu_disabled = true;
	cpu->arch.timer_deadline = DEADLINE_NEVER;
	if (cpu == &cpus[0])
		init_gates();
	init_task_state(cpu);
	load_tables(&cpu->arch);
	write_msr(MSR_GS_BASE, (uintptr_t)cpu);
	write_msr(MSR_KERNEL_GS_BASE, 0);
	write_msr(MSR_FS_BASE, 0);
	write_dr7(0x400); // no breakpoints; bit 10 is always one

	write_msr(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	write_msr(MSR_LSTAR, (uintptr_t)syscall_entry);
	write_msr(MSR_FLAG_MASK,
		RFLAGS_TRAP | RFLAGS_INTERRUPT_FLAG | RFLAGS_DIRECTION | RFLAGS_IO_PRIVILEGE |
			RFLAGS_NESTED_TASK | RFLAGS_RESUME | RFLAGS_ALIGNMENT);
}

// --- The rest of arch/cpu.h

_Noreturn void arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

#define ENTROPY_ATTEMPTS 16 // Intel: ten failures in a row mean that it is broken

static bool random_word(uint64_t *word)
{
	for (unsigned i = 0; i < ENTROPY_ATTEMPTS; i++) {
		bool done;

		if (cpu_features.rdseed)
			__asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(done));
		else
			__asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(done));
		if (done)
			return true;
		arch_cpu_relax();
	}
	return false;
}

size_t arch_entropy(void *buffer, size_t length)
{
	uint8_t *bytes = buffer;
	size_t filled = 0;
	uint64_t word;

	if (!cpu_features.rdseed && !cpu_features.rdrand)
		return 0;
	while (filled < length && random_word(&word)) {
		for (unsigned i = 0; i < sizeof(word) && filled < length; i++) {
			bytes[filled++] = (uint8_t)word;
			word >>= 8;
		}
	}
	return filled;
}

bool arch_io_port_read(uint16_t port, unsigned width, uint32_t *data)
{
	uint8_t byte;
	uint16_t half;

	switch (width) {
	case 1:
		__asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port) : "memory");
		*data = byte;
		return true;
	case 2:
		__asm__ volatile("inw %1, %0" : "=a"(half) : "Nd"(port) : "memory");
		*data = half;
		return true;
	case 4:
		__asm__ volatile("inl %1, %0" : "=a"(*data) : "Nd"(port) : "memory");
		return true;
	default:
		return false;
	}
}

bool arch_io_port_write(uint16_t port, unsigned width, uint32_t data)
{
	switch (width) {
	case 1:
		__asm__ volatile("outb %b0, %1" : : "a"(data), "Nd"(port) : "memory");
		return true;
	case 2:
		__asm__ volatile("outw %w0, %1" : : "a"(data), "Nd"(port) : "memory");
		return true;
	case 4:
		__asm__ volatile("outl %0, %1" : : "a"(data), "Nd"(port) : "memory");
		return true;
	default:
		return false;
	}
}
