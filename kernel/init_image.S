// SPDX-License-Identifier: MIT
// The first user program, as an ELF file between init_image_start and init_image_end.
// The build gives its path in TERN_INIT_IMAGE.

.section .rodata.init_image, "a"
.balign 4096
.global init_image_start
init_image_start:
	.incbin TERN_INIT_IMAGE
.global init_image_end
init_image_end:

.section .note.GNU-stack, "", %progbits
