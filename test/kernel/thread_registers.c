// SPDX-License-Identifier: MIT
//
// A thread's own: registers, TLS and floating point across system calls, preemption and those who read and write them.

#include "fpu.h"
#include "isa.h"
#include "test.h"
#include <string.h>

static uint64_t check_registers(void *argument)
{
	(void)argument;
	return isa_registers_after_call(SYSCALL_NUMBER_thread_yield, 0x1122334455667788) |
		isa_registers_after_call(59, 0x8877665544332211) << 8;
}

TEST(thread_registers_after_a_system_call)
{
	struct worker worker;

	REQUIRE(worker_start(&worker, check_registers, NULL));
	EXPECT_EQUAL(worker_join(&worker), 0);
}

static uint64_t tls_word(void *argument)
{
	(void)argument;
	return isa_tls_word();
}

TEST(thread_tls_base_is_set_later)
{
	struct thread_attributes attributes = {.name = "tls", .flags = THREAD_SUSPENDED};
	uint64_t tls[2] = {0x1234567890abcdef};
	struct thread_info info;
	struct worker worker;

	REQUIRE(worker_start_with(&worker, tls_word, NULL, &attributes));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_tls(worker.thread, ISA_KERNEL_ADDRESS));
	EXPECT_OK(thread_set_tls(worker.thread, (uintptr_t)tls));
	EXPECT_OK(thread_info(worker.thread, &info));
	EXPECT_EQUAL(info.tls_base, (uintptr_t)tls);
	EXPECT_OK(thread_resume(worker.thread));
	EXPECT_EQUAL(worker_join(&worker), 0x1234567890abcdef);
}

static uint8_t fpu[2][4096];

static uint64_t move_fpu_state(void *argument)
{
	uint64_t size, wrong = 0;

	(void)argument;
	fpu_hold(0x5a5a1234567890ab, 1);
	wrong |= (thread_read_fpu(fpu[0], sizeof(fpu[0]), &size) != ERR_OK) << 0;
	wrong |= (thread_write_fpu(NULL, 0) != ERR_OK || fpu_residue() != 0) << 1;
	wrong |= (thread_write_fpu(fpu[0], size) != ERR_OK || fpu_residue() == 0) << 2;
	wrong |= (thread_read_fpu(fpu[1], sizeof(fpu[1]), &size) != ERR_OK) << 3;
	return wrong;
}

TEST(thread_floating_point_state_is_read_and_written)
{
	struct worker worker;
	uint64_t size;

	REQUIRE(worker_start(&worker, move_fpu_state, NULL));
	EXPECT_EQUAL(worker_join(&worker), 0);
	EXPECT(memcmp(fpu[0], fpu[1], sizeof(fpu[0])) == 0);
	REQUIRE_OK(thread_read_fpu(NULL, 0, &size));
	REQUIRE(size > 0 && size < sizeof(fpu[0]));
	EXPECT_ERROR(TOO_LONG, thread_read_fpu(fpu[0], size - 1, &size));
	EXPECT_OK(thread_read_fpu(fpu[0], size, &size));
	EXPECT_OK(thread_write_fpu(fpu[0], size));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_write_fpu(fpu[0], size - 1));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_write_fpu(fpu[0], size + 1));
	memset(fpu[1], 0xff, sizeof(fpu[1]));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_write_fpu(fpu[1], size));
}

#define COMPUTED  (5000 * MILLISECOND)
#define SLICE_MAX (10 * MILLISECOND)
#define TOLERANCE MILLISECOND
#define STALL     (SLICE_MAX / 2) // so long a reader of the clock is stopped by others only

struct share {
	uint64_t pattern;
	uint64_t tls[2]; // its first word is the address of itself
	volatile uint64_t rounds;
	volatile uint64_t wrong;
	volatile bool *stop;
	const struct share *other;
	// Between readings of the clock: whether the other one has run, and how long this one has computed, or neither has known.
	uint64_t last, others_rounds, switches, computed, longest;
};

