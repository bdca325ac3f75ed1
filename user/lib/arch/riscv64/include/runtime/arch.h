// SPDX-License-Identifier: MIT
//
// How a program enters the kernel on RISC-V: tern/syscalls.def and tern/message.h say what is in which
// register. As after any call, caller-saved registers are lost.

#ifndef RUNTIME_ARCH_H
#define RUNTIME_ARCH_H

#include <runtime/message.h>
#include <tern/types.h>

#define ARCH_ELF_MACHINE  243 // EM_RISCV
#define ARCH_ELF_RELATIVE 3   // R_RISCV_RELATIVE

#define ARCH_LOST "t3", "t4", "t5", "t6", "ra", "memory"

static inline struct syscall_result arch_system_call(uint64_t number, uint64_t argument0, uint64_t argument1,
	uint64_t argument2, uint64_t argument3, uint64_t argument4, uint64_t argument5)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = argument0;
	register uint64_t a1 __asm__("a1") = argument1;
	register uint64_t a2 __asm__("a2") = argument2;
	register uint64_t a3 __asm__("a3") = argument3;
	register uint64_t a4 __asm__("a4") = argument4;
	register uint64_t a5 __asm__("a5") = argument5;
	__asm__ volatile("ecall"
			 : "+r"(a7), "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5)
			 :
			 : "a6", "t0", "t1", "t2", ARCH_LOST);
	return (struct syscall_result){.error = a0, .value = a1};
}

// An IPC system call with words 0 to 7 in registers.
static inline enum error arch_ipc(uint64_t number, handle_t handle, struct message *message)
{
	register uint64_t badge __asm__("a7") = number;
	register uint64_t error __asm__("a0") = handle;
	register uint64_t info __asm__("a1") = message->info | MESSAGE_WIDE;
	register uint64_t word0 __asm__("a2") = message->words[0];
	register uint64_t word1 __asm__("a3") = message->words[1];
	register uint64_t word2 __asm__("a4") = message->words[2];
	register uint64_t word3 __asm__("a5") = message->words[3];
	register uint64_t word4 __asm__("a6") = message->words[4];
	register uint64_t word5 __asm__("t0") = message->words[5];
	register uint64_t word6 __asm__("t1") = message->words[6];
	register uint64_t word7 __asm__("t2") = message->words[7];
	__asm__ volatile("ecall"
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
	register uint64_t badge __asm__("a7") = number;
	register uint64_t error __asm__("a0") = handle;
	register uint64_t info __asm__("a1") = message->info;
	register uint64_t word0 __asm__("a2") = message->words[0];
	register uint64_t word1 __asm__("a3") = message->words[1];
	register uint64_t word2 __asm__("a4") = message->words[2];
	register uint64_t word3 __asm__("a5") = message->words[3];
	__asm__ volatile(
		"ecall"
		: "+r"(badge), "+r"(error), "+r"(info), "+r"(word0), "+r"(word1), "+r"(word2), "+r"(word3)
		:
		: "a6", "t0", "t1", "t2", ARCH_LOST);
	*message = (struct short_message){
		.info = info,
		.badge = badge,
		.words = {word0, word1, word2, word3},
	};
	return (enum error)error;
}

#undef ARCH_LOST

#endif
