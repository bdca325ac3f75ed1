// SPDX-License-Identifier: MIT
//
// The name service and the requests to shut down: what init's own endpoint answers.

#ifndef INIT_NAMES_H
#define INIT_NAMES_H

#include <runtime/server.h>

// Badge bits of capabilities under the names "system" (protocol/system.h) and "supervisor" (protocol/supervisor.h).
#define BADGE_SYSTEM     ((uint64_t)1 << 63)
#define BADGE_SUPERVISOR ((uint64_t)1 << 62)

// Serves `endpoint`, on which clients have badges made by CLIENT_BADGE.
void names_create(handle_t endpoint);

// Handles a request of the name service.
enum error names_request(struct request *request);

// Takes a name from the first words of a request. False: it is none.
bool take_name(const struct request *request, char name[NAME_LENGTH]);

#endif
