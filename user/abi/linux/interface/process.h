// SPDX-License-Identifier: MIT
//
// Linux's numbers and layouts around processes, identity, limits and the system.

#ifndef INTERFACE_PROCESS_H
#define INTERFACE_PROCESS_H

#include <stdint.h>

#define LINUX_CLONE_SIGNAL_MASK    0x000000ff
#define LINUX_CLONE_VM             0x00000100
#define LINUX_CLONE_FS             0x00000200
#define LINUX_CLONE_FILES          0x00000400
#define LINUX_CLONE_SIGHAND        0x00000800
#define LINUX_CLONE_PIDFD          0x00001000
#define LINUX_CLONE_VFORK          0x00004000
#define LINUX_CLONE_PARENT         0x00008000
#define LINUX_CLONE_THREAD         0x00010000
#define LINUX_CLONE_SYSVSEM        0x00040000
#define LINUX_CLONE_SETTLS         0x00080000
#define LINUX_CLONE_PARENT_SETTID  0x00100000
#define LINUX_CLONE_CHILD_CLEARTID 0x00200000
#define LINUX_CLONE_DETACHED       0x00400000
#define LINUX_CLONE_CHILD_SETTID   0x01000000
#define LINUX_CLONE_NEW_NAMESPACES 0x7e020000

// clone3's arguments.
struct linux_clone_arguments {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
};

#define LINUX_WNOHANG    0x00000001
#define LINUX_WUNTRACED  0x00000002
#define LINUX_WEXITED    0x00000004
#define LINUX_WCONTINUED 0x00000008
#define LINUX_WNOWAIT    0x01000000
#define LINUX_WAIT_KNOWN 0xe100000f // and __WNOTHREAD, __WALL, __WCLONE

#define LINUX_P_ALL  0
#define LINUX_P_PID  1
#define LINUX_P_PGID 2

struct linux_timeval {
	int64_t seconds;
	int64_t microseconds;
};

struct linux_rusage {
	struct linux_timeval user_time;
	struct linux_timeval system_time;
	uint64_t maximum_resident; // KiB
	uint64_t unused[13];
};
_Static_assert(sizeof(struct linux_rusage) == 144, "rusage is 144 bytes");

#define LINUX_RUSAGE_SELF     0
#define LINUX_RUSAGE_CHILDREN (-1)
#define LINUX_RUSAGE_THREAD   1

enum linux_limit {
	LINUX_RLIMIT_CPU,
	LINUX_RLIMIT_FSIZE,
	LINUX_RLIMIT_DATA,
	LINUX_RLIMIT_STACK,
	LINUX_RLIMIT_CORE,
	LINUX_RLIMIT_RSS,
	LINUX_RLIMIT_NPROC,
	LINUX_RLIMIT_NOFILE,
	LINUX_RLIMIT_MEMLOCK,
	LINUX_RLIMIT_AS,
	LINUX_RLIMIT_LOCKS,
	LINUX_RLIMIT_SIGPENDING,
	LINUX_RLIMIT_MSGQUEUE,
	LINUX_RLIMIT_NICE,
	LINUX_RLIMIT_RTPRIO,
	LINUX_RLIMIT_RTTIME,
	LINUX_RLIMIT_COUNT,
};
#define LINUX_RLIM_INFINITY UINT64_MAX

struct linux_rlimit {
	uint64_t current;
	uint64_t maximum;
};

#define LINUX_PR_SET_PDEATHSIG    1
#define LINUX_PR_GET_DUMPABLE     3
#define LINUX_PR_SET_DUMPABLE     4
#define LINUX_PR_SET_NAME         15
#define LINUX_PR_GET_NAME         16
#define LINUX_PR_SET_NO_NEW_PRIVS 38
#define LINUX_PR_GET_NO_NEW_PRIVS 39

#define LINUX_REBOOT_MAGIC1    0xfee1dead
#define LINUX_REBOOT_MAGIC2    672274793
#define LINUX_REBOOT_RESTART   0x01234567
#define LINUX_REBOOT_HALT      0xcdef0123
#define LINUX_REBOOT_POWER_OFF 0x4321fedc
#define LINUX_REBOOT_CAD_ON    0x89abcdef
#define LINUX_REBOOT_CAD_OFF   0

#define LINUX_NAME_FIELD 65

struct linux_utsname {
	char system[LINUX_NAME_FIELD];
	char node[LINUX_NAME_FIELD];
	char release[LINUX_NAME_FIELD];
	char version[LINUX_NAME_FIELD];
	char machine[LINUX_NAME_FIELD];
	char domain[LINUX_NAME_FIELD];
};

struct linux_sysinfo {
	int64_t uptime; // seconds
	uint64_t loads[3];
	uint64_t memory_total;
	uint64_t memory_free;
	uint64_t memory_shared;
	uint64_t memory_buffers;
	uint64_t swap_total;
	uint64_t swap_free;
	uint16_t processes;
	uint16_t padding[3];
	uint64_t high_total;
	uint64_t high_free;
	uint32_t unit; // bytes that the memory figures count in
	uint32_t padding_end;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "sysinfo is 112 bytes");

#endif
