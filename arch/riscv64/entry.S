// SPDX-License-Identifier: MIT
//
// Traps in and out.
//
// sscratch holds the frame of the thread while it is in user mode, 0 in the kernel: so a trap knows where it
// comes from. tp is the CPU's struct in the kernel. While kernel code runs, sstatus has SPP and SUM clear.

#include <isa/csr.h>

.macro save_registers
	.irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd x\n, FRAME_X(\n)(sp)
	.endr
.endm

.macro save_caller_saved
	.irp n, 5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
	sd x\n, FRAME_X(\n)(sp)
	.endr
.endm

// What a direct call finds in the frame besides ra and tp, which are there.
.macro save_preserved
	csrrw ra, sscratch, zero
	sd ra, FRAME_X(2)(sp)
	csrr ra, sepc
	addi ra, ra, 4
	sd ra, FRAME_PC(sp)
	.irp n, 3,8,9,18,19,20,21,22,23,24,25,26,27
	sd x\n, FRAME_X(\n)(sp)
	.endr
	li s0, 0                    // backtraces end here
.endm

// All but tp.
.macro load_registers
	.irp n, 1,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld x\n, FRAME_X(\n)(sp)
	.endr
	ld sp, FRAME_X(2)(sp)
.endm

.text
.balign 4
.global trap_entry
trap_entry:
	csrrw sp, sscratch, sp
	beqz sp, trap_from_kernel
	sd ra, FRAME_X(1)(sp)
	csrr ra, scause
	addi ra, ra, -CAUSE_USER_ECALL
	beqz ra, syscall_entry

	ld ra, FRAME_X(1)(sp)
	save_registers
	csrrw t0, sscratch, zero
	sd t0, FRAME_X(2)(sp)
	ld tp, FRAME_CPU(sp)
	li s0, 0                    // backtraces end here
	csrr t0, sepc
	sd t0, FRAME_PC(sp)
	csrr a0, scause
	call isa_trap_user
exit_user:
	call trap_exit

// sp is the frame, and on top of the thread's kernel stack.
return_to_user:
	ld t0, FRAME_PC(sp)
	csrw sepc, t0
	csrw sscratch, sp
	ld tp, FRAME_X(4)(sp)
	load_registers
	sret

// ra is in the frame.
syscall_entry:
	sd tp, FRAME_X(4)(sp)
	ld tp, FRAME_CPU(sp)
	ld ra, CPU_DIRECT_CALLS(tp)
	bgeu a7, ra, syscall_whole
	save_preserved
	ld t3, CPU_HANDLERS(tp)
	slli t4, a7, 3
	add t3, t3, t4
	ld t3, 0(t3)
	jalr t3
syscall_return:
	lw t0, CPU_WORK(tp)
	bnez t0, syscall_work
	ld t0, FRAME_PC(sp)
	csrw sscratch, sp
	csrw sepc, t0
	ld ra, FRAME_X(1)(sp)
	ld tp, FRAME_X(4)(sp)
	ld s0, FRAME_X(8)(sp)
	.irp n, 5,6,7,12,13,14,15,16,17,28,29,30,31
	li x\n, 0
	.endr
	ld sp, FRAME_X(2)(sp)
	sret

syscall_work:
	call trap_syscall_exit
	j return_to_user

// Not direct: a guest's, or the rest of the frame.
syscall_whole:
	ld ra, CPU_CURRENT(tp)
	ld ra, THREAD_GUEST(ra)
	bnez ra, guest_syscall
	save_preserved
	save_caller_saved
	call trap_syscall
	j exit_user

// A guest's registers go straight to its state page, ra. The frame of the personality's guest_enter is above the guest's.
guest_syscall:
	.irp n, 3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd x\n, FRAME_X(\n)(ra)
	.endr
	ld t0, FRAME_X(1)(sp)
	ld t1, FRAME_X(4)(sp)
	csrrw t2, sscratch, zero
	csrr t3, sepc
	addi t3, t3, 4
	li t4, GUEST_SYSTEM_CALL
	sd t0, FRAME_X(1)(ra)
	sd t1, FRAME_X(4)(ra)
	sd t2, FRAME_X(2)(ra)
	sd t3, FRAME_PC(ra)
	sd t4, GUEST_REASON(ra)
	li s0, 0
	addi sp, sp, FRAME_SIZE
	call guest_end
	.irp n, 3,9,18,19,20,21,22,23,24,25,26,27
	ld x\n, FRAME_X(\n)(sp)
	.endr
	li a0, 0
	li a1, GUEST_SYSTEM_CALL
	j syscall_return

