// SPDX-License-Identifier: MIT
//
// How a program enters the kernel on x86_64: tern/syscalls.def and tern/message.h say what is in which
// register. As after any call, caller-saved registers are lost.

#ifndef RUNTIME_ARCH_H
#define RUNTIME_ARCH_H

#include <runtime/message.h>
#include <tern/types.h>

#define ARCH_ELF_MACHINE  62 // EM_X86_64
#define ARCH_ELF_RELATIVE 8  // R_X86_64_RELATIVE

static inline struct syscall_result arch_system_call(
	uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	register uint64_t r9 __asm__("r9") = a5;
	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(a0), "+S"(a1), "+d"(a2), "+r"(r10), "+r"(r8), "+r"(r9)
			 :
			 : "rcx", "r11", "cc", "memory");
	return (struct syscall_result){.error = number, .value = a2};
}

// An IPC system call with words 0 to 7 in registers.
static inline enum error arch_ipc(uint64_t number, handle_t handle, struct message *message)
{
	uint64_t info = message->info | MESSAGE_WIDE;
	uint64_t word0 = message->words[0];
	register uint64_t word1 __asm__("r10") = message->words[1];
	register uint64_t word2 __asm__("r8") = message->words[2];
	register uint64_t word3 __asm__("r9") = message->words[3];
	register uint64_t word4 __asm__("r12") = message->words[4];
	register uint64_t word5 __asm__("r13") = message->words[5];
	register uint64_t word6 __asm__("r14") = message->words[6];
	register uint64_t word7 __asm__("r15") = message->words[7];
	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(handle), "+S"(info), "+d"(word0), "+r"(word1), "+r"(word2),
			 "+r"(word3), "+r"(word4), "+r"(word5), "+r"(word6), "+r"(word7)
			 :
			 : "rcx", "r11", "cc", "memory");
	*message = (struct message){
		.info = info,
		.badge = handle,
		.words = {word0, word1, word2, word3, word4, word5, word6, word7},
	};
	return (enum error)number;
}

// An IPC system call with words 0 to 3 in registers.
static inline enum error arch_ipc_short(uint64_t number, handle_t handle, struct short_message *message)
{
	uint64_t info = message->info;
	uint64_t word0 = message->words[0];
	register uint64_t word1 __asm__("r10") = message->words[1];
	register uint64_t word2 __asm__("r8") = message->words[2];
	register uint64_t word3 __asm__("r9") = message->words[3];
	__asm__ volatile(
		"syscall"
		: "+a"(number), "+D"(handle), "+S"(info), "+d"(word0), "+r"(word1), "+r"(word2), "+r"(word3)
		:
		: "rcx", "r11", "cc", "memory");
	*message = (struct short_message){
		.info = info,
		.badge = handle,
		.words = {word0, word1, word2, word3},
	};
	return (enum error)number;
}

#endif
