// SPDX-License-Identifier: MIT
//
// Copies between the kernel and user memory. The unprivileged loads and stores are checked as the user's own:
// no window in PAN is opened, and what the user may not access the kernel does not.
//
// Blocks of 32 bytes, then words, then bytes. A fault in a block goes on with words, in a word with bytes, so the count is exact.

// A fault at label 1 that cannot be helped goes on at `fixup`.
.macro may_fault fixup, instruction:vararg
1:	\instruction
	.pushsection .fixups, "a"
	.quad	1b, \fixup
	.popsection
.endm

.section .text.usercopy, "ax"

// size_t arch_copy_from_user(void *destination, uintptr_t source, size_t length)
.global arch_copy_from_user
arch_copy_from_user:
	subs	x2, x2, #32
	b.lo	from_user_words
0:	may_fault from_user_words, ldtr x3, [x1]
	may_fault from_user_words, ldtr x4, [x1, #8]
	may_fault from_user_words, ldtr x5, [x1, #16]
	may_fault from_user_words, ldtr x6, [x1, #24]
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	add	x1, x1, #32
	subs	x2, x2, #32
	b.hs	0b
from_user_words:
	adds	x2, x2, #24
	b.mi	from_user_bytes
0:	may_fault from_user_bytes, ldtr x3, [x1]
	str	x3, [x0], #8
	add	x1, x1, #8
	subs	x2, x2, #8
	b.hs	0b
from_user_bytes:
	adds	x2, x2, #8
	b.eq	2f
0:	may_fault 2f, ldtrb w3, [x1]
	strb	w3, [x0], #1
	add	x1, x1, #1
	subs	x2, x2, #1
	b.ne	0b
2:	mov	x0, x2
	ret

// size_t arch_copy_to_user(uintptr_t destination, const void *source, size_t length)
.global arch_copy_to_user
arch_copy_to_user:
	subs	x2, x2, #32
	b.lo	to_user_words
0:	ldp	x3, x4, [x1]
	ldp	x5, x6, [x1, #16]
	may_fault to_user_words, sttr x3, [x0]
	may_fault to_user_words, sttr x4, [x0, #8]
	may_fault to_user_words, sttr x5, [x0, #16]
	may_fault to_user_words, sttr x6, [x0, #24]
	add	x0, x0, #32
	add	x1, x1, #32
	subs	x2, x2, #32
	b.hs	0b
to_user_words:
	adds	x2, x2, #24
	b.mi	to_user_bytes
0:	ldr	x3, [x1]
	may_fault to_user_bytes, sttr x3, [x0]
	add	x0, x0, #8
	add	x1, x1, #8
	subs	x2, x2, #8
	b.hs	0b
to_user_bytes:
	adds	x2, x2, #8
	b.eq	2f
0:	ldrb	w3, [x1]
	may_fault 2f, sttrb w3, [x0]
	add	x0, x0, #1
	add	x1, x1, #1
	subs	x2, x2, #1
	b.ne	0b
2:	mov	x0, x2
	ret
