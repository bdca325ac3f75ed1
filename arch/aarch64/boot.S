// SPDX-License-Identifier: MIT
//
// The first instructions of each CPU: from the entry state of the Linux arm64 boot protocol (MMU off, device
// tree in x0, at EL2 or EL1) or of PSCI CPU_ON to C code at EL1 in the kernel's address space.
//
// The page tables made here map the image for good, page by page: code, constants, data. mmu.c adds the rest.

#include <isa/offsets.h>

#define IMAGE_TABLES 8 // last-level tables: 16 MiB of image

#define PAGE_NORMAL (0x3 | 3 << 8 | 1 << 10) // page, inner shareable, accessed; memory type 0
#define PAGE_READ_ONLY (1 << 7)
#define PAGE_NO_KERNEL_EXECUTE (1 << 53)
#define PAGE_NO_USER_EXECUTE (1 << 54)

#define PAGE_TEXT   (PAGE_NORMAL | PAGE_READ_ONLY | PAGE_NO_USER_EXECUTE)
#define PAGE_RODATA (PAGE_TEXT | PAGE_NO_KERNEL_EXECUTE)
#define PAGE_DATA   (PAGE_NORMAL | PAGE_NO_USER_EXECUTE | PAGE_NO_KERNEL_EXECUTE)

// SCTLR_EL1 with everything off: the bits that are 1 where they mean nothing.
#define SCTLR_OFF 0x30d00800
// MMU, caches, stack alignment checks at EL1 and EL0; user mode may use DC ZVA, CTR_EL0, WFI, WFE and cache
// maintenance; what is writable is not executable. SPAN (bit 23) is left out: exceptions set PAN.
#define SCTLR_ON (SCTLR_OFF & ~(1 << 23) | 0x1 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100 | 0x1000 | 0x4000 | \
	0x8000 | 0x10000 | 0x40000 | 0x80000 | 0x4000000)

// Memory types: 0 normal write-back, 1 device nGnRnE.
#define MAIR 0x00ff

// Both halves 48 bits of 4 KiB pages, walks through inner shareable write-back memory, no top-byte tags in
// the kernel, but in user mode.
#define TCR (16 | 16 << 16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30 | 1 << 37)
#define TCR_IPS_SHIFT   32
#define TCR_ASID_16     (1 << 36)
#define TCR_E0PD1_SHIFT 56

.section .text.head, "ax"

// The header of the protocol (Linux, Documentation/arch/arm64/booting.rst).
.global image_start
image_start:
	b	boot_entry
	.long	0
	.quad	0                       // offset from a multiple of 2 MiB
	.quad	image_size
	.quad	0xa                     // little endian, 4 KiB pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

boot_entry:
	mov	x20, x0
	bl	enter_el1
	adrp	x21, image_start

	// The tables are written with the cache off. No line of them may be in it, neither before nor after.
	bl	discard_table_lines
	adrp	x0, boot_tables_start
	adrp	x1, image_end
0:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	0b

	adrp	x22, image_tables
	ldr	x2, =PAGE_TEXT
	adrp	x0, image_start
	adrp	x1, text_end
	bl	map_image
	ldr	x2, =PAGE_RODATA
	adrp	x1, rodata_end
	bl	map_image
	ldr	x2, =PAGE_DATA
	adrp	x0, data_start
	adrp	x1, image_end
	bl	map_image

	// Links the upper tables: the image begins at a multiple of 1 GiB.
	ldr	x3, =image_start
	adrp	x0, image_level2
	mov	x1, #IMAGE_TABLES
	orr	x2, x22, #0x3
