// SPDX-License-Identifier: MIT
//
// The HAL contract, types: each ISA's <isa/types.h> defines what the core embeds without looking inside.
//
//   struct arch_frame           all user registers of a thread, at the top of its kernel stack
//   struct arch_thread          kernel context, TLS bases, FPU state (aligned as the ISA needs); in struct thread
//   struct arch_cpu             per-CPU data of the ISA; first member of struct cpu
//   struct arch_address_space   root table, ASID; embedded in struct address_space
//
// and the constants of <isa/layout.h>:
//
//   ARCH_NAME                   "x86_64", ...
//   ARCH_USER_START/_END        user addresses are in [START, END); START is not 0, END is page-aligned
//   ARCH_DIRECT_MAP_BASE        physical address p is readable and writable at BASE + p, for all RAM
//   ARCH_KERNEL_AREA_BASE/_SIZE kernel virtual addresses that the core hands out (stacks, device registers):
//                               shared by all address spaces
//   ARCH_CPU_MAX                most CPUs this build can run
//   ARCH_TLB_BROADCAST          1: TLB invalidation reaches the other CPUs by itself, 0: the core sends IPIs
//   ARCH_CODE_BROADCAST         the same for arch_sync_code
//   ARCH_CALL_BIAS              how far below a 16-byte boundary the stack pointer is when a function is entered

#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

typedef uint64_t paddr_t;
typedef uintptr_t vaddr_t;

#define PADDR_NONE (~(paddr_t)0)

#include <isa/layout.h>
#include <isa/types.h>

static inline void *phys_to_virt(paddr_t physical)
{
	return (void *)(uintptr_t)(ARCH_DIRECT_MAP_BASE + physical);
}

static inline paddr_t virt_to_phys(const void *direct_map_address)
{
	return (paddr_t)((uintptr_t)direct_map_address - ARCH_DIRECT_MAP_BASE);
}

#endif
