// SPDX-License-Identifier: MIT
//
// Time-out queues of two CPUs against a plain array: random arming, cancelling from either CPU and passing of
// time. Each time-out expires once, not before its time, in order, and no timer is set too late; nor too early, where those that
// expire would leave nothing to threads.

#include "core_machine.h"
#include <arch/time.h>
#include <kernel/cpu.h>
#include <kernel/scheduler.h>
#include <kernel/timeout.h>

#define COUNT 200
#define STEPS 200000
#define TICK  100 // nanoseconds
#define STEP  16  // time-outs that expire at once, at most

struct entry {
	struct timeout timeout;
	bool armed;
	unsigned cpu;
	unsigned expired;
};

static struct entry entries[COUNT];
static uint64_t now, last_expired;
static uint64_t pause_ends[2]; // by CPU: no timer rings before it, until something is armed or cancelled
static uint64_t last_pause_ends[2];
static unsigned expired_at_once;

static void expire(struct timeout *timeout)
{
	struct entry *entry = container_of(timeout, struct entry, timeout);

	CHECK(spin_none_held());
	CHECK(entry->armed && entry->cpu == host_cpu->index && timeout->queue == NULL);
	CHECK(timeout->deadline <= now && timeout->deadline >= last_expired);
	CHECK(++expired_at_once <= STEP);
	last_expired = timeout->deadline;
	entry->armed = false;
	entry->expired++;
	// A periodic one arms itself again.
	if (entry->expired % 4 == 0) {
		entry->armed = true;
		timeout_arm(timeout, now + 1 + random_below(50) * TICK);
	}
}

static void arm(struct entry *entry)
{
	uint64_t deadline = random_below(20) ? now + random_below(1000) * TICK : DEADLINE_NEVER;

	if (entry->armed)
		return;
	timeout_arm(&entry->timeout, deadline);
	if (deadline != DEADLINE_NEVER)
		pause_ends[host_cpu->index] = 0;
	entry->armed = deadline != DEADLINE_NEVER;
	entry->cpu = host_cpu->index;
	CHECK((entry->timeout.queue != NULL) == entry->armed);
}

static void cancel(struct entry *entry)
{
	if (entry->armed)
		pause_ends[entry->cpu] = 0;
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

// When the CPU's timer is to ring.
static uint64_t next_ring(unsigned cpu)
{
	uint64_t deadline = earliest(cpu);

	return deadline < pause_ends[cpu] ? pause_ends[cpu] : deadline;
}

static void pass_time(void)
{
	now += random_below(200) * TICK;
	host_time = now;
	do {
		last_expired = 0;
		expired_at_once = 0;
		// Expiring takes time, as a rule.
		host_time += random_below(3) * TICK;
		timeout_run(now);
		pause_ends[host_cpu->index] = 0;
		if (earliest(host_cpu->index) < host_time + TIMEOUT_PAUSE)
			pause_ends[host_cpu->index] = last_pause_ends[host_cpu->index] = host_time +
				TIMEOUT_PAUSE;
		CHECK(timeout_next() == next_ring(host_cpu->index));
	} while (earliest(host_cpu->index) <= now);
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
		CHECK(timeout_next() == next_ring(host_cpu->index));
		CHECK(host_cpu->timer_deadline <= timeout_next() ||
			host_cpu->timer_deadline == last_pause_ends[host_cpu->index]);
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK(entries[i].expired > 0);
	return 0;
}
