// SPDX-License-Identifier: MIT
//
// Clocks and sleeping. The time of day is the monotonic clock plus an offset that the clock driver knows.

#include "posix.h"
#include <errno.h>
#include <protocol/clock.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <stdatomic.h>
#include <time.h>

#define NANOSECONDS ((uint64_t)1000000000)

// 0 where there is no real-time clock, or the program may not ask it.
static uint64_t time_of_day_offset(void)
{
	static _Atomic uint64_t offset;
	static atomic_bool known;
	handle_t clock;
	if (atomic_load(&known))
		return atomic_load(&offset);
	if (name_lookup("clock", &clock) == ERR_OK) {
		struct message message = {.info = MESSAGE_INFO(CLOCK_GET_OFFSET, 0, 0)};
		if (protocol_call(clock, &message) == ERR_OK)
			atomic_store(&offset, message.words[0]);
		handle_close(clock);
	}
	atomic_store(&known, true);
	return atomic_load(&offset);
}

uint64_t posix_time_of_day_deadline(const struct timespec *time)
{
	uint64_t offset = time_of_day_offset(), deadline;
	if (time == NULL || (uint64_t)time->tv_sec > UINT32_MAX)
		return DEADLINE_NEVER;
	deadline = (uint64_t)time->tv_sec * NANOSECONDS + (uint64_t)time->tv_nsec;
	return deadline > offset ? deadline - offset : 0;
}

long posix_clock_gettime(int clock, struct timespec *time)
{
	uint64_t now;
	enum error error = clock_get(&now);
	if (error != ERR_OK)
		return posix_error(error);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now += time_of_day_offset();
	time->tv_sec = (time_t)(now / NANOSECONDS);
	time->tv_nsec = (long)(now % NANOSECONDS);
	return 0;
}

long posix_clock_nanosleep(int clock, int flags, const struct timespec *request, struct timespec *remaining)
{
	uint64_t deadline = (uint64_t)request->tv_sec * NANOSECONDS + (uint64_t)request->tv_nsec;
	if (request->tv_sec < 0 || request->tv_nsec < 0 || (uint64_t)request->tv_nsec >= NANOSECONDS)
		return -EINVAL;
	if (!(flags & TIMER_ABSTIME)) {
		uint64_t now;
		clock_get(&now);
		deadline += now;
	} else if (clock == CLOCK_REALTIME) {
		deadline -= time_of_day_offset();
	}
	if (remaining != NULL)
		*remaining = (struct timespec){0};
	return posix_error(thread_sleep(deadline));
}
