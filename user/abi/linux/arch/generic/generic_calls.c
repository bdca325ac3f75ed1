// SPDX-License-Identifier: MIT
//
// stat and clone as AArch64 and RISC-V share them.

#include <linux/arch/guest.h>
#include <linux/calls/calls.h>
#include <linux/files/attributes.h>
#include <linux/interface/process.h>
#include <linux/process/clone.h>

void guest_fill_stat(struct linux_stat *result, const struct file_attributes *attributes)
{
	*result = (struct linux_stat){
		.file_system = attributes->file_system,
		.node = attributes->node,
		.mode = (uint32_t)attributes->mode,
		.links = (uint32_t)attributes->links,
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
		.change_nanoseconds = time_nanoseconds(attributes->change_time),
	};
}

int64_t linux_clone(struct thread *thread, uint64_t flags, guest_address_t stack, guest_address_t parent_tid,
	uint64_t tls, guest_address_t child_tid)
{
	return clone_thread(thread,
		&(struct clone_request){
			.flags = flags & ~(uint64_t)LINUX_CLONE_SIGNAL_MASK,
			.exit_signal = flags & LINUX_CLONE_SIGNAL_MASK,
			.stack = stack,
			.parent_tid = parent_tid,
			.child_tid = child_tid,
			.tls = tls,
		});
}
