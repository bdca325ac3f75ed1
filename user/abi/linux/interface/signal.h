// SPDX-License-Identifier: MIT
//
// Linux's signal numbers and flags, the same on the three architectures.

#ifndef INTERFACE_SIGNAL_H
#define INTERFACE_SIGNAL_H

#include <stdint.h>

enum linux_signal {
	LINUX_SIGHUP = 1,
	LINUX_SIGINT = 2,
	LINUX_SIGQUIT = 3,
	LINUX_SIGILL = 4,
	LINUX_SIGTRAP = 5,
	LINUX_SIGABRT = 6,
	LINUX_SIGBUS = 7,
	LINUX_SIGFPE = 8,
	LINUX_SIGKILL = 9,
	LINUX_SIGUSR1 = 10,
	LINUX_SIGSEGV = 11,
	LINUX_SIGUSR2 = 12,
	LINUX_SIGPIPE = 13,
	LINUX_SIGALRM = 14,
	LINUX_SIGTERM = 15,
	LINUX_SIGSTKFLT = 16,
	LINUX_SIGCHLD = 17,
	LINUX_SIGCONT = 18,
	LINUX_SIGSTOP = 19,
	LINUX_SIGTSTP = 20,
	LINUX_SIGTTIN = 21,
	LINUX_SIGTTOU = 22,
	LINUX_SIGURG = 23,
	LINUX_SIGXCPU = 24,
	LINUX_SIGXFSZ = 25,
	LINUX_SIGVTALRM = 26,
	LINUX_SIGPROF = 27,
	LINUX_SIGWINCH = 28,
	LINUX_SIGIO = 29,
	LINUX_SIGPWR = 30,
	LINUX_SIGSYS = 31,
	LINUX_SIGNAL_COUNT = 64,
};

// Flags of actions.
#define LINUX_SA_NOCLDWAIT ((uint64_t)0x00000002)
#define LINUX_SA_RESTORER  ((uint64_t)0x04000000)
#define LINUX_SA_ONSTACK   ((uint64_t)0x08000000)
#define LINUX_SA_RESTART   ((uint64_t)0x10000000)
#define LINUX_SA_NODEFER   ((uint64_t)0x40000000)
#define LINUX_SA_RESETHAND ((uint64_t)0x80000000)

// What siginfo tells about the cause.
#define LINUX_SI_USER     0
#define LINUX_SI_KERNEL   0x80
#define LINUX_SI_TKILL    (-6)
#define LINUX_CLD_EXITED  1
#define LINUX_CLD_KILLED  2
#define LINUX_ILL_ILLOPC  1
#define LINUX_FPE_INTDIV  1
#define LINUX_SEGV_MAPERR 1
#define LINUX_SEGV_ACCERR 2
#define LINUX_BUS_ADRALN  1
#define LINUX_TRAP_BRKPT  1
#define LINUX_TRAP_TRACE  2

#define LINUX_SIG_DFL 0
#define LINUX_SIG_IGN 1

#define LINUX_SIG_BLOCK   0
#define LINUX_SIG_UNBLOCK 1
#define LINUX_SIG_SETMASK 2

#define LINUX_SS_ONSTACK  1
#define LINUX_SS_DISABLE  2
#define LINUX_MINSIGSTKSZ 2048

struct linux_sigaltstack {
	uint64_t base;
	int32_t flags;
	int32_t padding;
	uint64_t size;
};

// siginfo: which of the unions counts depends on signal and code.
struct linux_signal_information {
	int32_t signal;
	int32_t error;
	int32_t code;
	int32_t padding;
	union {
		struct {
			int32_t process;
			uint32_t user;
			int32_t status; // of a child: exit code or signal
		} sender;
		uint64_t fault_address;
		uint8_t bytes[112];
	};
};
_Static_assert(sizeof(struct linux_signal_information) == 128, "siginfo is 128 bytes");

// The start of a ucontext, up to where the architectures differ.
struct linux_context_start {
	uint64_t flags;
	uint64_t link;
	struct linux_sigaltstack stack;
};

#endif
