// SPDX-License-Identifier: MIT
//
// Copies from and to user memory. sstatus.SUM is set here and nowhere else. Instructions that may fault have an
// entry in the fix-up table: where to go on if the fault cannot be repaired.

#include <isa/csr.h>

.macro may_fault fixup, instruction:vararg
9:	\instruction
	.pushsection .fixup_table, "a"
	.balign 8
	.quad 9b, \fixup
	.popsection
.endm

// Four words at an offset from where source and destination are.
.macro copy_words offset
	may_fault 7f, ld t0, \offset(a1)
	may_fault 7f, ld t1, \offset+8(a1)
	may_fault 7f, ld t2, \offset+16(a1)
	may_fault 7f, ld t3, \offset+24(a1)
	may_fault 7f, sd t0, \offset(a0)
	may_fault 7f, sd t1, \offset+8(a0)
	may_fault 7f, sd t2, \offset+16(a0)
	may_fault 7f, sd t3, \offset+24(a0)
.endm

.text

// size_t arch_copy_from_user(void *destination, uintptr_t source, size_t length)
// size_t arch_copy_to_user(uintptr_t destination, const void *source, size_t length)
//
// Blocks of 64 bytes, then of 32, then words, then bytes. Where the two are not aligned alike, words of the destination are
// put together of two of the source. Pointers move after each step, so that on a fault what is left is at least what
// was not copied.
.global arch_copy_from_user
.global arch_copy_to_user
arch_copy_from_user:
arch_copy_to_user:
	li t6, SSTATUS_SUM
	csrs sstatus, t6
	add a2, a1, a2              // end of the source
	xor t0, a0, a1
	andi t0, t0, 7
	bnez t0, 10f

1:	andi t0, a1, 7              // bytes up to a word boundary
	beqz t0, 2f
	bgeu a1, a2, 7f
	may_fault 7f, lbu t0, 0(a1)
	may_fault 7f, sb t0, 0(a0)
	addi a1, a1, 1
	addi a0, a0, 1
	j 1b

2:	addi t5, a2, -63            // last source address at which a block begins, plus 1
	addi t4, a2, -7
3:	bgeu a1, t5, 4f
	copy_words 0
	copy_words 32
	addi a1, a1, 64
	addi a0, a0, 64
	j 3b

4:	addi t5, a2, -31
	bgeu a1, t5, 6f
	copy_words 0
	addi a1, a1, 32
	addi a0, a0, 32
	j 4b

6:	bgeu a1, t4, 5f
	may_fault 7f, ld t0, 0(a1)
	may_fault 7f, sd t0, 0(a0)
	addi a1, a1, 8
	addi a0, a0, 8
	j 6b

5:	bgeu a1, a2, 7f
	may_fault 7f, lbu t0, 0(a1)
	may_fault 7f, sb t0, 0(a0)
	addi a1, a1, 1
	addi a0, a0, 1
	j 5b

10:	andi t0, a0, 7              // bytes up to a word boundary of the destination
	beqz t0, 11f
	bgeu a1, a2, 7f
	may_fault 7f, lbu t0, 0(a1)
	may_fault 7f, sb t0, 0(a0)
	addi a1, a1, 1
	addi a0, a0, 1
	j 10b

11:	andi t0, a1, 7
	sub a3, a1, t0              // the source's word
	slli t1, t0, 3
	neg t2, t1                  // shifts count modulo 64
	addi t5, a2, -15
	bgeu a1, t5, 5b
	may_fault 7f, ld t3, 0(a3)
12:	may_fault 7f, ld t4, 8(a3)
	may_fault 7f, ld a4, 16(a3)
	srl t3, t3, t1
	sll a5, t4, t2
	or t3, t3, a5
	srl t4, t4, t1
	sll a5, a4, t2
	or t4, t4, a5
	may_fault 7f, sd t3, 0(a0)
	may_fault 7f, sd t4, 8(a0)
	mv t3, a4
	addi a3, a3, 16
	addi a1, a1, 16
	addi a0, a0, 16
	bltu a1, t5, 12b
	j 5b

7:	csrc sstatus, t6
	sub a0, a2, a1
	ret

// bool isa_has_stimecmp(void): whether the firmware lets this mode use it. An illegal instruction says no.
.global isa_has_stimecmp
isa_has_stimecmp:
	li a0, 0
	may_fault 1f, csrr t0, CSR_STIMECMP
	li a0, 1
1:	ret

.section .note.GNU-stack, "", %progbits
