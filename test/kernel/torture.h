// SPDX-License-Identifier: MIT
//
// Death in every wait: the operations that wait, and what each waiter is told of what happens to it (torture_operations.c); the
// play is in torture.c.

#ifndef TORTURE_H
#define TORTURE_H

#include "test.h"

#define KILLED     1000 // the waiter's status when it is killed
#define NOT_TESTED (-1) // has no meaning for the operation

enum event {
	WAITER_KILLED,
	WAITER_SUSPENDED, // and resumed once it may go on
	TIMED_OUT,
	OBJECT_CLOSED,  // the last handle to what it waits for, or to the other side of it
	OBJECT_REVOKED, // the handle that it waits through
	PEER_KILLED,
	PEER_SUSPENDED,
	EVENTS,
};

struct scene {
	const struct operation *operation;
	struct worker waiter, peer;
	bool has_peer, peer_gone;
	uint64_t deadline;
	handle_t endpoint;     // with all rights
	handle_t notification; // waited for
	handle_t object;       // what the waiter's handle is derived from
	handle_t through;      // the waiter's handle
	handle_t process;      // of a peer that is another process
	handle_t go, reached;  // the peer waits for one when it has signalled the other
	handle_t reply;        // saved
	_Atomic uint32_t word;
};

enum trait {
	PLAIN = 0,
	RECEIVES = 1,   // of an endpoint: its handle needs the right
	JOINS = 2,      // the peer
	RUNS_GUEST = 4, // and waits in its own way
	NEEDS_PEER = 8, // which alone can end the wait
};

struct operation {
	const char *name;
	unsigned traits;
	uint64_t (*wait)(struct scene *scene);   // in the waiter; the error
	uint64_t (*peer)(struct scene *scene);   // in the peer; NULL: there is none
	handle_t (*object)(struct scene *scene); // NULL: the endpoint
	void (*let_go)(struct scene *scene);     // ends the wait well
	void (*close)(struct scene *scene);
	int during[EVENTS], before[EVENTS];
};

extern const struct operation torture_operations[];
extern const unsigned torture_operations_count;

#endif
