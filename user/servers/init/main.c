// SPDX-License-Identifier: MIT
//
// The first program. It holds all authority over the machine, deals it out as the manifest says, watches over
// the servers and answers the name service.

#include "archive.h"
#include "manifest.h"
#include "names.h"
#include "services.h"
#include "session.h"
#include <protocol/supervisor.h>
#include <protocol/system.h>
#include <runtime/format.h>
#include <runtime/server.h>
#include <runtime/start.h>

static struct manifest manifest;

static enum error handle_system(const struct request *request)
{
	if (request->label != SYSTEM_SHUT_DOWN || request->length < 2)
		return ERR_INVALID_ARGUMENT;
	return session_end(request->words[0], request->words[1]);
}

static enum error handle_supervisor(const struct request *request)
{
	char name[NAME_LENGTH];
	if (request->label != SUPERVISOR_END_SERVER || !take_name(request, name))
		return ERR_INVALID_ARGUMENT;
	return service_end(name);
}

static enum error handle_request(struct request *request)
{
	if (request->badge & BADGE_SYSTEM)
		return handle_system(request);
	if (request->badge & BADGE_SUPERVISOR)
		return handle_supervisor(request);
	return names_request(request);
}

static void handle_notification(uint64_t bits)
{
	for (size_t i = 0; i < MANIFEST_SERVERS; i++)
		if (bits & (uint64_t)1 << i)
			service_ended(i);
}

static bool read_manifest(const struct boot_info *info)
{
	struct cpio_entry file;
	if (!archive_map(info) || !archive_find("/tern/manifest", &file)) {
		log_print(LOG_ERROR, "the boot archive has no /tern/manifest");
		return false;
	}
	unsigned line = manifest_read(file.data, file.size, info->memory_bytes / PAGE_SIZE, &manifest);
	if (line != 0)
		log_print(LOG_ERROR, "line %u of /tern/manifest cannot be understood", line);
	return line == 0;
}

// Makes the endpoint that the name service answers, with the notification of ended servers bound to it.
static bool make_endpoint(handle_t *endpoint, handle_t *notification)
{
	return endpoint_create(endpoint) == ERR_OK && notification_create(notification) == ERR_OK &&
		endpoint_bind(*endpoint, *notification) == ERR_OK;
}

int main(void)
{
	const struct boot_info *info = boot_info();
	struct server server = {.request = handle_request, .notification = handle_notification};
	handle_t notification;
	if (!read_manifest(info))
		return 1;
	if (!make_endpoint(&server.endpoint, &notification) ||
		!services_create(info, &manifest, notification, server.endpoint)) {
		log_print(LOG_ERROR, "no memory for the servers");
		return 1;
	}
	names_create(server.endpoint);
	services_start();
	if (!session_start(info, server.endpoint)) {
		log_print(LOG_ERROR, "no memory for the session");
		return 1;
	}
	enum error error = server_run(&server);
	log_print(LOG_ERROR, "cannot receive: %s", error_text(error));
	return 1;
}
