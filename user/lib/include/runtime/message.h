// SPDX-License-Identifier: MIT
//
// What a program hands to the IPC system calls, and gets back from them: tern/message.h has the layout.

#ifndef RUNTIME_MESSAGE_H
#define RUNTIME_MESSAGE_H

#include <tern/message.h>

// What travels in registers: of a message of up to 8 words all of it. Further words, capabilities, the
// deadline and offered buffers are in message_buffer(). A call takes the request and leaves the answer in its
// place.
struct message {
	uint64_t info;  // in: MESSAGE_INFO and flags; out: what the other side said, and the kernel's flags
	uint64_t badge; // out: of the capability through which it came
	uint64_t words[MESSAGE_WIDE_WORDS];
};

// The same for up to 4 words (more only through the message buffer): the cheapest form.
struct short_message {
	uint64_t info;
	uint64_t badge;
	uint64_t words[MESSAGE_REGISTER_WORDS];
};

#endif
