// SPDX-License-Identifier: MIT
//
// The ways into the kernel and back to user mode.
//
// From user mode the frame is the top of the thread's kernel stack: the CPU (or syscall_entry) puts the first five
// words there, the rest follows. From kernel mode it lies on whatever stack was in use.

#include <isa/asm.h>

// What is left of struct arch_frame after the vector.
.macro SAVE_REGISTERS
	.irp register, rcx, r11, rax, rdi, rsi, r15, r14, r13, r12, r9, r8, r10, rdx, rbp, rbx
	pushq %\register
	.endr
.endm

.macro RESTORE_REGISTERS_BUT_RCX_R11
	.irp register, rbx, rbp, rdx, r10, r8, r9, r12, r13, r14, r15, rsi, rdi, rax
	popq %\register
	.endr
.endm

// The registers of arguments and messages, into the frame.
.macro SAVE_MESSAGE_REGISTERS
	movq %rdi, FRAME_RDI(%rsp)
	movq %rsi, FRAME_RSI(%rsp)
	movq %rdx, FRAME_RDX(%rsp)
	movq %r10, FRAME_R10(%rsp)
	movq %r8, FRAME_R8(%rsp)
	movq %r9, FRAME_R9(%rsp)
.endm

// The general way of an IPC call, which does not return to where it is called. Where there is a fast one (ipc/fast_path.c),
// that is arch_\name.
.macro IPC_ENTRY name
.weak arch_\name
.set arch_\name, arch_slow_\name
.global arch_slow_\name
arch_slow_\name:
	movq %gs:CPU_FRAME, %rsp
	SAVE_MESSAGE_REGISTERS
	call sys_\name
	call trap_exit
	jmp return_to_user
.endm

.text

// What a direct call finds in the frame; rcx is overwritten.
.macro SAVE_PRESERVED
	movq %rcx, FRAME_RIP(%rsp)
	movq %gs:CPU_USER_STACK, %rcx
	movq %r11, FRAME_RFLAGS(%rsp)
	movq %rcx, FRAME_RSP(%rsp)
	movq %rbx, FRAME_RBX(%rsp)
	movq %rbp, FRAME_RBP(%rsp)
	movq %r12, FRAME_R12(%rsp)
	movq %r13, FRAME_R13(%rsp)
	movq %r14, FRAME_R14(%rsp)
	movq %r15, FRAME_R15(%rsp)
	xorl %ebp, %ebp
.endm

// Those that neither SYSCALL nor SYSRET changes, between the CPU and the struct registers at `base`.
.macro STORE_GUEST register, number, base
	movq \register, GUEST_REGISTER(\number)(\base)
.endm

.macro LOAD_GUEST register, number, base
	movq GUEST_REGISTER(\number)(\base), \register
.endm

.macro EACH_GUEST_REGISTER operation, base
	.set number, 0
	.irp register, rax, rbx, none, rdx, rsi, rdi, rbp, none, r8, r9, r10, none, r12, r13, r14, r15
	.ifnc \register, none
	\operation %\register, number, \base
	.endif
	.set number, number + 1
	.endr
.endm

// Interrupts are disabled, and so are direction, trap, alignment-check and nested-task flags (MSR_FLAG_MASK).
//
// A direct call finds in the frame what it must not change.
.balign 16
.global syscall_entry
syscall_entry:
	swapgs
	movq %rsp, %gs:CPU_USER_STACK
	movq %gs:CPU_FRAME, %rsp
	cmpq %gs:CPU_DIRECT_CALLS, %rax
	jae syscall_whole
	SAVE_PRESERVED
	movq %r10, %rcx
	call *syscall_table(, %rax, 8)
syscall_return:
	cmpl $0, %gs:CPU_WORK
	jne syscall_work
	.irp register, esi, edi, r8d, r9d, r10d
	xorl %\register, %\register
	.endr
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	movq FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq

syscall_work:
	movq %rax, %rdi
	movq %rdx, %rsi
	call trap_syscall_exit
	jmp return_to_user

