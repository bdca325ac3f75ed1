// SPDX-License-Identifier: MIT
//
// Where programs and their threads begin on RISC-V, and where threads end that free their own stack. The linker
// addresses small data from gp, so it comes first.

.text

// a0: struct start_block or struct boot_info
.global _start
.type _start, %function
_start:
	.option push
	.option norelax
	lla gp, __global_pointer$
	.option pop
	li s0, 0
	li ra, 0
	tail runtime_start

// a0: struct thread_record
.global runtime_thread_entry
.type runtime_thread_entry, %function
runtime_thread_entry:
	.option push
	.option norelax
	lla gp, __global_pointer$
	.option pop
	li s0, 0
	li ra, 0
	tail runtime_thread_start

// a0: number of address_space_unmap, a1: address, a2: length, a3: number of thread_exit
.global runtime_unmap_and_exit
.type runtime_unmap_and_exit, %function
runtime_unmap_and_exit:
	mv s1, a3
	mv a7, a0
	li a0, -1
	ecall
	mv a7, s1
	li a0, 0
	ecall
	unimp

.section .note.GNU-stack, "", %progbits
