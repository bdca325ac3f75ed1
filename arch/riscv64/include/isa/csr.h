// SPDX-License-Identifier: MIT
//
// Control and status registers (RISC-V Privileged Architecture, chapter 4) and the frame's offsets, for C and
// assembly.

#ifndef ISA_CSR_H
#define ISA_CSR_H

#define SSTATUS_SIE      (1 << 1)
#define SSTATUS_SPIE     (1 << 5)
#define SSTATUS_SPP      (1 << 8)
#define SSTATUS_FS       (3 << 13)
#define SSTATUS_FS_CLEAN (2 << 13)
#define SSTATUS_FS_DIRTY (3 << 13)
#define SSTATUS_VS       (3 << 9)
#define SSTATUS_SUM      (1 << 18)

#define INTERRUPT_SOFTWARE 1
#define INTERRUPT_TIMER    5
#define INTERRUPT_EXTERNAL 9

#define SIE_SOFTWARE (1 << INTERRUPT_SOFTWARE)
#define SIE_TIMER    (1 << INTERRUPT_TIMER)
#define SIE_EXTERNAL (1 << INTERRUPT_EXTERNAL)

#define SCOUNTEREN_CYCLE   (1 << 0)
#define SCOUNTEREN_TIME    (1 << 1)
#define SCOUNTEREN_INSTRET (1 << 2)
#define SCOUNTEREN_ALL     (SCOUNTEREN_CYCLE | SCOUNTEREN_TIME | SCOUNTEREN_INSTRET)

#define CAUSE_INTERRUPT           (1ull << 63)
#define CAUSE_FETCH_MISALIGNED    0
#define CAUSE_FETCH_ACCESS        1
#define CAUSE_ILLEGAL_INSTRUCTION 2
#define CAUSE_BREAKPOINT          3
#define CAUSE_LOAD_MISALIGNED     4
#define CAUSE_LOAD_ACCESS         5
#define CAUSE_STORE_MISALIGNED    6
#define CAUSE_STORE_ACCESS        7
#define CAUSE_USER_ECALL          8
#define CAUSE_FETCH_PAGE          12
#define CAUSE_LOAD_PAGE           13
#define CAUSE_STORE_PAGE          15

#define SATP_SV39       8
#define SATP_MODE_SHIFT 60
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK  0xffff

#define CSR_STIMECMP 0x14d // of Sstc, which assemblers need not know

#define FRAME_X(n)   (8 + 8 * (n))
#define FRAME_PC     0
#define FRAME_STATUS 264
#define FRAME_CPU    272
#define FRAME_SIZE   288

#define THREAD_KERNEL_SP 0
#define THREAD_ENTRY     8
#define THREAD_FRAME     16
#define THREAD_ON_CPU    320
#define THREAD_GUEST     328

// struct guest_state begins as a frame
#define GUEST_REASON      264
#define GUEST_SYSTEM_CALL 1 // GUEST_EXIT_SYSCALL

#define CPU_EMERGENCY_STACK 0
#define CPU_SCRATCH         8
#define CPU_DIRECT_CALLS    64
#define CPU_HANDLERS        72
#define CPU_WORK            80
#define CPU_CURRENT         88

#ifndef __ASSEMBLER__

#define csr_read(name)                                              \
	({                                                          \
		uint64_t value_;                                    \
		__asm__ volatile("csrr %0, " #name : "=r"(value_)); \
		value_;                                             \
	})
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" : : "rK"((uint64_t)(value)) : "memory")
#define csr_set(name, bits)    __asm__ volatile("csrs " #name ", %0" : : "rK"((uint64_t)(bits)) : "memory")
#define csr_clear(name, bits)  __asm__ volatile("csrc " #name ", %0" : : "rK"((uint64_t)(bits)) : "memory")

#endif

#endif
