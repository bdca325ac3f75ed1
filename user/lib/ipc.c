// SPDX-License-Identifier: MIT
//
// Messages beyond what is inline.

#include <runtime/ipc.h>
#include <runtime/thread.h>

_Thread_local struct message_buffer *runtime_message_buffer;

struct message_buffer *message_buffer(void)
{
	return runtime_message_buffer;
}

void message_offer(unsigned index, const void *address, size_t length, uint64_t flags)
{
	struct message_buffer *buffer = message_buffer();
	buffer->offered[index] = (struct message_offer){
		.address_space = HANDLE_SELF,
		.address = (uintptr_t)address,
		.length = length,
		.flags = flags,
	};
	buffer->offered_count = index + 1;
}

enum error protocol_call(handle_t endpoint, struct message *message)
{
	enum error error = endpoint_call(endpoint, message);
	return error != ERR_OK ? error : (enum error)message_label(message->info);
}
