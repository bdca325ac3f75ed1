// SPDX-License-Identifier: MIT
//
// Copies between a server and the buffers that its present caller offers.

#include <runtime/server.h>

enum error request_read(unsigned index, uint64_t offset, void *buffer, size_t length)
{
	uint64_t copied = 0;
	enum error error = length > 0 ? reply_read(HANDLE_NONE, index, offset, buffer, length, &copied)
				      : ERR_OK;
	return error == ERR_OK && copied < length ? ERR_PEER_FAULT : error;
}

enum error request_write(unsigned index, uint64_t offset, const void *buffer, size_t length)
{
	uint64_t copied = 0;
	enum error error = length > 0 ? reply_write(HANDLE_NONE, index, offset, buffer, length, &copied)
				      : ERR_OK;
	return error == ERR_OK && copied < length ? ERR_PEER_FAULT : error;
}
