// SPDX-License-Identifier: MIT
//
// The Linux personality: runs programs of Linux in guest mode and is their kernel, as an ordinary process
// that has nothing but the capabilities it was given.

#include <linux/files/root.h>
#include <linux/process/session.h>
#include <linux/system/machine.h>
#include <linux/terminal/console.h>
#include <linux/terminal/terminal.h>
#include <linux/time/clock.h>

#include <runtime/format.h>
#include <runtime/start.h>

int main(void)
{
	machine_init();
	clock_init();
	if (!console_init() || !console_start_input(terminal_console())) {
		log_print(LOG_ERROR, "there is no console");
		return 1;
	}
	if (!root_init()) {
		log_print(LOG_ERROR, "there are no files");
		return 1;
	}
	enum error error = session_serve(start_handle(START_SERVE));
	log_print(LOG_ERROR, "cannot receive: %s", error_text(error));
	return 1;
}
