// SPDX-License-Identifier: MIT
//
// What the programs that look into the system have in common.

#include "inspect.h"
#include <runtime/start.h>
#include <stdio.h>
#include <stdlib.h>
#include <tern/info.h>

handle_t system_resource(void)
{
	handle_t system = start_handle(START_SYSTEM);
	if (system == HANDLE_NONE) {
		fprintf(stderr, "this needs the system resource, which was not given\n");
		exit(1);
	}
	return system;
}

char state_letter(uint32_t state, uint32_t suspended)
{
	static const char letters[] = {
		[THREAD_CREATING] = 'C',
		[THREAD_READY] = 'R',
		[THREAD_RUNNING] = 'R',
		[THREAD_BLOCKED] = 'B',
		[THREAD_SLEEPING] = 'S',
		[THREAD_ZOMBIE] = 'Z',
		[THREAD_DEAD] = 'D',
	};
	if (suspended)
		return 'T';
	return state < sizeof(letters) ? letters[state] : '?';
}
