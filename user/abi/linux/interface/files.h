// SPDX-License-Identifier: MIT
//
// Linux's numbers and layouts around files. Open flags that differ between architectures: guest_arch.h.

#ifndef INTERFACE_FILES_H
#define INTERFACE_FILES_H

#include <stdint.h>

#define LINUX_PATH_MAX  4096 // bytes of a path with its NUL
#define LINUX_NAME_MAX  255
#define LINUX_IOV_MAX   1024
#define LINUX_PIPE_BUF  4096                   // writes of up to this many bytes to a pipe are not torn
#define LINUX_OPEN_MAX  1024                   // descriptors of a process: default limit
#define LINUX_COUNT_MAX ((uint64_t)0x7ffff000) // most bytes that one read or write moves

#define LINUX_AT_FDCWD            (-100)
#define LINUX_AT_SYMLINK_NOFOLLOW 0x100
#define LINUX_AT_REMOVEDIR        0x200
#define LINUX_AT_EACCESS          0x200
#define LINUX_AT_SYMLINK_FOLLOW   0x400
#define LINUX_AT_NO_AUTOMOUNT     0x800
#define LINUX_AT_EMPTY_PATH       0x1000
#define LINUX_AT_STATX_SYNC_TYPE  0x6000

#define LINUX_O_ACCMODE  00000003
#define LINUX_O_RDONLY   00000000
#define LINUX_O_WRONLY   00000001
#define LINUX_O_RDWR     00000002
#define LINUX_O_CREAT    00000100
#define LINUX_O_EXCL     00000200
#define LINUX_O_NOCTTY   00000400
#define LINUX_O_TRUNC    00001000
#define LINUX_O_APPEND   00002000
#define LINUX_O_NONBLOCK 00004000
#define LINUX_O_CLOEXEC  02000000
#define LINUX_O_PATH     010000000

#define LINUX_F_DUPFD         0
#define LINUX_F_GETFD         1
#define LINUX_F_SETFD         2
#define LINUX_F_GETFL         3
#define LINUX_F_SETFL         4
#define LINUX_F_GETLK         5
#define LINUX_F_SETLK         6
#define LINUX_F_SETLKW        7
#define LINUX_F_SETOWN        8
#define LINUX_F_GETOWN        9
#define LINUX_F_OFD_GETLK     36
#define LINUX_F_OFD_SETLK     37
#define LINUX_F_OFD_SETLKW    38
#define LINUX_F_DUPFD_CLOEXEC 1030
#define LINUX_F_GETPIPE_SZ    1032
#define LINUX_FD_CLOEXEC      1
#define LINUX_F_UNLCK         2

#define LINUX_SEEK_SET 0
#define LINUX_SEEK_CUR 1
#define LINUX_SEEK_END 2

#define LINUX_X_OK 1
#define LINUX_W_OK 2
#define LINUX_R_OK 4

#define LINUX_RENAME_NOREPLACE 1

#define LINUX_UTIME_NOW  0x3fffffff
#define LINUX_UTIME_OMIT 0x3ffffffe

#define LINUX_FIONREAD 0x541b
#define LINUX_FIONBIO  0x5421
#define LINUX_FIOCLEX  0x5451
#define LINUX_FIONCLEX 0x5450

#define LINUX_POLLIN     0x001
#define LINUX_POLLPRI    0x002
#define LINUX_POLLOUT    0x004
#define LINUX_POLLERR    0x008
#define LINUX_POLLHUP    0x010
#define LINUX_POLLNVAL   0x020
#define LINUX_POLLRDNORM 0x040
#define LINUX_POLLWRNORM 0x100

struct linux_pollfd {
	int32_t descriptor;
	int16_t events;
	int16_t returned;
};

struct linux_iovec {
	uint64_t base;
	uint64_t length;
};

// A record of getdents64, padded to a multiple of 8 bytes.
struct linux_dirent64 {
	uint64_t node;
	int64_t next;
	uint16_t length;
	uint8_t type; // the type bits of the mode, shifted right by 12
	char name[];
};

struct linux_statfs {
	uint64_t type;
	uint64_t block_size;
	uint64_t blocks;
	uint64_t blocks_free;
	uint64_t blocks_available;
	uint64_t files;
	uint64_t files_free;
	uint64_t file_system;
	uint64_t name_length;
	uint64_t fragment_size;
	uint64_t flags;
	uint64_t spare[4];
};

struct linux_statx_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

#define LINUX_STATX_BASIC_STATS 0x7ff

struct linux_statx {
	uint32_t mask;
	uint32_t block_size;
	uint64_t attributes;
	uint32_t links;
	uint32_t user;
	uint32_t group;
	uint16_t mode;
	uint16_t spare0;
	uint64_t node;
	uint64_t size;
	uint64_t blocks; // of 512 bytes
	uint64_t attributes_mask;
	struct linux_statx_time access_time;
	struct linux_statx_time birth_time;
	struct linux_statx_time change_time;
	struct linux_statx_time modify_time;
	uint32_t device_major;
	uint32_t device_minor;
	uint32_t file_system_major;
	uint32_t file_system_minor;
	uint64_t spare[14];
};

_Static_assert(sizeof(struct linux_statfs) == 120, "statfs is 120 bytes");
_Static_assert(sizeof(struct linux_statx) == 256, "statx is 256 bytes");

// Device numbers: 12 bits of major and 20 of minor, as stat tells them.
static inline uint64_t linux_device(uint64_t major, uint64_t minor)
{
	return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~(uint64_t)0xff) << 12);
}

static inline uint32_t linux_device_major(uint64_t device)
{
	return (uint32_t)(device >> 8) & 0xfff;
}

static inline uint32_t linux_device_minor(uint64_t device)
{
	return (uint32_t)((device & 0xff) | ((device >> 12) & 0xfff00));
}

#endif
