// SPDX-License-Identifier: MIT
//
// The layout of an IPC message.
//
// A message is up to 64 words. Words 0 to 3 travel in registers, 4 to 7 as well where both sides say
// MESSAGE_WIDE, all others at their index in `words` of the thread's message buffer: a page-aligned structure
// that the kernel owns and maps into the process (thread_attributes.message_buffer says where it is).
//
// The info word, in and out:
//   bits 0..6    length in words (0 to 64)
//   bits 8..10   number of capabilities in the message buffer (0 to 4)
//   bit 11       MESSAGE_WIDE: this side also uses registers for words 4 to 7
//   bit 12       MESSAGE_DEADLINE: give up at message_buffer.deadline (else wait for ever)
//   bit 13       MESSAGE_BUFFERS: a call that offers message_buffer.offered[] to the server
//   bit 14       MESSAGE_TRY: do not wait for the other side to be there
//   bit 15       out only: MESSAGE_NOTIFICATION: no message, but the word of the bound notification, in word
//   0 bit 16       out only: MESSAGE_CALL: the sender waits for a reply bit 17       out only: MESSAGE_FAULT:
//   the kernel's message about a fault of a thread: see fault.h bits 32..63  label, carried to the other side
//   unchanged
//
// Registers by ISA. In:    number          handle  info  words 0-3           words 4-7 (wide)
//   x86_64                 rax             rdi     rsi   rdx r10 r8 r9       r12 r13 r14 r15
//   aarch64                x8              x0      x1    x2 x3 x4 x5         x6 x7 x9 x10
//   riscv64                a7              a0      a1    a2 a3 a4 a5         a6 t0 t1 t2
// Out: the error takes the place of the handle register (x86_64: rax), the badge of the capability through
// which the message came that of ... see below; every other caller-saved register comes back zero, the
// callee-saved ones unchanged (r12 to r15 hold words where the receiver says MESSAGE_WIDE).
//   x86_64   error rax, badge rdi, info rsi
//   aarch64  error x0, info x1, badge x8
//   riscv64  error a0, info a1, badge a7

#ifndef TERN_MESSAGE_H
#define TERN_MESSAGE_H

#include <tern/types.h>

#define MESSAGE_WORDS          64
#define MESSAGE_REGISTER_WORDS 4
#define MESSAGE_WIDE_WORDS     8
#define MESSAGE_CAPABILITIES   4
#define MESSAGE_OFFERED        4

#define MESSAGE_LENGTH_MASK      ((uint64_t)0x7f)
#define MESSAGE_CAPABILITY_SHIFT 8
#define MESSAGE_CAPABILITY_MASK  ((uint64_t)0x7 << MESSAGE_CAPABILITY_SHIFT)
#define MESSAGE_WIDE             ((uint64_t)1 << 11)
#define MESSAGE_DEADLINE         ((uint64_t)1 << 12)
#define MESSAGE_BUFFERS          ((uint64_t)1 << 13)
#define MESSAGE_TRY              ((uint64_t)1 << 14)
#define MESSAGE_NOTIFICATION     ((uint64_t)1 << 15)
#define MESSAGE_CALL             ((uint64_t)1 << 16)
#define MESSAGE_FAULT            ((uint64_t)1 << 17)
#define MESSAGE_LABEL_SHIFT      32

#define MESSAGE_INFO(label, length, capabilities)               \
	(((uint64_t)(uint32_t)(label) << MESSAGE_LABEL_SHIFT) | \
		((uint64_t)(capabilities) << MESSAGE_CAPABILITY_SHIFT) | (uint64_t)(length))

static inline uint32_t message_label(uint64_t info)
{
	return (uint32_t)(info >> MESSAGE_LABEL_SHIFT);
}

static inline size_t message_length(uint64_t info)
{
	return (size_t)(info & MESSAGE_LENGTH_MASK);
}

static inline size_t message_capabilities(uint64_t info)
{
	return (size_t)((info & MESSAGE_CAPABILITY_MASK) >> MESSAGE_CAPABILITY_SHIFT);
}

#define OFFER_READ  ((uint64_t)1 << 0) // the server may read it with reply_read
#define OFFER_WRITE ((uint64_t)1 << 1) // the server may write it with reply_write

// A range that a caller offers its server for the time of the call. `address_space` is HANDLE_SELF or a
// handle with RIGHT_READ (for OFFER_READ) and RIGHT_WRITE (for OFFER_WRITE).
struct message_offer {
	handle_t address_space;
	uint64_t address;
	uint64_t length; // bytes
	uint64_t flags;
};

// One page of each thread that makes or serves IPC beyond register words. The kernel reads and writes it
// through its own mapping, so it can never fault.
struct message_buffer {
	uint64_t words[MESSAGE_WORDS];
	handle_t capabilities[MESSAGE_CAPABILITIES]; // in: to transfer; out: received, HANDLE_NONE past their
						     // number
	uint64_t deadline;
	uint64_t offered_count;
	struct message_offer offered[MESSAGE_OFFERED];
};

#endif
