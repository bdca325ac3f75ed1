// SPDX-License-Identifier: MIT
//
// Copies between the kernel and user memory. The unprivileged loads and stores are checked as the user's own:
// no window in PAN is opened, and what the user may not access the kernel does not.
//
// Words are copied where eight bytes are left. A fault in a word goes on with bytes, so the count is exact.

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
	subs	x2, x2, #8
	b.lo	from_user_bytes
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
	subs	x2, x2, #8
	b.lo	to_user_bytes
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
