// SPDX-License-Identifier: MIT
//
// From the ISA's boot code to the first user program.

#include <kernel/boot.h>
#include <kernel/command_line.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/frame.h>
#include <kernel/futex.h>
#include <kernel/init_process.h>
#include <kernel/log.h>
#include <kernel/random.h>
#include <kernel/stack_protector.h>
#include <kernel/trace.h>
#include <kernel/trap.h>

struct boot_machine boot_machine;
const struct early_console *early_console;
const struct interrupt_controller *interrupt_controller;

static void log_machine(void)
{
	log_info("Tern on %s, %zu CPUs, %llu MiB of memory", ARCH_NAME, boot_machine.cpu_count,
		(unsigned long long)(frame_total() >> (20 - PAGE_SHIFT)));
	for (size_t i = 0; i < boot_machine.device_count; i++) {
		const struct boot_device *device = &boot_machine.devices[i];

		log_debug("device %s at %#llx, interrupt %d", device->name, (unsigned long long)device->base,
			(int)device->interrupt);
	}
}

_Noreturn void kernel_main(void)
{
	trace_enabled = command_line_is("tern.trace", "1");
	if (trace_enabled)
		direct_calls_limit = 0;
	frame_init();
	random_init();
	stack_protector_init();
	futex_init();
	log_machine();
	cpu_start_others();
	init_process_start();
	cpu_enter_idle();
}
