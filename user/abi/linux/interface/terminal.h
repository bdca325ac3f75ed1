// SPDX-License-Identifier: MIT
//
// Linux's terminal settings and requests.

#ifndef INTERFACE_TERMINAL_H
#define INTERFACE_TERMINAL_H

#include <stdint.h>

#define LINUX_TCGETS     0x5401
#define LINUX_TCSETS     0x5402
#define LINUX_TCSETSW    0x5403
#define LINUX_TCSETSF    0x5404
#define LINUX_TCSBRK     0x5409
#define LINUX_TCXONC     0x540a
#define LINUX_TCFLSH     0x540b
#define LINUX_TIOCSCTTY  0x540e
#define LINUX_TIOCGPGRP  0x540f
#define LINUX_TIOCSPGRP  0x5410
#define LINUX_TIOCGWINSZ 0x5413
#define LINUX_TIOCSWINSZ 0x5414
#define LINUX_TIOCNOTTY  0x5422
#define LINUX_TIOCGSID   0x5429

#define LINUX_TCIFLUSH  0
#define LINUX_TCOFLUSH  1
#define LINUX_TCIOFLUSH 2

// c_iflag
#define LINUX_ISTRIP 0000040
#define LINUX_INLCR  0000100
#define LINUX_IGNCR  0000200
#define LINUX_ICRNL  0000400
#define LINUX_IXON   0002000
#define LINUX_IUTF8  0040000

// c_oflag
#define LINUX_OPOST 0000001
#define LINUX_ONLCR 0000004

// c_cflag
#define LINUX_B38400 0000017
#define LINUX_CS8    0000060
#define LINUX_CREAD  0000200
#define LINUX_HUPCL  0002000

// c_lflag
#define LINUX_ISIG    0000001
#define LINUX_ICANON  0000002
#define LINUX_ECHO    0000010
#define LINUX_ECHOE   0000020
#define LINUX_ECHOK   0000040
#define LINUX_ECHONL  0000100
#define LINUX_NOFLSH  0000200
#define LINUX_ECHOCTL 0001000
#define LINUX_ECHOKE  0004000
#define LINUX_IEXTEN  0100000

enum linux_control_character {
	LINUX_VINTR,
	LINUX_VQUIT,
	LINUX_VERASE,
	LINUX_VKILL,
	LINUX_VEOF,
	LINUX_VTIME,
	LINUX_VMIN,
	LINUX_VSWTC,
	LINUX_VSTART,
	LINUX_VSTOP,
	LINUX_VSUSP,
	LINUX_VEOL,
	LINUX_VREPRINT,
	LINUX_VDISCARD,
	LINUX_VWERASE,
	LINUX_VLNEXT,
	LINUX_VEOL2,
	LINUX_CONTROL_CHARACTERS = 19,
};

struct linux_termios {
	uint32_t input;
	uint32_t output;
	uint32_t control;
	uint32_t local;
	uint8_t line;
	uint8_t characters[LINUX_CONTROL_CHARACTERS];
};
_Static_assert(sizeof(struct linux_termios) == 36, "termios is 36 bytes");

struct linux_winsize {
	uint16_t rows;
	uint16_t columns;
	uint16_t width;
	uint16_t height;
};

#endif
