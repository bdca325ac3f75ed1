// SPDX-License-Identifier: MIT
//
// The name service of init, and its guard of the power switch.

#include "check.h"
#include <protocol/clock.h>
#include <protocol/error.h>
#include <protocol/name.h>
#include <protocol/system.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <runtime/start.h>
#include <string.h>

static enum error call(handle_t endpoint, uint32_t label, size_t length, const char *name)
{
	struct message message = {.info = MESSAGE_INFO(label, length, 0)};
	memcpy(message.words, name, strlen(name));
	return protocol_call(endpoint, &message);
}

int main(void)
{
	handle_t names = start_handle(START_NAMES), found;
	struct message message = {.info = MESSAGE_INFO(CLOCK_GET_OFFSET, 0, 0)};
	check_error(name_lookup("clock", &found), ERR_OK, "a server is found by its name");
	check_error(protocol_call(found, &message), ERR_OK, "the clock answers");
	check(message.words[0] / 1000000000 > 1600000000, "the clock says that it is after 2020");
	check_error(name_lookup("nosuch", &found), ERR_NOT_FOUND, "a server that there is not");
	check_error(name_lookup("", &found), ERR_INVALID_ARGUMENT, "an empty name");
	check_error(name_lookup("a name that is much too long for a name", &found), ERR_TOO_LONG,
		"a name that is too long");
	check_error(name_register("clock", names), ERR_NO_RIGHTS, "a name that is not ours to give");
	check_error(call(names, NAME_LOOKUP, 1, "clock"), ERR_INVALID_ARGUMENT, "a name that was cut off");
	check_error(call(names, NAME_LOOKUP, 4, "0123456789012345678901234567890123456789"),
		ERR_INVALID_ARGUMENT, "a name without its end");
	check_error(call(names, 0x7777, 4, "clock"), ERR_INVALID_ARGUMENT, "an unknown request");
	check_error(call(names, SYSTEM_SHUT_DOWN, 4, "clock"), ERR_INVALID_ARGUMENT,
		"the name service does not switch off");
	check_error(name_lookup("system", &found), ERR_OK, "the name of what switches off");
	message = (struct message){.info = MESSAGE_INFO(SYSTEM_SHUT_DOWN, 2, 0), .words = {99, 0}};
	check_error(protocol_call(found, &message), ERR_INVALID_ARGUMENT, "an unknown way to switch off");
	message = (struct message){.info = MESSAGE_INFO(SYSTEM_SHUT_DOWN, 2, 0), .words = {0, 1000}};
	check_error(protocol_call(found, &message), ERR_INVALID_ARGUMENT, "an exit status beyond 255");
	return check_end();
}
