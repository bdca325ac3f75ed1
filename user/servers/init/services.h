// SPDX-License-Identifier: MIT
//
// The servers of the manifest: made once, started, and started again when they end.

#ifndef INIT_SERVICES_H
#define INIT_SERVICES_H

#include "manifest.h"
#include <tern/boot.h>

// Clients of the name service: each server by its index, and the program of the session.
#define CLIENT_SESSION MANIFEST_SERVERS

// Badge of a client at the name service and at servers; never 0.
#define CLIENT_BADGE(client) ((uint64_t)(client) + 1)

// Makes endpoint, account and device capabilities of each server. `notification` gets bit i when server i
// ends; `names` is the endpoint of the name service. False: there was no memory.
bool services_create(
	const struct boot_info *info, const struct manifest *manifest, handle_t notification, handle_t names);

// Starts all servers.
void services_start(void);

// Server `index` has ended: starts it again, unless it keeps ending.
void service_ended(size_t index);

// Ends a server. Errors: NOT_FOUND (there is none of that name, or it does not run).
enum error service_end(const char *name);

// The endpoint that a server receives on; HANDLE_NONE: there is no such server, or it was given up.
handle_t service_endpoint(const char *name);

// What the manifest says about a client that is a server.
const struct manifest_server *service_manifest(size_t client);

#endif
