// SPDX-License-Identifier: MIT
//
// The servers of the manifest. A server's endpoint is made here and outlives it: while it is started again,
// calls wait. One that ends again and again is given up, and its callers get an error.

#include "services.h"
#include "devices.h"
#include "gifts.h"
#include <protocol/file.h>
#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <string.h>

#define FAILURES_MAX   5
#define FAILURE_PERIOD ((uint64_t)10 * 1000 * 1000 * 1000)
#define COMMAND_STRING (sizeof("COMMAND_LINE=") + BOOT_COMMAND_LINE)

#define LOG_WRITER  (RIGHT_WRITE | RIGHT_TRANSFER)
#define LOG_CONTROL (RIGHT_WRITE | RIGHT_READ | RIGHT_CONTROL)
#define ARCHIVE_USE (RIGHT_READ | RIGHT_MAP | RIGHT_EXECUTE | RIGHT_DUPLICATE)
#define DEVICE_USE  (RIGHT_READ | RIGHT_WRITE | RIGHT_MAP)
#define ACCOUNT_USE (RIGHT_READ | RIGHT_GRANT | RIGHT_CREATE | RIGHT_DUPLICATE | RIGHT_TRANSFER)

struct service {
	const struct manifest_server *manifest;
	handle_t account;
	handle_t endpoint; // HANDLE_NONE once it is given up
	handle_t process;
	struct device_grant device;
	unsigned failures; // since period_start
	uint64_t period_start;
};

static const struct boot_info *boot;
static struct service services[MANIFEST_SERVERS];
static size_t service_count;
static handle_t end_notification;
static handle_t names_endpoint;
static char command_line[COMMAND_STRING];

static bool create(struct service *service)
{
	const struct manifest_server *entry = service->manifest;
	if (account_create(boot->account, entry->pages, entry->objects, &service->account) != ERR_OK ||
		endpoint_create(&service->endpoint) != ERR_OK)
		return false;
	if (entry->devices.count > 0 && !device_find(boot, &entry->devices, &service->device))
		log_print(LOG_WARNING, "no device for %s", entry->name);
	return true;
}

bool services_create(
	const struct boot_info *info, const struct manifest *manifest, handle_t notification, handle_t names)
{
	boot = info;
	end_notification = notification;
	names_endpoint = names;
	format_text(command_line, sizeof(command_line), "COMMAND_LINE=%.*s", BOOT_COMMAND_LINE,
		info->command_line);
	for (; service_count < manifest->count; service_count++) {
		services[service_count].manifest = &manifest->servers[service_count];
		if (!create(&services[service_count]))
			return false;
	}
	return true;
}

static void collect_gifts(const struct service *service, uint64_t client, struct gifts *gifts)
{
	unsigned given = service->manifest->gifts;
	rights_t log = (given & GIVE_LOG ? LOG_WRITER : 0) | (given & GIVE_LOG_CONTROL ? LOG_CONTROL : 0);
	gifts_add(gifts, START_SERVE, service->endpoint, RIGHTS_ALL);
	gifts_add(gifts, START_ACCOUNT, service->account, ACCOUNT_USE);
	gifts_add(gifts, START_REGISTERS, service->device.registers, DEVICE_USE);
	gifts_add(gifts, START_INTERRUPT, service->device.interrupt, RIGHT_BIND | RIGHT_CONTROL);
	gifts_add_client(gifts, START_NAMES, names_endpoint, client);
	if (log != 0)
		gifts_add(gifts, START_LOG, boot->resources[RESOURCE_LOG], log);
	if (given & GIVE_INSPECTION)
		gifts_add(gifts, START_SYSTEM, boot->resources[RESOURCE_SYSTEM], RIGHT_READ | RIGHT_TRANSFER);
	if (given & GIVE_ARCHIVE)
		gifts_add(gifts, START_ARCHIVE, boot->archive, ARCHIVE_USE);
	if (given & GIVE_CONSOLE)
		gifts_add_client(gifts, START_CONSOLE, service_endpoint("console"), client);
	if (given & GIVE_ROOT)
		gifts_add_client(gifts, START_ROOT, service_endpoint("vfs"), FILE_BADGE_VIEW | client);
}

static enum error spawn(struct service *service, size_t index)
{
	const char *arguments[] = {service->manifest->image, NULL};
	const char *environment[DEVICE_STRINGS + 2] = {command_line};
	struct spawn_request request = {
		.name = service->manifest->name,
		.account = service->account,
		.arguments = arguments,
		.environment = environment,
	};
	struct gifts gifts = {0};
	for (size_t i = 0; i < DEVICE_STRINGS && service->device.registers != HANDLE_NONE; i++)
		environment[1 + i] = service->device.strings[i];
	collect_gifts(service, CLIENT_BADGE(index), &gifts);
	enum error error = gifts_spawn(&gifts, service->manifest->image, &request, &service->process);
	if (error == ERR_OK)
		error = process_watch(service->process, end_notification, (uint64_t)1 << index);
	return error;
}

// Nobody will serve the endpoint any more: calls to it fail.
static void give_up(struct service *service)
{
	handle_close(service->endpoint);
	service->endpoint = HANDLE_NONE;
}

static void start(size_t index)
{
	struct service *service = &services[index];
	enum error error = spawn(service, index);
	if (error != ERR_OK) {
		log_print(LOG_ERROR, "%s cannot be started: %s", service->manifest->name, error_text(error));
		give_up(service);
	}
}

void services_start(void)
{
	for (size_t i = 0; i < service_count; i++)
		start(i);
}

// Whether a server may be started again; counts its failures within a period.
static bool deserves_restart(struct service *service)
{
	uint64_t now;
	clock_get(&now);
	if (now - service->period_start > FAILURE_PERIOD) {
		service->period_start = now;
		service->failures = 0;
	}
	return service->manifest->restart && ++service->failures <= FAILURES_MAX;
}

void service_ended(size_t index)
{
	struct service *service = &services[index];
	struct process_info info = {0};
	if (index >= service_count || service->process == HANDLE_NONE)
		return;
	process_info(service->process, &info);
	if (service->manifest->gifts & GIVE_LOG_CONTROL) {
		log_watch(boot->resources[RESOURCE_LOG], HANDLE_NONE,
			0); // the kernel shows it until it is taken over
	}
	handle_close(service->process);
	service->process = HANDLE_NONE;
	bool restart = deserves_restart(service);
	log_print(LOG_WARNING, "%s ended (%s %zu), %s", service->manifest->name,
		info.reason == EXIT_FAULT ? "fault" : "status", info.exit_status,
		restart ? "starting it again" : "not started again");
	if (restart)
		start(index);
	else
		give_up(service);
}

static struct service *find(const char *name)
{
	for (size_t i = 0; i < service_count; i++)
		if (strcmp(services[i].manifest->name, name) == 0)
			return &services[i];
	return NULL;
}

enum error service_end(const char *name)
{
	const struct service *service = find(name);
	if (service == NULL || service->process == HANDLE_NONE)
		return ERR_NOT_FOUND;
	return process_kill(service->process, 0);
}

handle_t service_endpoint(const char *name)
{
	const struct service *service = find(name);
	return service != NULL ? service->endpoint : HANDLE_NONE;
}

const struct manifest_server *service_manifest(size_t client)
{
	return client < service_count ? services[client].manifest : NULL;
}
