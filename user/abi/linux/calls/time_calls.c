// SPDX-License-Identifier: MIT
//
// The calls around time.

#include <linux/calls/calls.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>
#include <linux/time/clock.h>

#include <runtime/system_calls.h>

static uint64_t thread_time(void)
{
	struct thread_info info;

	return thread_info(HANDLE_SELF, &info) == ERR_OK ? info.cpu_time : 0;
}

static uint64_t process_time(struct thread *thread)
{
	pthread_mutex_lock(&process_lock);
	uint64_t total = process_cpu_time(thread->process);
	pthread_mutex_unlock(&process_lock);
	return total;
}

static int64_t read_clock(struct thread *thread, int32_t clock, uint64_t *nanoseconds)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_COARSE:
		*nanoseconds = clock_wall();
		return 0;
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_BOOTTIME:
		*nanoseconds = clock_now();
		return 0;
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
		*nanoseconds = process_time(thread);
		return 0;
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		*nanoseconds = thread_time();
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

int64_t linux_clock_gettime(struct thread *thread, int32_t clock, guest_address_t result)
{
	uint64_t nanoseconds;
	int64_t error = read_clock(thread, clock, &nanoseconds);

	return error ? error : clock_write_timespec(thread, result, nanoseconds);
}

int64_t linux_clock_settime(struct thread *thread, int32_t clock, guest_address_t time)
{
	uint64_t nanoseconds;
	int64_t error = clock_read_timespec(thread, time, &nanoseconds);

	if (error)
		return error;
	if (clock != LINUX_CLOCK_REALTIME)
		return -LINUX_EINVAL;
	if (thread->process->credentials.effective_user != 0)
		return -LINUX_EPERM;
	clock_set_wall(nanoseconds);
	return 0;
}

int64_t linux_clock_getres(struct thread *thread, int32_t clock, guest_address_t result)
{
	uint64_t nanoseconds;
	int64_t error = read_clock(thread, clock, &nanoseconds);

	return error || result == 0 ? error : clock_write_timespec(thread, result, 1);
}

int64_t linux_gettimeofday(struct thread *thread, guest_address_t result, guest_address_t zone)
{
	static const int32_t utc[2];
	uint64_t now = clock_wall();
	struct linux_timeval time = {time_seconds(now), time_nanoseconds(now) / 1000};

	if (result != 0 && copy_to_guest(thread, result, &time, sizeof(time)))
		return -LINUX_EFAULT;
	return zone != 0 ? copy_to_guest(thread, zone, utc, sizeof(utc)) : 0;
}

// Sleeps; where a signal ends it early, what remains goes to `remaining` (0: nowhere).
static int64_t sleep_until(struct thread *thread, uint64_t deadline, guest_address_t remaining)
{
	int64_t result;

	do
		result = wait_sleep(thread, deadline);
	while (result == 0);
	if (result == -LINUX_ETIMEDOUT)
		return 0;
	uint64_t now = clock_now();
	if (remaining != 0 && clock_write_timespec(thread, remaining, deadline > now ? deadline - now : 0))
		return -LINUX_EFAULT;
	return -LINUX_EINTR;
}

int64_t linux_nanosleep(struct thread *thread, guest_address_t duration, guest_address_t remaining)
{
	uint64_t nanoseconds;
	int64_t error = clock_read_timespec(thread, duration, &nanoseconds);

	return error ? error : sleep_until(thread, clock_deadline(nanoseconds), remaining);
}

int64_t linux_clock_nanosleep(
	struct thread *thread, int32_t clock, uint32_t flags, guest_address_t time, guest_address_t remaining)
{
	uint64_t nanoseconds, now;
	int64_t error = clock_read_timespec(thread, time, &nanoseconds);

	if (!error)
		error = read_clock(thread, clock, &now);
	if (error)
		return error;
	if (clock == LINUX_CLOCK_THREAD_CPUTIME_ID || clock == LINUX_CLOCK_PROCESS_CPUTIME_ID)
		return -LINUX_EOPNOTSUPP;
	if (!(flags & LINUX_TIMER_ABSTIME))
		return sleep_until(thread, clock_deadline(nanoseconds), remaining);
	if (clock == LINUX_CLOCK_REALTIME)
		nanoseconds = clock_from_wall(nanoseconds);
	return sleep_until(thread, nanoseconds, 0);
}

// In ticks; user time is all there is.
int64_t linux_times(struct thread *thread, guest_address_t result)
{
	const uint64_t tick = NANOSECONDS_PER_SECOND / LINUX_CLOCK_TICKS;
	int64_t times[4] = {(int64_t)(process_time(thread) / tick)};

	pthread_mutex_lock(&process_lock);
	times[2] = (int64_t)(thread->process->usage.children_time / tick);
	pthread_mutex_unlock(&process_lock);
	if (result != 0 && copy_to_guest(thread, result, times, sizeof(times)))
		return -LINUX_EFAULT;
	return (int64_t)(clock_now() / tick);
}
