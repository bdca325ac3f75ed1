// SPDX-License-Identifier: MIT
//
// Time: nanoseconds of the monotonic clock and since 1970, and how guests tell them.

#ifndef TIME_CLOCK_H
#define TIME_CLOCK_H

#include <linux/arch/guest.h>
#include <linux/interface/time.h>

struct thread;

// Asks the clock server, if there is one, for the time of day.
void clock_init(void);

// Nanoseconds since boot, and since 1970.
uint64_t clock_now(void);
uint64_t clock_wall(void);

// Sets the time of day for all guests.
void clock_set_wall(uint64_t nanoseconds);

// The time of the monotonic clock at which the time of day is `wall`.
uint64_t clock_from_wall(uint64_t wall);

// Reads a time or a duration; -LINUX_EINVAL where it is not a proper one. What is too long is UINT64_MAX.
int64_t clock_read_timespec(struct thread *thread, guest_address_t address, uint64_t *nanoseconds);
int64_t clock_write_timespec(struct thread *thread, guest_address_t address, uint64_t nanoseconds);

// The deadline of a timeout that the guest gave as a duration; address 0: never.
int64_t clock_timespec_deadline(struct thread *thread, guest_address_t address, uint64_t *deadline);
int64_t clock_timeval_deadline(struct thread *thread, guest_address_t address, uint64_t *deadline);

// now + duration, without overflow.
uint64_t clock_deadline(uint64_t duration);

static inline int64_t time_seconds(uint64_t nanoseconds)
{
	return (int64_t)(nanoseconds / NANOSECONDS_PER_SECOND);
}

static inline int64_t time_nanoseconds(uint64_t nanoseconds)
{
	return (int64_t)(nanoseconds % NANOSECONDS_PER_SECOND);
}

#endif
