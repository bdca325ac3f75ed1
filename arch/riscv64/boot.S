// SPDX-License-Identifier: MIT
//
// The first instructions of each hart, at physical addresses, up to C at virtual ones.
//
// The image begins with the header of the RISC-V Linux boot protocol, so boot loaders know how to place it:
// on any 2 MiB boundary. a0 is the hart id, a1 the physical address of the device tree.

#include <isa/csr.h>
#include <isa/layout.h>

#define PTE_TABLE  0x01
#define PTE_RW     0xe7 // dirty, accessed, global, writable, readable, valid
#define PTE_RWX    0xef
#define PTE_SHIFT  10
#define PAGE_BITS  12
#define LARGE_BITS 21
#define GIANT_BITS 30
#define ENTRY(address) ((address) >> GIANT_BITS & 511)

#define IMAGE_TEXT_OFFSET    0x200000
#define IMAGE_HEADER_VERSION 0x2
#define BOOT_STACK_SIZE      16384

// struct hart_start
#define HART_START_SATP  0
#define HART_START_STACK 8
#define HART_START_CPU   16
#define HART_START_ID    24
#define HART_START_SIZE  32

.section .head.text, "ax"
.global kernel_header
kernel_header:
.option push
.option norvc
	j boot_start
	nop
.option pop
	.quad IMAGE_TEXT_OFFSET
	.quad image_size
	.quad 0                     // flags: little-endian
	.word IMAGE_HEADER_VERSION
	.word 0
	.quad 0
	.ascii "RISCV\0\0\0"
	.ascii "RSC\5"
	.word 0

// Goes on at `virtual_label` under the page tables that satp value `satp` names: the address after the csrw
// is not mapped in them, and the fault leads there.
.macro jump_to_virtual satp, virtual_label
	la t0, kernel_header
	la t1, \virtual_label
	sub t1, t1, t0
	li t0, ARCH_KERNEL_IMAGE_BASE
	add t1, t1, t0
	csrw stvec, t1
	sfence.vma
	csrw satp, \satp
	unimp
.endm

boot_start:
	csrw sie, zero
	csrci sstatus, SSTATUS_SIE
	li t1, 1
	la t0, boot_taken
	amoswap.w.aqrl t1, t1, (t0)
	bnez t1, hart_entry
	la t0, bss_start
	la t1, bss_end
1:	sd zero, (t0)
	addi t0, t0, 8
	bltu t0, t1, 1b

	// The first page tables: the image at its address, the direct map in giant pages.
	la s0, boot_root
	la s1, boot_image_table
	la s2, kernel_header
	srli t0, s1, PAGE_BITS - PTE_SHIFT
	ori t0, t0, PTE_TABLE
	li t1, ENTRY(ARCH_KERNEL_IMAGE_BASE) * 8
	add t1, t1, s0
	sd t0, (t1)

	srli t0, s2, PAGE_BITS - PTE_SHIFT
	ori t0, t0, PTE_RWX
	li t1, 1 << (LARGE_BITS - PAGE_BITS + PTE_SHIFT)
	la t2, kernel_end
	sub t2, t2, s2
2:	sd t0, (s1)
	add t0, t0, t1
	addi s1, s1, 8
	li t3, 1 << LARGE_BITS
	sub t2, t2, t3
	bgtz t2, 2b

	li t0, PTE_RW
	li t1, 1 << (GIANT_BITS - PAGE_BITS + PTE_SHIFT)
	li t2, ENTRY(ARCH_DIRECT_MAP_BASE) * 8
	add t2, t2, s0
	li t3, ARCH_DIRECT_MAP_SIZE >> GIANT_BITS
3:	sd t0, (t2)
	add t0, t0, t1
	addi t2, t2, 8
	addi t3, t3, -1
	bnez t3, 3b

	srli t2, s0, PAGE_BITS
	li t3, SATP_SV39 << SATP_MODE_SHIFT
	or t2, t2, t3
	jump_to_virtual t2, boot_virtual

.balign 4
boot_virtual:
	la t0, boot_trap
	csrw stvec, t0
	la sp, boot_stack_end
	mv a2, s2
	li s0, 0
	call boot_main

// Nothing can be reported before arch_cpu_init.
.balign 4
boot_trap:
	wfi
	j boot_trap

// Another hart, which looks by its id in a0 for what is meant for it. Neither where it begins nor a1 tells: OpenSBI before 1.3 says
// that a hart is to start before it stores its address and argument, so the hart may have those the first one had.
.global hart_entry
hart_entry:
	csrw sie, zero
	csrci sstatus, SSTATUS_SIE
1:	la t2, hart_starts
	la t0, hart_starts + ARCH_CPU_MAX * HART_START_SIZE
2:	ld t1, HART_START_STACK(t2)
	beqz t1, 3f
	fence r, r
	ld t1, HART_START_ID(t2)
	beq t1, a0, 4f
3:	addi t2, t2, HART_START_SIZE
	bltu t2, t0, 2b
	j 1b
4:	ld sp, HART_START_STACK(t2)
	ld s1, HART_START_CPU(t2)
	ld t2, HART_START_SATP(t2)
	jump_to_virtual t2, hart_virtual

.balign 4
hart_virtual:
	la t0, boot_trap
	csrw stvec, t0
	mv a0, s1
	li s0, 0
	call hart_main

.section .data.boot, "aw"
.balign 4
boot_taken:
	.word 0

.section .bss.tables, "aw", @nobits
.balign 4096
boot_root:
	.skip 4096
boot_image_table:
	.skip 4096

// The page below the stack is left out of the final page tables.
.section .bss.stack, "aw", @nobits
.balign 4096
.global boot_stack_guard
boot_stack_guard:
	.skip 4096
	.skip BOOT_STACK_SIZE
boot_stack_end:

.section .note.GNU-stack, "", %progbits
