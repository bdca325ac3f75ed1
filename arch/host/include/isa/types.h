// SPDX-License-Identifier: MIT
//
// What the core embeds, on the build machine.

#ifndef ISA_TYPES_H
#define ISA_TYPES_H

#include <tern/arch/registers.h>

struct arch_frame {
	struct registers registers;
};

struct arch_thread {
	struct arch_frame *frame;
	void (*entry)(void);
	struct syscall_result result; // as arch_syscall_set_result left it
};

struct arch_cpu {
	uint64_t timer_deadline; // as arch_timer_set left it
};

struct arch_address_space {
	paddr_t root;
};

#endif