// Not direct: a guest's, or the rest of the frame.
syscall_whole:
	pushq %rcx
	movq %gs:CPU_CURRENT, %rcx
	movq THREAD_GUEST(%rcx), %rcx
	testq %rcx, %rcx
	jnz guest_syscall
	popq %rcx
	SAVE_PRESERVED
	SAVE_MESSAGE_REGISTERS
	movq %rax, FRAME_RAX(%rsp)
	call trap_syscall
	call trap_exit
	jmp return_to_user

// A guest's registers go straight to its state page, rcx. The frame of the personality's guest_enter is above the guest's.
guest_syscall:
	EACH_GUEST_REGISTER STORE_GUEST, %rcx
	movq %r11, GUEST_R11(%rcx)
	movq %r11, GUEST_RFLAGS(%rcx)
	popq %rax
	movq %rax, GUEST_RCX(%rcx)
	movq %rax, GUEST_RIP(%rcx)
	movq %gs:CPU_USER_STACK, %rax
	movq %rax, GUEST_RSP(%rcx)
	movq $GUEST_SYSTEM_CALL, GUEST_REASON(%rcx)
	xorl %ebp, %ebp
	addq $FRAME_SIZE, %rsp
	call guest_end
	movq FRAME_RBX(%rsp), %rbx
	movq FRAME_R12(%rsp), %r12
	movq FRAME_R13(%rsp), %r13
	movq FRAME_R14(%rsp), %r14
	movq FRAME_R15(%rsp), %r15
	xorl %eax, %eax
	movl $GUEST_SYSTEM_CALL, %edx
	jmp syscall_return

// What the state page says is loaded from it, but for what is in the frame. No interrupt comes that would use this stack pointer.
.global arch_guest_enter
arch_guest_enter:
	movq %gs:CPU_FRAME, %rsp
	subq $8, %rsp
// A direct call's return address is below its frame.
.global arch_guest_enter_directly
arch_guest_enter_directly:
	subq $(FRAME_SIZE - 8), %rsp
	call guest_begin
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	movq %rax, %rsp
	EACH_GUEST_REGISTER LOAD_GUEST, %rsp
	movq GUEST_RSP(%rsp), %rsp
	swapgs
	sysretq

// The entries of IPC calls in syscall_table.
#define SYSCALL(number, name, result, arguments)
#define SYSCALL_IPC(number, name) IPC_ENTRY name
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

#ifdef TERN_FAST_PATH
// The end of arch_switch_directly. r12: the CPU, r13: previous, r14: next; the message is where it goes.
// User mode can load selectors, which mean nothing, but the next thread must not see them.
.balign 16
.global switch_directly
switch_directly:
	movq THREAD_FRAME(%r14), %rsp
	leaq FRAME_SIZE(%rsp), %rbx
	movq %rsp, %gs:CPU_FRAME
	movq %rbx, %gs:CPU_RSP0
	rdfsbase %rbx
	movq %rbx, THREAD_FS_BASE(%r13)
	xorl %eax, %eax
	movq THREAD_FS_BASE(%r14), %rbp
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	wrfsbase %rbp
	swapgs
	rdgsbase %rbp
	movq %rbp, THREAD_GS_BASE(%r13)
	movl %eax, %gs
	movq THREAD_GS_BASE(%r14), %rbp
	wrgsbase %rbp
	movb $0, THREAD_ON_CPU(%r13)
	cmpl $0, CPU_WORK(%r12)
	jne 1f
	movq FRAME_RBX(%rsp), %rbx
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_R12(%rsp), %r12
	movq FRAME_R13(%rsp), %r13
	movq FRAME_R14(%rsp), %r14
	movq FRAME_R15(%rsp), %r15
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	movq FRAME_RSP(%rsp), %rsp
	sysretq

1:	swapgs
	SAVE_MESSAGE_REGISTERS
	movq %rax, FRAME_RAX(%rsp)
	movq %r13, %rdi
	xorl %ebp, %ebp
	call ipc_fast_path_work
	jmp return_to_user

