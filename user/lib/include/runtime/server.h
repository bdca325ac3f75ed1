// SPDX-License-Identifier: MIT
//
// The loop of a server: receives requests, has them handled, answers. What clients send is checked by the
// handler; what they send along without being asked is closed here.

#ifndef RUNTIME_SERVER_H
#define RUNTIME_SERVER_H

#include <protocol/error.h>
#include <runtime/ipc.h>

// A handler returns it for a request that it has saved, to be answered later.
#define SERVER_LATER ((enum error)UINT32_MAX)

struct request {
	uint32_t label;
	uint64_t badge;
	size_t length; // words of the request; those beyond it are 0 up to MESSAGE_WIDE_WORDS
	size_t capability_count;
	handle_t capabilities[MESSAGE_CAPABILITIES]; // to keep one, put HANDLE_NONE in its place
	uint64_t words[MESSAGE_WIDE_WORDS];          // in: of the request; out: of the answer
	size_t answer_length;                        // words beyond MESSAGE_WIDE_WORDS: in message_buffer()
	handle_t answer_capability;                  // HANDLE_NONE: none; it is closed once it is sent
};

struct server {
	handle_t endpoint;
	// Handles a request and returns the label of the answer.
	enum error (*request)(struct request *request);
	// Handles bits of the notification that is bound to the endpoint; NULL: there is none.
	void (*notification)(uint64_t bits);
};

// Serves for ever; returns only the error that ended receiving.
enum error server_run(const struct server *server);

// Answers a request that was saved by reply_save with a label and a word, which uses up the reply.
void request_answer(handle_t reply, enum error error, uint64_t word);

// Copies a range of buffer `index` that the caller of the current request offered, or to it. Errors: those of
// reply_read and reply_write, PEER_FAULT where it could not be copied wholly.
enum error request_read(unsigned index, uint64_t offset, void *buffer, size_t length);
enum error request_write(unsigned index, uint64_t offset, const void *buffer, size_t length);

#endif
