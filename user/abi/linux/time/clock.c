// SPDX-License-Identifier: MIT
//
// The clocks behind the guests' time calls.

#include <linux/time/clock.h>

#include <linux/interface/errors.h>
#include <linux/interface/process.h>
#include <linux/memory/guest_copy.h>

#include <protocol/clock.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <stdatomic.h>

static _Atomic uint64_t wall_offset; // of the time of day from the monotonic clock

void clock_init(void)
{
	struct message message = {.info = MESSAGE_INFO(CLOCK_GET_OFFSET, 0, 0)};
	handle_t server;

	if (name_lookup("clock", &server) != ERR_OK)
		return;
	if (protocol_call(server, &message) == ERR_OK)
		atomic_store(&wall_offset, message.words[0]);
	handle_close(server);
}

uint64_t clock_now(void)
{
	uint64_t now = 0;

	clock_get(&now);
	return now;
}

uint64_t clock_wall(void)
{
	return clock_now() + atomic_load(&wall_offset);
}

void clock_set_wall(uint64_t nanoseconds)
{
	atomic_store(&wall_offset, nanoseconds - clock_now());
}

uint64_t clock_from_wall(uint64_t wall)
{
	uint64_t offset = atomic_load(&wall_offset);

	return wall > offset ? wall - offset : 0;
}

static uint64_t saturated(uint64_t seconds, uint64_t nanoseconds)
{
	if (seconds >= UINT64_MAX / NANOSECONDS_PER_SECOND)
		return UINT64_MAX;
	return seconds * NANOSECONDS_PER_SECOND + nanoseconds;
}

int64_t clock_read_timespec(struct thread *thread, guest_address_t address, uint64_t *nanoseconds)
{
	struct linux_timespec time;
	int64_t error = copy_from_guest(thread, &time, address, sizeof(time));

	if (error)
		return error;
	if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= (int64_t)NANOSECONDS_PER_SECOND)
		return -LINUX_EINVAL;
	*nanoseconds = saturated((uint64_t)time.seconds, (uint64_t)time.nanoseconds);
	return 0;
}

int64_t clock_write_timespec(struct thread *thread, guest_address_t address, uint64_t nanoseconds)
{
	struct linux_timespec time = {time_seconds(nanoseconds), time_nanoseconds(nanoseconds)};

	return copy_to_guest(thread, address, &time, sizeof(time));
}

uint64_t clock_deadline(uint64_t duration)
{
	uint64_t now = clock_now();

	return duration < DEADLINE_NEVER - now ? now + duration : DEADLINE_NEVER;
}

int64_t clock_timespec_deadline(struct thread *thread, guest_address_t address, uint64_t *deadline)
{
	uint64_t duration;

	*deadline = DEADLINE_NEVER;
	if (address == 0)
		return 0;
	int64_t error = clock_read_timespec(thread, address, &duration);
	if (!error)
		*deadline = clock_deadline(duration);
	return error;
}

int64_t clock_timeval_deadline(struct thread *thread, guest_address_t address, uint64_t *deadline)
{
	struct linux_timeval time;

	*deadline = DEADLINE_NEVER;
	if (address == 0)
		return 0;
	int64_t error = copy_from_guest(thread, &time, address, sizeof(time));
	if (error)
		return error;
	if (time.seconds < 0 || time.microseconds < 0 || time.microseconds >= INT64_MAX / 1000)
		return -LINUX_EINVAL;
	uint64_t fraction = (uint64_t)time.microseconds * NANOSECONDS_PER_MICROSECOND;
	uint64_t seconds = (uint64_t)time.seconds + fraction / NANOSECONDS_PER_SECOND;
	*deadline = clock_deadline(saturated(seconds, fraction % NANOSECONDS_PER_SECOND));
	return 0;
}