// What the state page says is loaded from it, but for the program counter, which guest_begin has loaded.
.global arch_guest_enter
arch_guest_enter:
	ld sp, CPU_CURRENT(tp)
	ld sp, THREAD_FRAME(sp)
// A direct call has its frame at sp.
.global arch_guest_enter_directly
arch_guest_enter_directly:
	addi sp, sp, -FRAME_SIZE
	call guest_begin
	csrw sscratch, sp
	.irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10
	ld x\n, FRAME_X(\n)(a0)
	.endr
	sret

// The general way of an IPC call, which does not return to where it is called. Where there is a fast one (ipc/fast_path.c),
// that is arch_\name.
.macro ipc_entry name
.weak arch_\name
.set arch_\name, arch_slow_\name
.global arch_slow_\name
arch_slow_\name:
	ld sp, CPU_CURRENT(tp)
	ld sp, THREAD_FRAME(sp)
	.irp n, 28,29,30,31         // the kernel's by now
	li x\n, 0
	.endr
	save_caller_saved
	call sys_\name
	j exit_user
.endm

#ifdef TERN_FAST_PATH
// The end of arch_switch_directly. t3: previous, t4: next; the message is where it goes.
.global switch_directly
switch_directly:
	ld sp, THREAD_FRAME(t4)
	sd tp, FRAME_CPU(sp)
	sc.d zero, sp, (t3)         // ends a reservation, as in isa_switch
	fence rw, rw                // before others use the stack, and before we look for work
	sb zero, THREAD_ON_CPU(t3)
	lw t0, CPU_WORK(tp)
	bnez t0, 1f
	ld t0, FRAME_PC(sp)
	csrw sscratch, sp
	csrw sepc, t0
	li a0, 0
	.irp n, 5,6,7,16,28,29,30,31
	li x\n, 0
	.endr
	.irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27,2
	ld x\n, FRAME_X(\n)(sp)
	.endr
	sret

1:	sd zero, FRAME_X(10)(sp)
	.irp n, 11,12,13,14,15,17
	sd x\n, FRAME_X(\n)(sp)
	.endr
	.irp n, 5,6,7,16,28,29,30,31
	sd zero, FRAME_X(\n)(sp)
	.endr
	mv a0, t3
2:	li s0, 0
	call ipc_fast_path_work
	j return_to_user

// arch_resume_directly. a0: previous, a1: next
.global resume_directly
resume_directly:
	ld sp, THREAD_FRAME(a1)
	sd tp, FRAME_CPU(sp)
	sc.d zero, sp, (a0)         // as above
	fence rw, rw
	sb zero, THREAD_ON_CPU(a0)
	lw t0, CPU_WORK(tp)
	beqz t0, return_to_user
	j 2b
#endif

#define SYSCALL(number, name, result, arguments)
#define SYSCALL_IPC(number, name) ipc_entry name
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

// void isa_enter_user(struct arch_frame *frame)
.global isa_enter_user
isa_enter_user:
	mv sp, a0
	j return_to_user

// A fault whose address is within a page of the stack pointer is the guard page's: then the frame goes to the
// emergency stack. (Interrupts and other exceptions have a value in stval that is no address near it.)
trap_from_kernel:
	csrrw sp, sscratch, zero
	sd t0, CPU_SCRATCH(tp)
	csrr t0, stval
	sub t0, t0, sp
	srai t0, t0, 12
	addi t0, t0, 1
	sltiu t0, t0, 2
	bnez t0, kernel_stack_overflow
	mv t0, sp
1:	addi sp, sp, -FRAME_SIZE
	sd t0, FRAME_X(2)(sp)
	ld t0, CPU_SCRATCH(tp)
	save_registers
	csrr t0, sepc
	sd t0, FRAME_PC(sp)
	li t0, SSTATUS_SPP | SSTATUS_SUM
	csrrc t0, sstatus, t0
	sd t0, FRAME_STATUS(sp)
	csrr a0, scause
	mv a1, sp
	call isa_trap_kernel

	ld t0, FRAME_PC(sp)
	csrw sepc, t0
	ld t0, FRAME_STATUS(sp)
	li t1, SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SUM
	csrc sstatus, t1
	and t0, t0, t1
	csrs sstatus, t0
	load_registers              // not tp: the thread may be on another CPU now
	sret

kernel_stack_overflow:
	mv t0, sp
	ld sp, CPU_EMERGENCY_STACK(tp)
	j 1b

.section .note.GNU-stack, "", %progbits
