// SPDX-License-Identifier: MIT
//
// Time-out queues of two CPUs against a plain array: random arming, cancelling from either CPU and passing of
// time. Each time-out expires once, not before its time, in order, and no timer is set too late.

#include "core_machine.h"
#include <kernel/cpu.h>
#include <kernel/scheduler.h>
#include <kernel/timeout.h>

#define COUNT 200
#define STEPS 200000

struct entry {
	struct timeout timeout;
	bool armed;
	unsigned cpu;
	unsigned expired;
};

static struct entry entries[COUNT];
static uint64_t now, last_expired;

static void expire(struct timeout *timeout)
{
	struct entry *entry = container_of(timeout, struct entry, timeout);

	CHECK(spin_none_held());
	CHECK(entry->armed && entry->cpu == host_cpu->index && timeout->queue == NULL);
	CHECK(timeout->deadline <= now && timeout->deadline >= last_expired);
	last_expired = timeout->deadline;
	entry->armed = false;
	entry->expired++;
	// A periodic one arms itself again.
	if (entry->expired % 4 == 0) {
		entry->armed = true;
		timeout_arm(timeout, now + 1 + random_below(50));
	}
}

static void arm(struct entry *entry)
{
	uint64_t deadline = random_below(20) ? now + random_below(1000) : DEADLINE_NEVER;

	if (entry->armed)
		return;
	timeout_arm(&entry->timeout, deadline);
	entry->armed = deadline != DEADLINE_NEVER;
	entry->cpu = host_cpu->index;
	CHECK((entry->timeout.queue != NULL) == entry->armed);
}

static void cancel(struct entry *entry)
{
	if (random_below(2))
		CHECK(timeout_cancel(&entry->timeout) == entry->armed);
	else
		timeout_cancel_sync(&entry->timeout);
	entry->armed = false;
	CHECK(entry->timeout.queue == NULL);
}

static uint64_t earliest(unsigned cpu)
{
	uint64_t deadline = DEADLINE_NEVER;

	for (unsigned i = 0; i < COUNT; i++)
		if (entries[i].armed && entries[i].cpu == cpu && entries[i].timeout.deadline < deadline)
			deadline = entries[i].timeout.deadline;
	return deadline;
}

static void pass_time(void)
{
	now += random_below(200);
	while (true) {
		last_expired = 0;
		if (!timeout_run(now))
			break;
		CHECK(earliest(host_cpu->index) <= now);
	}
	CHECK(earliest(host_cpu->index) > now);
	host_cpu->timer_deadline = DEADLINE_NEVER;
	scheduler_program_timer();
}

int main(void)
{
	core_machine_start(2);
	random_seed(7);
	for (unsigned i = 0; i < COUNT; i++)
		entries[i].timeout.expire = expire;
	for (unsigned i = 0; i < STEPS; i++) {
		struct entry *entry = &entries[random_below(COUNT)];

		host_cpu = &cpus[random_below(2)];
		switch (random_below(8)) {
		case 0:
			pass_time();
			break;
		case 1:
		case 2:
			cancel(entry);
			break;
		default:
			arm(entry);
			break;
		}
		CHECK(timeout_next() == earliest(host_cpu->index));
		CHECK(host_cpu->timer_deadline <= timeout_next());
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK(entries[i].expired > 0);
	return 0;
}
