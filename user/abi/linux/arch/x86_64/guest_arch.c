// SPDX-License-Identifier: MIT
//
// Linux on x86_64: features, stat, registers by name, and the arch_prctl call.

#include <linux/calls/calls.h>
#include <linux/files/attributes.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>

#include <cpuid.h>

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

bool guest_register(const struct registers *registers, unsigned index, struct guest_register *result)
{
	const struct guest_register all[] = {{"rip", registers->rip}, {"rflags", registers->rflags},
		{"rax", registers->rax}, {"rbx", registers->rbx}, {"rcx", registers->rcx},
		{"rdx", registers->rdx}, {"rsi", registers->rsi}, {"rdi", registers->rdi},
		{"rbp", registers->rbp}, {"rsp", registers->rsp}, {"r8", registers->r8},
		{"r9", registers->r9}, {"r10", registers->r10}, {"r11", registers->r11},
		{"r12", registers->r12}, {"r13", registers->r13}, {"r14", registers->r14},
		{"r15", registers->r15}, {"fs_base", registers->fs_base}, {"gs_base", registers->gs_base}};

	if (index >= sizeof(all) / sizeof(all[0]))
		return false;
	*result = all[index];
	return true;
}

// What Linux tells as AT_HWCAP here is EDX of CPUID leaf 1.
uint64_t guest_capabilities(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) ? edx : 0;
}

void guest_fill_stat(struct linux_stat *result, const struct file_attributes *attributes)
{
	*result = (struct linux_stat){.file_system = attributes->file_system,
		.node = attributes->node,
		.links = attributes->links,
		.mode = (uint32_t)attributes->mode,
		.user = (uint32_t)attributes->user,
		.group = (uint32_t)attributes->group,
		.device = attributes->device,
		.size = (int64_t)attributes->size,
		.block_size = ATTRIBUTES_BLOCK_SIZE,
		.blocks = (int64_t)attributes_sectors(attributes),
		.access_seconds = time_seconds(attributes->access_time),
		.access_nanoseconds = time_nanoseconds(attributes->access_time),
		.modify_seconds = time_seconds(attributes->modify_time),
		.modify_nanoseconds = time_nanoseconds(attributes->modify_time),
		.change_seconds = time_seconds(attributes->change_time),
		.change_nanoseconds = time_nanoseconds(attributes->change_time)};
}

int64_t linux_arch_prctl(struct thread *thread, uint32_t code, guest_address_t address)
{
	struct registers *registers = &thread->state->registers;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= GUEST_ADDRESS_END)
			return -LINUX_EPERM;
		*(code == ARCH_SET_FS ? &registers->fs_base : &registers->gs_base) = address;
		return 0;
	case ARCH_GET_FS:
		return copy_to_guest(thread, address, &registers->fs_base, sizeof(uint64_t));
	case ARCH_GET_GS:
		return copy_to_guest(thread, address, &registers->gs_base, sizeof(uint64_t));
	default:
		return -LINUX_EINVAL;
	}
}
