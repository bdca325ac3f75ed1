// SPDX-License-Identifier: MIT
//
// How a program enters the kernel on AArch64: tern/syscalls.def and tern/message.h say what is in which
// register. As after any call, caller-saved registers are lost.

#ifndef RUNTIME_ARCH_H
#define RUNTIME_ARCH_H

#include <runtime/message.h>
#include <tern/types.h>

#define ARCH_ELF_MACHINE  183  // EM_AARCH64
#define ARCH_ELF_RELATIVE 1027 // R_AARCH64_RELATIVE

#define ARCH_LOST "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", "cc", "memory"

static inline struct syscall_result arch_system_call(
	uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t x8 __asm__("x8") = number;
	register uint64_t x0 __asm__("x0") = a0;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;
	register uint64_t x4 __asm__("x4") = a4;
	register uint64_t x5 __asm__("x5") = a5;
	__asm__ volatile("svc #0"
			 : "+r"(x8), "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5)
			 :
			 : "x6", "x7", "x9", "x10", ARCH_LOST);
	return (struct syscall_result){.error = x0, .value = x1};
}

// An IPC system call with words 0 to 7 in registers.
static inline enum error arch_ipc(uint64_t number, handle_t handle, struct message *message)
{
	register uint64_t badge __asm__("x8") = number;
	register uint64_t error __asm__("x0") = handle;
	register uint64_t info __asm__("x1") = message->info | MESSAGE_WIDE;
	register uint64_t word0 __asm__("x2") = message->words[0];
	register uint64_t word1 __asm__("x3") = message->words[1];
	register uint64_t word2 __asm__("x4") = message->words[2];
	register uint64_t word3 __asm__("x5") = message->words[3];
	register uint64_t word4 __asm__("x6") = message->words[4];
	register uint64_t word5 __asm__("x7") = message->words[5];
	register uint64_t word6 __asm__("x9") = message->words[6];
	register uint64_t word7 __asm__("x10") = message->words[7];
	__asm__ volatile("svc #0"
			 : "+r"(badge), "+r"(error), "+r"(info), "+r"(word0), "+r"(word1), "+r"(word2),
			 "+r"(word3), "+r"(word4), "+r"(word5), "+r"(word6), "+r"(word7)
			 :
			 : ARCH_LOST);
	*message = (struct message){
		.info = info,
		.badge = badge,
		.words = {word0, word1, word2, word3, word4, word5, word6, word7},
	};
	return (enum error)error;
}

// An IPC system call with words 0 to 3 in registers.
static inline enum error arch_ipc_short(uint64_t number, handle_t handle, struct short_message *message)
{
	register uint64_t badge __asm__("x8") = number;
	register uint64_t error __asm__("x0") = handle;
	register uint64_t info __asm__("x1") = message->info;
	register uint64_t word0 __asm__("x2") = message->words[0];
	register uint64_t word1 __asm__("x3") = message->words[1];
	register uint64_t word2 __asm__("x4") = message->words[2];
	register uint64_t word3 __asm__("x5") = message->words[3];
	__asm__ volatile(
		"svc #0"
		: "+r"(badge), "+r"(error), "+r"(info), "+r"(word0), "+r"(word1), "+r"(word2), "+r"(word3)
		:
		: "x6", "x7", "x9", "x10", ARCH_LOST);
	*message = (struct short_message){
		.info = info,
		.badge = badge,
		.words = {word0, word1, word2, word3},
	};
	return (enum error)error;
}

#undef ARCH_LOST

#endif
