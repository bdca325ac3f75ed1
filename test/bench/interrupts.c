// SPDX-License-Identifier: MIT
//
// From a device's interrupt to the first instruction of its driver, which has a higher priority than what the interrupt
// comes into. The access that makes the device interrupt is counted apart and subtracted.

#include "bench.h"
#include "counter.h"
#include "device.h"

#define COUNT    256
#define PATIENCE 10000 // rounds of waiting before the device is asked again

static struct device device;
static handle_t interrupt, notification;
static volatile uint64_t raised_at, latency, handled;

static uint64_t drive(void *argument)
{
	uint64_t bits;

	(void)argument;
	while (notification_wait(notification, DEADLINE_NEVER, &bits) == ERR_OK) {
		latency += counter_read() - raised_at;
		device_quiet(&device);
		interrupt_acknowledge(interrupt);
		handled++;
	}
	return 0;
}

static void raise_once(void)
{
	uint64_t before = handled;

	while (handled == before) {
		raised_at = counter_read();
		device_raise(&device);
		for (unsigned i = 0; i < PATIENCE && handled == before; i++)
			;
	}
}

static uint64_t touch_device(uint64_t count)
{
	uint64_t total = 0;

	for (uint64_t i = 0; i < count; i++) {
		raised_at = counter_read();
		device_touch(&device);
		total += counter_read() - raised_at;
	}
	return total;
}

static uint64_t raise(void *context, uint64_t count)
{
	uint64_t overhead = touch_device(count);

	(void)context;
	latency = 0;
	for (uint64_t i = 0; i < count; i++)
		raise_once();
	return counter_instructions(latency > overhead ? latency - overhead : 0);
}

void bench_interrupts(void)
{
	struct thread_info self;
	struct worker driver;

	MUST(device_open(&device));
	MUST_OK(notification_create(&notification));
	MUST_OK(interrupt_create(start_handle(START_INTERRUPTS), DEVICE_LINE, DEVICE_FLAGS, &interrupt));
	MUST_OK(interrupt_bind(interrupt, notification, 1));
	MUST_OK(thread_info(HANDLE_SELF, &self));
	MUST(worker_start(&driver, drive, NULL));
	MUST(wait_for_state(driver.thread, THREAD_BLOCKED));
	MUST_OK(thread_set_priority(HANDLE_SELF, self.priority - 1));
	bench_timed("interrupt_to_driver", raise, NULL, COUNT);
	thread_kill(driver.thread, 0);
	worker_join(&driver);
	handle_close(interrupt);
	handle_close(notification);
}
