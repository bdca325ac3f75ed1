// SPDX-License-Identifier: MIT
//
// Floating-point state for the tests, and its moves between CPUs.

#include "fpu.h"
#include "isa.h"
#include "test.h"

static void make_state(struct isa_fpu *state, uint64_t pattern)
{
	for (uint64_t i = 0; i < ISA_FPU_WORDS; i++)
		state->words[i] = pattern ^ i * 0x9e3779b97f4a7c15;
	isa_fpu_make_valid(state);
}

static uint64_t difference(const struct isa_fpu *wanted)
{
	uint64_t different = 0;
	struct isa_fpu state;

	isa_fpu_store(&state);
	for (unsigned i = 0; i < ISA_FPU_WORDS; i++)
		different |= state.words[i] ^ wanted->words[i];
	return different;
}

void fpu_load(uint64_t pattern)
{
	struct isa_fpu state;

	make_state(&state, pattern);
	isa_fpu_load(&state);
}

uint64_t fpu_difference(uint64_t pattern)
{
	struct isa_fpu wanted;

	make_state(&wanted, pattern);
	return difference(&wanted);
}

uint64_t fpu_residue(void)
{
	struct isa_fpu wanted;

	isa_fpu_make_initial(&wanted);
	return difference(&wanted);
}

uint64_t fpu_hold(uint64_t pattern, uint64_t count)
{
	fpu_load(pattern);
	for (uint64_t i = 0; i < count; i++)
		__asm__ volatile("");
	return fpu_difference(pattern);
}

// --- Moves

#define HOLDERS  2
#define MOVES    40
#define PATIENCE (60000 * MILLISECOND)

struct holder {
	struct worker worker;
	uint64_t pattern;
	volatile uint64_t begun, ended; // rounds: those that it has begun, and those that are to end
	volatile uint64_t turns;        // that it counts in them
	uint64_t wrong;
};

// Has another state in each round: the last one of any CPU would be a wrong one.
static uint64_t hold_rounds(void *argument)
{
	struct holder *holder = argument;

	for (uint64_t round = 0; round < MOVES; round++) {
		fpu_load(holder->pattern + round);
		holder->begun = round + 1;
		while (holder->ended <= round)
			holder->turns++;
		holder->wrong |= fpu_difference(holder->pattern + round);
	}
	return 0;
}

static bool has_begun(const struct holder *holder, uint64_t round)
{
	uint64_t deadline = after(PATIENCE);

	while (holder->begun <= round && now() < deadline)
		thread_sleep(after(MILLISECOND));
	return holder->begun > round;
}

// In the middle of each round.
static void move_holder(struct holder *holder, uint64_t round, uint64_t cpu)
{
	struct thread_info info;

	EXPECT(has_begun(holder, round));
	EXPECT_OK(thread_set_affinity(holder->worker.thread, (uint64_t)1 << cpu));
	EXPECT(goes_on(&holder->turns, 1));
	EXPECT_OK(thread_info(holder->worker.thread, &info));
	EXPECT_EQUAL(info.cpu, cpu);
}

// Threads that hold one each are moved from CPU to CPU, and pass each other.
TEST(thread_floating_point_state_moves_between_cpus)
{
	static struct holder holders[HOLDERS];
	struct system_info system;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &system));
	if (system.cpu_count == 1)
		test_note("one CPU: threads with floating-point state only take turns on it");
	for (unsigned i = 0; i < HOLDERS; i++) {
		struct thread_attributes attributes = {.name = "holds", .affinity = 1};

		holders[i] = (struct holder){.pattern = 0xc3a5b4d287f01e69 << i};
		REQUIRE(worker_start_with(&holders[i].worker, hold_rounds, &holders[i], &attributes));
	}
	for (uint64_t round = 0; round < MOVES; round++) {
		for (unsigned i = 0; i < HOLDERS; i++)
			move_holder(&holders[i], round,
				(i == 0 ? round + 1 : 3 * (round + 1)) % system.cpu_count);
		for (unsigned i = 0; i < HOLDERS; i++)
			holders[i].ended = round + 1;
	}
	for (unsigned i = 0; i < HOLDERS; i++) {
		EXPECT_EQUAL(worker_join(&holders[i].worker), 0);
		EXPECT_EQUAL(holders[i].wrong, 0);
	}
}
