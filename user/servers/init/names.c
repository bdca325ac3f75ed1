// SPDX-License-Identifier: MIT
//
// The name service. A name is a server of the manifest, "system", or was registered by a server that provides
// it.

#include "names.h"
#include "gifts.h"
#include "services.h"
#include <protocol/name.h>
#include <runtime/system_calls.h>
#include <string.h>

#define REGISTERED_MAX 32

struct registered {
	char name[NAME_LENGTH];
	handle_t handle;
};

static struct registered registered[REGISTERED_MAX];
static size_t registered_count;
static handle_t own_endpoint;

void names_create(handle_t endpoint)
{
	own_endpoint = endpoint;
}

static struct registered *find_registered(const char *name)
{
	for (size_t i = 0; i < registered_count; i++)
		if (strcmp(registered[i].name, name) == 0)
			return &registered[i];
	return NULL;
}

// The program of the session may look up everything: it is what this boot is for.
static bool may_use(size_t client, const char *name)
{
	const struct manifest_server *manifest = service_manifest(client);
	return client == CLIENT_SESSION || (manifest != NULL && manifest_names_has(&manifest->used, name));
}

static enum error lookup(struct request *request, size_t client, const char *name)
{
	const struct registered *entry = find_registered(name);
	handle_t endpoint = service_endpoint(name);
	uint64_t badge = CLIENT_BADGE(client);
	if (!may_use(client, name))
		return ERR_NO_RIGHTS;
	if (entry != NULL)
		return handle_duplicate(entry->handle, RIGHTS_SAME, &request->answer_capability);
	if (strcmp(name, "system") == 0 || strcmp(name, "supervisor") == 0) {
		endpoint = own_endpoint;
		badge |= strcmp(name, "system") == 0 ? BADGE_SYSTEM : BADGE_SUPERVISOR;
	}
	if (endpoint == HANDLE_NONE)
		return ERR_NOT_FOUND;
	return handle_mint(endpoint, RIGHTS_CLIENT, badge, &request->answer_capability);
}

static enum error register_name(struct request *request, size_t client, const char *name)
{
	const struct manifest_server *manifest = service_manifest(client);
	struct registered *entry = find_registered(name);
	if (manifest == NULL || !manifest_names_has(&manifest->provided, name))
		return ERR_NO_RIGHTS;
	if (request->capability_count != 1)
		return ERR_INVALID_ARGUMENT;
	if (entry != NULL) {
		handle_close(entry->handle);
	} else if (registered_count < REGISTERED_MAX) {
		entry = &registered[registered_count++];
		strcpy(entry->name, name);
	} else {
		return ERR_NO_SLOTS;
	}
	entry->handle = request->capabilities[0];
	request->capabilities[0] = HANDLE_NONE;
	return ERR_OK;
}

bool take_name(const struct request *request, char name[NAME_LENGTH])
{
	memcpy(name, request->words, NAME_LENGTH);
	return request->length >= NAME_WORDS && name[0] != '\0' && memchr(name, '\0', NAME_LENGTH) != NULL;
}

enum error names_request(struct request *request)
{
	char name[NAME_LENGTH];
	if (!take_name(request, name) || request->badge == 0)
		return ERR_INVALID_ARGUMENT;
	size_t client = request->badge - CLIENT_BADGE(0);
	switch (request->label) {
	case NAME_LOOKUP:
		return lookup(request, client, name);
	case NAME_REGISTER:
		return register_name(request, client, name);
	default:
		return ERR_INVALID_ARGUMENT;
	}
}