1:	str	x2, [x0], #8
	add	x2, x2, #4096
	subs	x1, x1, #1
	b.ne	1b
	adrp	x0, image_level1
	adrp	x1, image_level2
	orr	x1, x1, #0x3
	ubfx	x4, x3, #30, #9
	str	x1, [x0, x4, lsl #3]
	adrp	x1, kernel_root
	orr	x0, x0, #0x3
	ubfx	x4, x3, #39, #9
	str	x0, [x1, x4, lsl #3]
	bl	discard_table_lines

	ldr	x19, =boot_mapped
	b	enable_mmu

boot_mapped:
	ldr	x0, =bss_start
	ldr	x1, =bss_end
0:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	0b
	ldr	x0, =boot_stack_top
	mov	sp, x0
	mov	x0, x20
	mov	x1, x21
	mov	x29, xzr
	bl	boot_main

// A CPU started by PSCI: x0 is the virtual address of its struct arch_cpu.
.global boot_secondary
boot_secondary:
	mov	x20, x0
	bl	enter_el1
	ldr	x19, =secondary_mapped
	b	enable_mmu

secondary_mapped:
	ldr	x0, [x20, #CPU_BOOT_STACK]
	mov	sp, x0
	mov	x0, x20
	mov	x29, xzr
	bl	secondary_main

// Maps the image's pages from x0 to x1 (physical, x0 is then x1) with the attributes x2. x21: image, x22: its
// last-level tables.
map_image:
	sub	x3, x0, x21
	add	x3, x22, x3, lsr #9
0:	cmp	x0, x1
	b.hs	1f
	orr	x4, x0, x2
	str	x4, [x3], #8
	add	x0, x0, #4096
	b	0b
1:	ret

discard_table_lines:
	adrp	x0, boot_tables_start
	adrp	x1, image_end
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2
	dmb	sy
0:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	0b
	dsb	sy
	ret

// Turns the MMU on and goes on at the virtual address x19. The program counter still being physical, the next
// fetch faults, and the exception takes it to the kernel's own mapping.
enable_mmu:
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	ldr	x0, =MAIR
	msr	mair_el1, x0
	ldr	x0, =TCR
	mrs	x1, id_aa64mmfr0_el1
	ubfx	x2, x1, #0, #4          // physical address size, 48 bits at most
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	orr	x0, x0, x2, lsl #TCR_IPS_SHIFT
	ubfx	x2, x1, #4, #4
	cmp	x2, #2
	b.ne	0f
	orr	x0, x0, #TCR_ASID_16
0:	mrs	x1, id_aa64mmfr2_el1
	ubfx	x2, x1, #60, #4
	cbz	x2, 1f
	mov	x2, #1
	orr	x0, x0, x2, lsl #TCR_E0PD1_SHIFT
1:	msr	tcr_el1, x0
	adrp	x0, empty_root
	msr	ttbr0_el1, x0
	adrp	x0, kernel_root
	msr	ttbr1_el1, x0
	ldr	x0, =boot_vectors
	msr	vbar_el1, x0
	isb

	ldr	x0, =SCTLR_ON
	mrs	x1, id_aa64mmfr1_el1
	ubfx	x2, x1, #20, #4
	cbnz	x2, 2f
	orr	x0, x0, #(1 << 23)      // no PAN: the bit must be 1
2:	msr	sctlr_el1, x0
	isb
	b	.

.balign 2048
boot_vectors:
	.skip	0x200
	br	x19

// Leaves EL2 for EL1 where the CPU is there. Returns at EL1, exceptions masked, MMU off. Changes x0 and x1.
enter_el1:
	msr	daifset, #0xf
	msr	spsel, #1
	ldr	x0, =SCTLR_OFF
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.eq	0f
	msr	sctlr_el1, x0
	isb
	ret

	// EL1 is AArch64 and nothing of it traps; a CPU with VHE has it off.
0:	ldr	x0, =(1 << 31 | 1 << 40 | 1 << 41)
	msr	hcr_el2, x0
	isb
	ldr	x0, =SCTLR_OFF
	msr	sctlr_el1, x0
	mov	x0, #3                  // EL1 has physical counter and timer
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0

	mrs	x0, id_aa64dfr0_el1     // all event counters to EL1, no debug traps
	ubfx	x0, x0, #8, #4
	sub	x1, x0, #1
	cmp	x1, #0xe
	mov	x1, xzr
	b.hs	1f
	mrs	x1, pmcr_el0
	ubfx	x1, x1, #11, #5
1:	msr	mdcr_el2, x1

	mrs	x0, id_aa64mmfr0_el1    // fine-grained traps off
	ubfx	x1, x0, #56, #4
	cbz	x1, 2f
	msr	s3_4_c1_c1_4, xzr       // HFGRTR_EL2
	msr	s3_4_c1_c1_5, xzr       // HFGWTR_EL2
	msr	s3_4_c1_c1_6, xzr       // HFGITR_EL2
	msr	s3_4_c3_c1_4, xzr       // HDFGRTR_EL2
	msr	s3_4_c3_c1_5, xzr       // HDFGWTR_EL2
2:
	mrs	x0, id_aa64pfr0_el1     // GIC system registers, where there are some
	ubfx	x0, x0, #24, #4
	cbz	x0, 3f
	mrs	x0, s3_4_c12_c9_5       // ICC_SRE_EL2
	mov	x1, #0x9               // used at EL2, and at EL1
	orr	x0, x0, x1
	msr	s3_4_c12_c9_5, x0
	isb
	msr	s3_4_c12_c11_0, xzr     // ICH_HCR_EL2
3:
	mov	x0, #0x3c5              // EL1h, exceptions masked
	msr	spsr_el2, x0
	msr	elr_el2, x30
	eret

// First in the data segment: see kernel.ld.
.section .data.boot_stack, "aw"
.skip	16384
boot_stack_top:

.section .boot_tables, "aw", %nobits
.balign 4096
boot_tables_start:
.global kernel_root
kernel_root:
	.skip	4096
.global empty_root
empty_root:
	.skip	4096
image_level1:
	.skip	4096
image_level2:
	.skip	4096
image_tables:
	.skip	4096 * IMAGE_TABLES
