// SPDX-License-Identifier: MIT
//
// Calls to the firmware below (RISC-V SBI specification 2.0): its console; power.

#include "internal.h"
#include <arch/cpu.h>
#include <kernel/device.h>

#define SBI_BASE             0x10
#define BASE_PROBE_EXTENSION 3

#define SBI_LEGACY_PUTCHAR  0x01
#define SBI_LEGACY_SHUTDOWN 0x08
#define SBI_DEBUG_CONSOLE   0x4442434e
#define CONSOLE_WRITE_BYTE  2

#define SYSTEM_RESET      0
#define RESET_SHUTDOWN    0
#define RESET_COLD_REBOOT 1

struct sbi_result sbi_call(long extension, long function, uint64_t a0, uint64_t a1, uint64_t a2)
{
	register uint64_t r0 __asm__("a0") = a0;
	register uint64_t r1 __asm__("a1") = a1;
	register uint64_t r2 __asm__("a2") = a2;
	register long r6 __asm__("a6") = function;
	register long r7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r6), "r"(r7) : "memory");
	return (struct sbi_result){.error = (long)r0, .value = (long)r1};
}

bool sbi_has(long extension)
{
	struct sbi_result result = sbi_call(SBI_BASE, BASE_PROBE_EXTENSION, (uint64_t)extension, 0, 0);

	return result.error == 0 && result.value != 0;
}

static void debug_console_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sbi_call(SBI_DEBUG_CONSOLE, CONSOLE_WRITE_BYTE, (uint8_t)text[i], 0, 0);
}

static void legacy_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)text[i], 0, 0);
}

static const struct early_console debug_console = {.write = debug_console_write};
static const struct early_console legacy_console = {.write = legacy_write};

void sbi_console_init(void)
{
	early_console = sbi_has(SBI_DEBUG_CONSOLE) ? &debug_console : &legacy_console;
}

void arch_power_off(void)
{
	sbi_call(SBI_SRST, SYSTEM_RESET, RESET_SHUTDOWN, 0, 0);
	sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0);
}

void arch_reset(void)
{
	sbi_call(SBI_SRST, SYSTEM_RESET, RESET_COLD_REBOOT, 0, 0);
}