// arch_resume_directly. rdx: the CPU, rdi: previous, rsi: next
.balign 16
.global resume_directly
resume_directly:
	movq THREAD_FRAME(%rsi), %rsp
	leaq FRAME_SIZE(%rsp), %rax
	movq %rsp, %gs:CPU_FRAME
	movq %rax, %gs:CPU_RSP0
	rdfsbase %rax
	movq %rax, THREAD_FS_BASE(%rdi)
	movq THREAD_FS_BASE(%rsi), %rax
	xorl %ecx, %ecx // selectors, as above
	movl %ecx, %ds
	movl %ecx, %es
	movl %ecx, %fs
	wrfsbase %rax
	swapgs
	rdgsbase %rax
	movq %rax, THREAD_GS_BASE(%rdi)
	movl %ecx, %gs
	movq THREAD_GS_BASE(%rsi), %rax
	wrgsbase %rax
	movb $0, THREAD_ON_CPU(%rdi)
	cmpl $0, CPU_WORK(%rdx)
	je return_to_user_swapped
	swapgs
	xorl %ebp, %ebp
	call ipc_fast_path_work
#endif

// rsp: the frame of the current thread.
return_to_user:
	swapgs
return_to_user_swapped:
	cmpq $FRAME_SYSCALL, FRAME_VECTOR(%rsp)
	jne 1f
	RESTORE_REGISTERS_BUT_RCX_R11
	movq FRAME_RIP - FRAME_R11(%rsp), %rcx
	movq FRAME_RFLAGS - FRAME_R11(%rsp), %r11
	movq FRAME_RSP - FRAME_R11(%rsp), %rsp
	sysretq
	// In user mode each thread's frame is of the kind that its next system call wants.
1:	movq $FRAME_SYSCALL, FRAME_VECTOR(%rsp)
	RESTORE_REGISTERS_BUT_RCX_R11
	popq %r11
	popq %rcx
	addq $16, %rsp
	iretq

// arch_enter_user(thread)
.global arch_enter_user
arch_enter_user:
	movq THREAD_FRAME(%rdi), %rsp
	xorl %ebp, %ebp
	jmp return_to_user

trap_common:
	testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
	jz 1f
	swapgs
trap_common_user:
	USER_ACCESS_END
	cld
	SAVE_REGISTERS
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_from_user
	call trap_exit
	jmp return_to_user

1:	USER_ACCESS_END
	cld
	SAVE_REGISTERS
	movq %rsp, %rdi
	call trap_from_kernel
	RESTORE_REGISTERS_BUT_RCX_R11
	popq %r11
	popq %rcx
	addq $16, %rsp
	iretq

// On a small stack of its own, since it may come on the first instruction of syscall_entry: some CPUs single-step a SYSCALL although
// it clears the flag. That one is dropped, whatever the kernel's GS and stack are. From user mode it is a trap like others.
debug_entry:
	testb $3, 8(%rsp)
	jz 1f
	swapgs
	pushq %rdi
	movq %rsp, %rdi
	movq %gs:CPU_RSP0, %rsp
	pushq 40(%rdi)
	pushq 32(%rdi)
	pushq 24(%rdi)
	pushq 16(%rdi)
	pushq 8(%rdi)
	movq (%rdi), %rdi
	pushq $0
	pushq $VECTOR_DEBUG
	jmp trap_common_user

1:	andq $~RFLAGS_TRAP_FLAG, 16(%rsp)
	pushq %rax
	movl $DR6_INITIAL, %eax
	movq %rax, %dr6
	popq %rax
	iretq

// On an emergency stack, from anywhere: the kernel's GS base is not known to be loaded. Does not return.
emergency_common:
	USER_ACCESS_END
	cld
	SAVE_REGISTERS
	movq FRAME_SIZE(%rsp), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	movl $0xc0000101, %ecx // MSR_GS_BASE
	wrmsr
	movq %rsp, %rdi
	call trap_emergency

// One stub of 16 bytes for each vector.
.balign 16
.global trap_stubs
trap_stubs:
.set vector, 0
.rept VECTOR_COUNT
	.balign 16
	.if vector == VECTOR_DEBUG
	jmp debug_entry
	.endif
	// The CPU pushes an error code for these.
	.if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
	pushq $0
	.endif
	pushq $vector
	.if vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK
	jmp emergency_common
	.else
	jmp trap_common
	.endif
	.set vector, vector + 1
.endr

.section .note.GNU-stack, "", @progbits
