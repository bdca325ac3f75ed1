// SPDX-License-Identifier: MIT
//
// The way into 64-bit mode at KERNEL_BASE: the boot CPU from its entry for PVH (Xen's x86/HVM direct boot ABI) or
// Multiboot2, the others from real mode. The page tables made here serve until mmu_boot.c has made the final ones, and to every CPU for
// its first instructions: they map the first 4 GiB at 0, at the direct map and (1 GiB) at KERNEL_BASE.

#include <isa/asm.h>
#include <isa/layout.h>

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define XEN_NOTE_PHYS32_ENTRY 18
#define MULTIBOOT2_MAGIC             0xe85250d6
#define MULTIBOOT2_TAG_END           0
#define MULTIBOOT2_TAG_ENTRY         3
#define MULTIBOOT2_TAG_ALIGN_MODULES 6

#define PAGE_PRESENT_WRITABLE 0x3
#define PAGE_LARGE            0x80
#define EFER                  0xc0000080
#define EFER_BITS             0x901      // system calls, long mode, no-execute
#define CR4_BITS              0x20       // physical address extension
#define CR0_BITS              0x80010023 // paging, write protection, numeric errors, monitor FPU, protected mode
#define CR0_PROTECTED         0x1

#define SELECTOR_CODE32       0x08
#define SELECTOR_DATA32       0x10
#define SELECTOR_CODE64       0x18

.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, XEN_NOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad pvh_entry

.section .boot, "ax"

.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0, multiboot2_header_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + multiboot2_header_end - multiboot2_header)
	.word MULTIBOOT2_TAG_ENTRY, 0
	.long 12, multiboot2_entry, 0 // padded
	.word MULTIBOOT2_TAG_ALIGN_MODULES, 0
	.long 8
	.word MULTIBOOT2_TAG_END, 0
	.long 8
multiboot2_header_end:

// The boot CPU, in 32-bit mode without paging. ebx: physical address of PVH's start information or Multiboot2's boot information; eax then is
// its magic number.
.code32
.global pvh_entry
pvh_entry:
	xorl %eax, %eax
multiboot2_entry:
	cli
	cld
	movl %ebx, %edi
	movl %eax, %esi

	// 2048 pages of 2 MiB.
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $(PAGE_PRESENT_WRITABLE | PAGE_LARGE), %eax
	movl %eax, PHYSICAL(boot_directories)(, %ecx, 8)
	incl %ecx
	cmpl $2048, %ecx
	jne 1b

	movl $(PHYSICAL(boot_directories) + PAGE_PRESENT_WRITABLE), %eax
	movl %eax, PHYSICAL(boot_pointers_high) + 8 * 510
	xorl %ecx, %ecx
2:	movl %eax, PHYSICAL(boot_pointers_low)(, %ecx, 8)
	addl $0x1000, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 2b

	movl $(PHYSICAL(boot_pointers_low) + PAGE_PRESENT_WRITABLE), %eax
	movl %eax, PHYSICAL(boot_root)
	movl %eax, PHYSICAL(boot_root) + 8 * 256
	movl $(PHYSICAL(boot_pointers_high) + PAGE_PRESENT_WRITABLE), %eax
	movl %eax, PHYSICAL(boot_root) + 8 * 511

// edi: boot information, or 0 on the other CPUs; esi: its kind.
enter_long_mode:
	lgdtl boot_gdt_pointer
	movl $CR4_BITS, %eax
	movl %eax, %cr4
	movl $PHYSICAL(boot_root), %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	rdmsr
	orl $EFER_BITS, %eax
	wrmsr
	movl $CR0_BITS, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_CODE64, $long_mode

// Another CPU, from the trampoline.
application_protected_mode:
	movw $SELECTOR_DATA32, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %edi, %edi
	jmp enter_long_mode

.code64
long_mode:
	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw %ax, %fs
	movw %ax, %gs
	movq $boot_high, %rax
	jmp *%rax

.balign 8
boot_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
boot_gdt_end:
	.word 0
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt

.text
.code64
boot_high:
	xorl %ebp, %ebp
	movl %edi, %edi
	testq %rdi, %rdi
	jz 1f
	leaq boot_stack_top(%rip), %rsp
	call boot_main
1:	movq kernel_root(%rip), %rax
	movq %rax, %cr3
	xorl %esp, %esp
	xchgq %rsp, application_stack(%rip)
	testq %rsp, %rsp
	jz 2f
	call application_main
2:	hlt // too late: it was given up
	jmp 2b

// Copied to a page below 1 MiB, where another CPU begins in real mode at its first byte.
.section .rodata
.code16
.global trampoline_start, trampoline_end
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline_start
	movl $CR0_PROTECTED, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_CODE32, $application_protected_mode
.balign 4
	.word 0
trampoline_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
trampoline_end:

.section .bss.pages, "aw", @nobits
.balign 4096
.global boot_root, boot_stack_guard, boot_stack_top
boot_root:
	.skip 4096
boot_pointers_low:
	.skip 4096
boot_pointers_high:
	.skip 4096
boot_directories:
	.skip 4 * 4096
boot_stack_guard: // not mapped in the final page tables
	.skip 4096
	.skip BOOT_STACK_SIZE
boot_stack_top:

.section .note.GNU-stack, "", @progbits
