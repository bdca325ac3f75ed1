// SPDX-License-Identifier: MIT
//
// Messages: the IPC system calls of tern/syscalls.def (there: rights and errors) on the layout of
// tern/message.h.

#ifndef RUNTIME_IPC_H
#define RUNTIME_IPC_H

#include <runtime/arch.h>
#include <runtime/message.h>
#include <runtime/system_calls.h>

// The message buffer of the calling thread.
struct message_buffer *message_buffer(void);

static inline enum error endpoint_call(handle_t endpoint, struct message *message)
{
	return arch_ipc(SYSCALL_NUMBER_endpoint_call, endpoint, message);
}

static inline enum error endpoint_send(handle_t endpoint, struct message *message)
{
	return arch_ipc(SYSCALL_NUMBER_endpoint_send, endpoint, message);
}

static inline enum error endpoint_receive(handle_t endpoint, struct message *message)
{
	return arch_ipc(SYSCALL_NUMBER_endpoint_receive, endpoint, message);
}

static inline enum error endpoint_reply_receive(handle_t endpoint, struct message *message)
{
	return arch_ipc(SYSCALL_NUMBER_endpoint_reply_receive, endpoint, message);
}

static inline enum error endpoint_reply(handle_t reply, struct message *message)
{
	return arch_ipc(SYSCALL_NUMBER_endpoint_reply, reply, message);
}

static inline enum error endpoint_call_short(handle_t endpoint, struct short_message *message)
{
	return arch_ipc_short(SYSCALL_NUMBER_endpoint_call, endpoint, message);
}

static inline enum error endpoint_receive_short(handle_t endpoint, struct short_message *message)
{
	return arch_ipc_short(SYSCALL_NUMBER_endpoint_receive, endpoint, message);
}

static inline enum error endpoint_reply_receive_short(handle_t endpoint, struct short_message *message)
{
	return arch_ipc_short(SYSCALL_NUMBER_endpoint_reply_receive, endpoint, message);
}

// Sets offered buffer `index` of the next call to a range of this process; buffers are offered in order, from
// 0.
void message_offer(unsigned index, const void *address, size_t length, uint64_t flags);

// Calls a server and returns the error of the call or the one that the answer has as its label.
enum error protocol_call(handle_t endpoint, struct message *message);

#endif