static void look_at_clock(struct share *share)
{
	uint64_t time = now(), passed = time - share->last;

	if (share->other->rounds != share->others_rounds)
		share->switches++;
	else if (passed < STALL)
		share->computed += passed;
	if (passed > share->longest)
		share->longest = passed;
	share->others_rounds = share->other->rounds;
	share->last = time;
}

static uint64_t compute(void *argument)
{
	struct share *share = argument;

	share->wrong |= fpu_residue();
	share->last = now();
	while (!*share->stop) {
		share->wrong |= fpu_hold(share->pattern, 2000);
		share->wrong |= isa_tls_word() != (uintptr_t)share->tls;
		share->rounds++;
		look_at_clock(share);
	}
	return share->wrong;
}

// What shows that slices end in time. Where time is that of a host, it may stop the CPU or its timer while its clock goes on: only
// much longer slices than there may be are told from that.
static void check_slices(const struct share shares[2])
{
	uint64_t computed = shares[0].computed + shares[1].computed;
	uint64_t switches = shares[0].switches + shares[1].switches;
	uint64_t longest = shares[0].longest > shares[1].longest ? shares[0].longest : shares[1].longest;

	test_note("%llu switches in %llu ms of computing, at most %llu microseconds from one reading of the "
		  "clock to the next",
		(unsigned long long)switches, (unsigned long long)(computed / MILLISECOND),
		(unsigned long long)longest / 1000);
	EXPECT(computed > 0);
	EXPECT(switches >= computed / (4 * SLICE_MAX));
	if (test_counted) {
		EXPECT(computed >= COMPUTED / 2);
		EXPECT(switches >= computed / SLICE_MAX);
		EXPECT(longest <= SLICE_MAX + TOLERANCE);
	}
}

// Two threads that never yield share one CPU evenly, and keep their registers and TLS to themselves.
TEST(thread_preemption_is_fair_and_tight)
{
	struct share shares[2] = {{.pattern = 0x5555aaaa12345678}, {.pattern = 0xfedcba9876543210}};
	struct thread_info info[2] = {0};
	struct worker workers[2];
	uint64_t end, stalled = 0;
	volatile bool stop = false;

	for (unsigned i = 0; i < 2; i++) {
		struct thread_attributes attributes = {.name = "compute", .affinity = 1, .priority = 100};

		shares[i].stop = &stop;
		shares[i].other = &shares[1 - i];
		shares[i].tls[0] = (uintptr_t)shares[i].tls;
		attributes.tls_base = (uintptr_t)shares[i].tls;
		REQUIRE(worker_start_with(&workers[i], compute, &shares[i], &attributes));
	}
	end = after(COMPUTED);
	while (now() < end) {
		thread_sleep(after(10 * MILLISECOND));
		for (unsigned i = 0; i < 2; i++) {
			uint64_t before = info[i].cpu_time;

			EXPECT_OK(thread_info(workers[i].thread, &info[i]));
			if (info[i].cpu_time > before + 20 * MILLISECOND)
				stalled += info[i].cpu_time - before;
		}
	}
	stop = true;
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), 0);
	EXPECT(shares[0].rounds > 0 && shares[1].rounds > 0);
	check_slices(shares);
	// Evenly, but for the slice that is under way, and for what the CPU's host took from a thread at once: the scheduler
	// makes up for a part of that only.
	test_note("two that compute got %llu and %llu microseconds, %llu of them in stalls",
		(unsigned long long)info[0].cpu_time / 1000, (unsigned long long)info[1].cpu_time / 1000,
		(unsigned long long)stalled / 1000);
	EXPECT(info[0].cpu_time + stalled > info[1].cpu_time * 95 / 100);
	EXPECT(info[1].cpu_time + stalled > info[0].cpu_time * 95 / 100);
}
