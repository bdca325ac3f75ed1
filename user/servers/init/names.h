// SPDX-License-Identifier: MIT
//
// The name service and the requests to shut down: what init's own endpoint answers.

#ifndef INIT_NAMES_H
#define INIT_NAMES_H

#include <runtime/server.h>

// Badge bit of capabilities with which the machine can be shut down: the name "system".
#define BADGE_SYSTEM ((uint64_t)1 << 63)

// Serves `endpoint`, on which clients have badges made by CLIENT_BADGE.
void names_create(handle_t endpoint);

// Handles a request of the name service.
enum error names_request(struct request *request);

#endif
