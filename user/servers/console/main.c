// SPDX-License-Identifier: MIT
//
// The console: the driver of the UART that the machine's terminal hangs on. It serves protocol/console.h and
// shows the kernel log. `tern.console=framed` on the kernel's command line puts all streams in frames of one
// line.

#include "clients.h"
#include "kernel_log.h"
#include "line.h"
#include <protocol/console.h>
#include <runtime/command_line.h>
#include <runtime/format.h>
#include <runtime/server.h>
#include <runtime/start.h>
#include <string.h>

// Bits of the notification.
enum {
	BIT_INTERRUPT = 1 << 0,
	BIT_LOG = 1 << 1,
	BIT_TIMER = 1 << 2,
	BIT_GONE = 1 << 3,
};

static struct device device;
static handle_t timer;
static uint64_t timer_deadline = DEADLINE_NEVER;

static void set_timer(uint64_t deadline)
{
	if (deadline != timer_deadline) {
		timer_deadline = deadline;
		if (deadline == DEADLINE_NEVER)
			timer_cancel(timer);
		else
			timer_set(timer, deadline, 0);
	}
}

// Moves everything as far as it goes. Input may come in at any time, not only with an interrupt of its own.
static void work(void)
{
	static size_t told; // bytes of input that the watches know of
	size_t room, received;
	do {
		room = line_room();
		received = line_received();
		clients_work();
		if (kernel_log_is_behind())
			kernel_log_work();
		line_work();
		if (told != line_received()) {
			told = line_received();
			clients_signal_input();
		}
	} while (line_room() > room || line_received() != received);
	set_timer(clients_deadline());
}

// The interrupt stays masked until it is acknowledged. What comes in meanwhile may not assert it again, so
// the device is asked once more.
static void handle_interrupt(void)
{
	size_t received;
	line_work();
	interrupt_acknowledge(device.interrupt);
	do {
		received = line_received();
		line_work();
	} while (line_is_pending() && line_received() != received);
}

static void handle_notification(uint64_t bits)
{
	if (bits & BIT_INTERRUPT)
		handle_interrupt();
	if (bits & BIT_LOG)
		kernel_log_work();
	if (bits & BIT_TIMER)
		timer_deadline = DEADLINE_NEVER;
	if (bits & BIT_GONE)
		clients_remove_gone();
	work();
}

static enum error finish(const struct request *request)
{
	if (!(request->badge & CONSOLE_BADGE_SUPERVISOR))
		return ERR_NO_RIGHTS;
	kernel_log_work();
	return client_finish(request->words[0]);
}

static enum error dispatch(struct request *request)
{
	switch (request->label) {
	case CONSOLE_WRITE:
		return client_write(request);
	case CONSOLE_READ:
		return client_read(request);
	case CONSOLE_WATCH_INPUT:
		return client_watch_input(request);
	case CONSOLE_COUNT_INPUT:
		request->words[0] = line_input_count();
		request->answer_length = 1;
		return ERR_OK;
	case CONSOLE_GET_SIZE:
		request->words[0] = 0;
		request->words[1] = 0;
		request->answer_length = 2;
		return ERR_OK;
	case CONSOLE_DRAIN:
		return client_drain();
	case CONSOLE_FINISH:
		return finish(request);
	default:
		return ERR_INVALID_ARGUMENT;
	}
}

static enum error handle_request(struct request *request)
{
	enum error error = dispatch(request);
	work();
	return error;
}

static enum error open_all(const struct server *server)
{
	char mode[16] = "", level[16] = "";
	handle_t notification;
	command_line_option("tern.console", mode, sizeof(mode));
	command_line_option("tern.log", level, sizeof(level));
	enum error error = device_open(&device);
	if (error == ERR_OK)
		error = line_open(&device, strcmp(mode, "framed") == 0);
	if (error == ERR_OK)
		error = notification_create(&notification);
	if (error == ERR_OK)
		error = endpoint_bind(server->endpoint, HANDLE_NONE); // that of a driver that crashed
	if (error == ERR_OK)
		error = endpoint_bind(server->endpoint, notification);
	if (error == ERR_OK)
		error = timer_object_create(notification, BIT_TIMER, &timer);
	if (error == ERR_OK)
		error = interrupt_bind(device.interrupt, notification, BIT_INTERRUPT);
	if (error == ERR_OK)
		error = kernel_log_open(notification, BIT_LOG, level);
	if (error == ERR_OK)
		clients_open(notification, BIT_GONE);
	return error;
}

int main(void)
{
	struct server server = {
		.endpoint = start_handle(START_SERVE),
		.request = handle_request,
		.notification = handle_notification,
	};
	enum error error = open_all(&server);
	if (error == ERR_OK) {
		work();
		error = server_run(&server);
	}
	log_print(LOG_ERROR, "%s", error_text(error));
	return 1;
}
