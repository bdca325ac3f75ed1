// SPDX-License-Identifier: MIT
//
// The driver of the machine's real-time clock, whichever of three kinds it is: it reads the time of day once,
// and tells how far the monotonic clock is behind it. It serves protocol/clock.h.

#include "rtc.h"
#include <protocol/clock.h>
#include <runtime/format.h>
#include <runtime/server.h>
#include <runtime/start.h>
#include <string.h>

static bool known;
static uint64_t offset;

static enum error handle_request(struct request *request)
{
	if (request->label != CLOCK_GET_OFFSET)
		return ERR_INVALID_ARGUMENT;
	request->words[0] = offset;
	request->answer_length = 1;
	return known ? ERR_OK : ERR_NOT_SUPPORTED;
}

static void read_device(void)
{
	static const struct {
		const char *name;
		uint64_t (*read)(const struct device *device);
	} kinds[] = {
		{"rtc-cmos", rtc_cmos_read}, {"pl031", rtc_pl031_read}, {"goldfish-rtc", rtc_goldfish_read}};
	struct device device;
	uint64_t now;
	if (device_open(&device) != ERR_OK)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, device.name) == 0) {
			uint64_t time = kinds[i].read(&device);
			clock_get(&now);
			offset = time - now;
			known = time > now;
		}
	}
}

int main(void)
{
	struct server server = {.endpoint = start_handle(START_SERVE), .request = handle_request};
	read_device();
	enum error error = server_run(&server);
	log_print(LOG_ERROR, "cannot receive: %s", error_text(error));
	return 1;
}
