// SPDX-License-Identifier: MIT
//
// The whole system under random load, for seconds, or minutes with --long. Processes call each other, pass capabilities on and
// revoke them, map and unmap, make, suspend, move and kill threads; the first process kills, suspends and restarts the others, each
// once all its actors have got on. A watchdog sees to it that they do, and in the end nothing may be left.

#include "test.h"

#define PROCESSES      6
#define ACTORS         2
#define PATIENCE       (60000 * MILLISECOND) // only a lost wake-up takes so long
#define SHORT_TIME     (MILLISECOND / 5)
#define SHARED_ADDRESS ((uint64_t)10 << 32) // between message buffers and programs
#define OWN_ADDRESS    ((uint64_t)11 << 32) // the same, a range for each actor
#define OWN_PAGES      8

enum count { CALLS, REVOKES, MAPS, THREADS, FUTEXES, MOVES, SUSPENDS, PROCESS_ENDS, COUNTS };

// What all processes see.
struct shared {
	_Atomic uint64_t counts[COUNTS];
	_Atomic uint64_t steps[PROCESSES][ACTORS];
	_Atomic uint32_t word;
};

static struct shared *const shared = (struct shared *)SHARED_ADDRESS;

enum given { GIVEN_ENDPOINT, GIVEN_SHARED, GIVEN_NOTIFICATION };

static void count(enum count which)
{
	atomic_fetch_add_explicit(&shared->counts[which], 1, memory_order_relaxed);
}

static bool map_shared(handle_t memory)
{
	struct map_request request = {.memory = memory,
		.length = PAGE_SIZE,
		.address = SHARED_ADDRESS,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED | MAPPING_SHARED};
	uint64_t address;

	return address_space_map(HANDLE_SELF, &request, &address) == ERR_OK;
}

// --- In the processes

struct actor {
	struct worker worker;
	unsigned process, number;
	uint64_t random;
};

static struct actor actors[ACTORS];
static struct worker server;
static atomic_bool all_started;

// Ends the process with the number of the line where what was read is not what was written, and the like.
#define CHECK(holds)                            \
	do {                                    \
		if (!(holds))                   \
			process_exit(__LINE__); \
	} while (0)

static uint64_t own_range(const struct actor *actor)
{
	return OWN_ADDRESS + (uint64_t)actor->number * 2 * OWN_PAGES * PAGE_SIZE;
}

static void map_and_unmap(struct actor *actor)
{
	uint64_t address = own_range(actor), tag = random_next(&actor->random, UINT64_MAX);
	struct map_request request = {.length = OWN_PAGES * PAGE_SIZE,
		.address = address,
		.flags = MAPPING_FIXED | MAPPING_READ | MAPPING_WRITE};
	unsigned hole = (unsigned)random_next(&actor->random, OWN_PAGES);

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return;
	for (unsigned i = 0; i < OWN_PAGES; i++)
		*(volatile uint64_t *)(address + i * PAGE_SIZE) = tag + i;
	address_space_unmap(HANDLE_SELF, address + hole * PAGE_SIZE, PAGE_SIZE);
	for (unsigned i = 0; i < OWN_PAGES; i++)
		CHECK(i == hole || *(volatile uint64_t *)(address + i * PAGE_SIZE) == tag + i);
	address_space_unmap(HANDLE_SELF, address, request.length);
	count(MAPS);
}

// Without a deadline: whoever is forgotten stays forgotten.
static void call(struct actor *actor, handle_t sent)
{
	struct message message = {.info = MESSAGE_INFO(0, 1, sent ? 1 : 0), .words = {actor->random}};

	actor->worker.buffer->capabilities[0] = sent;
	if (endpoint_call(child_given[GIVEN_ENDPOINT], &message) != ERR_OK)
		return;
	CHECK(message.words[0] == ~actor->random);
	if (message_capabilities(message.info) > 0)
		handle_close(actor->worker.buffer->capabilities[0]);
	count(CALLS);
}

// What is mapped through a handle that somebody else has a copy of goes with what it was derived from.
static void revoke(struct actor *actor)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_FIXED | MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	struct mapping_info info;
	handle_t memory;
	uint64_t address = own_range(actor) + OWN_PAGES * PAGE_SIZE;

	request.address = address;
	if (memory_create(PAGE_SIZE, 0, &memory) != ERR_OK)
		return;
	if (handle_duplicate(memory, RIGHTS_SAME, &request.memory) == ERR_OK) {
		if (address_space_map(HANDLE_SELF, &request, &address) == ERR_OK) {
			*(volatile uint64_t *)address = actor->random;
			call(actor, request.memory);
			CHECK(*(volatile uint64_t *)address == actor->random);
			CHECK(handle_revoke(memory) == ERR_OK);
			CHECK(address_space_query(HANDLE_SELF, address, &info) != ERR_OK ||
				info.address != address);
			count(REVOKES);
		}
		handle_close(request.memory);
	}
	handle_close(memory);
}

static uint64_t live_shortly(void *argument)
{
	uint64_t random = (uintptr_t)argument, bits;

	switch (random_next(&random, 4)) {
	case 0:
		for (;;)
			__asm__ volatile("" : "+r"(random));
	case 1:
		thread_sleep(DEADLINE_NEVER);
		break;
	case 2:
		notification_wait(child_given[GIVEN_NOTIFICATION], after(SHORT_TIME), &bits);
		break;
	default:
		thread_yield();
		break;
	}
	return 0;
}

static void make_thread(struct actor *actor)
{
	struct thread_attributes attributes = {
		.name = "short", .priority = 1 + (uint32_t)random_next(&actor->random, 100)};
	struct worker worker;
	uint64_t status;

	// Another one may have mapped something where its message buffer was to be.
	if (!worker_start_with(&worker, live_shortly, (void *)(uintptr_t)actor->random, &attributes))
		return;
	if (random_next(&actor->random, 2))
		thread_sleep(after(SHORT_TIME));
	thread_kill(worker.thread, 1);
	CHECK(thread_join(worker.thread, DEADLINE_NEVER, &status) == ERR_OK);
	worker_forget(&worker);
	count(THREADS);
}

static void use_futex(struct actor *actor)
{
	uint64_t woken;

	if (random_next(&actor->random, 2))
		futex_wake(HANDLE_SELF, (uintptr_t)&shared->word, 2, &woken);
	else
		futex_wait(HANDLE_SELF, (uintptr_t)&shared->word, 0, after(SHORT_TIME));
	count(FUTEXES);
}

static void act(struct actor *actor)
{
	uint64_t bits;

	switch (random_next(&actor->random, 10)) {
	case 0:
	case 1:
		call(actor, HANDLE_NONE);
		break;
	case 2:
		call(actor, child_given[GIVEN_NOTIFICATION]);
		break;
	case 3:
		revoke(actor);
		break;
	case 4:
		map_and_unmap(actor);
		break;
	case 5:
		make_thread(actor);
		break;
	case 6:
		use_futex(actor);
		break;
	case 7:
		thread_set_affinity(
			HANDLE_SELF, 1 | random_next(&actor->random, 256)); // CPU 0 is always there
		count(MOVES);
		break;
	case 8:
		notification_signal(child_given[GIVEN_NOTIFICATION], 1);
		break;
	default:
		notification_wait(child_given[GIVEN_NOTIFICATION], after(SHORT_TIME), &bits);
		break;
	}
}

static uint64_t actor_main(void *argument)
{
	struct actor *actor = argument;

	// What it maps could be where the next one is to have its message buffer.
	while (!atomic_load(&all_started))
		thread_sleep(after(SHORT_TIME));
	for (;;) {
		act(actor);
		atomic_fetch_add(&shared->steps[actor->process][actor->number], 1);
	}
	return 0;
}

// Keeps the capability that came last, and gives it on with the next answer now and then.
static uint64_t server_main(void *argument)
{
	struct message message = {0};
	handle_t kept = HANDLE_NONE;
	unsigned served = 0;
	enum error error;

	(void)argument;
	CHECK(endpoint_receive(child_given[GIVEN_ENDPOINT], &message) == ERR_OK);
	for (;; served++) {
		bool gives = served % 3 == 0 && kept;

		if (message_capabilities(message.info) > 0) {
			handle_close(kept);
			kept = server.buffer->capabilities[0];
			gives = false;
		}
		server.buffer->capabilities[0] = kept;
		message.info = MESSAGE_INFO(0, 1, gives ? 1 : 0);
		message.words[0] = ~message.words[0];
		error = endpoint_reply_receive(child_given[GIVEN_ENDPOINT], &message);
		if (error == ERR_OK)
			continue;
		// What was to be given on has been revoked.
		CHECK(error == ERR_BAD_HANDLE);
		message.info = 0;
		CHECK(endpoint_receive(child_given[GIVEN_ENDPOINT], &message) == ERR_OK);
	}
	return 0;
}

static void disturb_actor(uint64_t *random)
{
	handle_t thread = actors[random_next(random, ACTORS)].worker.thread;

	switch (random_next(random, 3)) {
	case 0:
		thread_suspend(thread);
		thread_sleep(after(SHORT_TIME));
		thread_resume(thread);
		count(SUSPENDS);
		break;
	case 1:
		thread_suspend(thread);
		thread_resume(thread);
		count(SUSPENDS);
		break;
	default:
		thread_set_priority(thread, 100 + (uint32_t)random_next(random, 28));
		break;
	}
	// It has the highest priority, and leaves most of the time to the others.
	thread_sleep(after(5 * MILLISECOND));
}

// The argument: number of the process, above it what its random numbers begin with.
static uint64_t process_main(uint64_t argument)
{
	uint64_t random = argument;

	CHECK(map_shared(child_given[GIVEN_SHARED]));
	CHECK(worker_start(&server, server_main, NULL));
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i].process = argument % 256;
		actors[i].number = i;
		actors[i].random = random_next(&random, UINT64_MAX) | 1;
		CHECK(worker_start(&actors[i].worker, actor_main, &actors[i]));
	}
	atomic_store(&all_started, true);
	for (;;)
		disturb_actor(&random);
	return 0;
}

// --- In the first process

static struct child processes[PROCESSES];
static handle_t given[3];
static atomic_bool stop;
static atomic_uint stuck; // the number of an actor that makes no step, from 1 on

static bool has_ended(unsigned index)
{
	struct process_info info = {.state = PROCESS_EXITED};

	EXPECT_OK(process_info(processes[index].process, &info));
	return info.state == PROCESS_EXITED;
}

// Until each of its actors has got on once more, or the watchdog says that one does not: a new process would hide that.
static void wait_for_steps(unsigned index)
{
	uint64_t steps[ACTORS];

	for (unsigned i = 0; i < ACTORS; i++)
		steps[i] = atomic_load(&shared->steps[index][i]);
	for (unsigned i = 0; i < ACTORS; i++)
		while (atomic_load(&shared->steps[index][i]) == steps[i] && !atomic_load(&stuck) &&
			!has_ended(index))
			thread_sleep(after(SHORT_TIME));
}

static bool start_process(unsigned index, uint64_t *random)
{
	return child_start(
		&processes[index], process_main, index | random_next(random, 1 << 30) << 8, given, 3);
}

static void end_process(unsigned index)
{
	struct process_info info;

	process_kill(processes[index].process, 0);
	info = child_wait(&processes[index]);
	// Otherwise one of its checks did not hold, in this line, or it crashed.
	EXPECT_EQUAL(info.exit_status, 0);
	EXPECT_EQUAL(info.reason, EXIT_KILLED);
	count(PROCESS_ENDS);
}

static uint64_t watch(void *argument)
{
	uint64_t seen[PROCESSES][ACTORS] = {{0}}, since[PROCESSES][ACTORS];

	for (unsigned i = 0; i < PROCESSES * ACTORS; i++)
		since[i / ACTORS][i % ACTORS] = now();
	while (!atomic_load(&stop)) {
		thread_sleep(after(100 * MILLISECOND));
		for (unsigned i = 0; i < PROCESSES * ACTORS; i++) {
			uint64_t *last = &since[i / ACTORS][i % ACTORS];
			uint64_t steps = atomic_load(&shared->steps[i / ACTORS][i % ACTORS]);

			if (steps != seen[i / ACTORS][i % ACTORS])
				*last = now();
			else if (now() - *last > PATIENCE)
				atomic_store(&stuck, i + 1);
			seen[i / ACTORS][i % ACTORS] = steps;
		}
	}
	return (uintptr_t)argument;
}

static void disturb_process(uint64_t *random)
{
	unsigned index = (unsigned)random_next(random, PROCESSES);

	switch (random_next(random, 20)) {
	case 0:
		wait_for_steps(index);
		end_process(index);
		EXPECT(start_process(index, random));
		break;
	case 1:
	case 2:
		thread_suspend(processes[index].thread);
		thread_sleep(after(SHORT_TIME));
		thread_resume(processes[index].thread);
		break;
	default:
		thread_sleep(after(MILLISECOND + random_next(random, 10 * MILLISECOND)));
		break;
	}
}

static void report_stuck(unsigned actor)
{
	struct process_info process = {0};
	struct thread_info info = {0};

	process_info(processes[actor / ACTORS].process, &process);
	test_fail(__FILE__, __LINE__, "actor %u of process %u makes no step", actor % ACTORS, actor / ACTORS);
	while (system_thread(start_handle(START_SYSTEM), process.id, info.id, &info) == ERR_OK)
		test_note("%s: state %u, waits for %s, suspended %u, priority %u, CPU %u of %#llx", info.name,
			info.state, info.waits_for, info.suspended, info.priority, info.cpu,
			(unsigned long long)info.affinity);
}

static void run_all(uint64_t *random, uint64_t duration)
{
	uint64_t end = after(duration);
	struct worker watchdog;

	atomic_store(&stop, false);
	atomic_store(&stuck, 0);
	EXPECT_OK(endpoint_create(&given[GIVEN_ENDPOINT]));
	EXPECT_OK(notification_create(&given[GIVEN_NOTIFICATION]));
	for (unsigned i = 0; i < PROCESSES; i++)
		REQUIRE(start_process(i, random));
	REQUIRE(worker_start(&watchdog, watch, NULL));
	while (now() < end && !atomic_load(&stuck))
		disturb_process(random);
	for (unsigned i = 0; i < PROCESSES; i++)
		wait_for_steps(i);
	if (atomic_load(&stuck))
		report_stuck(atomic_load(&stuck) - 1);
	atomic_store(&stop, true);
	worker_join(&watchdog);
	for (unsigned i = 0; i < PROCESSES; i++)
		end_process(i);
	handle_close(given[GIVEN_ENDPOINT]);
	handle_close(given[GIVEN_NOTIFICATION]);
}

static void report(const struct system_info *before, const struct system_info *later)
{
	static const char *const names[COUNTS] = {"calls", "revocations", "mappings", "threads",
		"futex calls", "moves", "suspensions", "processes"};

	for (unsigned i = 0; i < COUNTS; i++)
		test_note("%llu %s", (unsigned long long)atomic_load(&shared->counts[i]), names[i]);
	test_note("free frames %llu before, %llu after; live objects %llu before, %llu after",
		(unsigned long long)(before->memory_free / PAGE_SIZE),
		(unsigned long long)(later->memory_free / PAGE_SIZE), (unsigned long long)before->objects,
		(unsigned long long)later->objects);
}

TEST(stress_system)
{
	handle_t system = start_handle(START_SYSTEM);
	struct system_info before, later;
	uint64_t random = test_random();

	REQUIRE_OK(memory_create(PAGE_SIZE, MEMORY_RESIDENT, &given[GIVEN_SHARED]));
	REQUIRE(map_shared(given[GIVEN_SHARED]));
	fill_kept();
	run_all(&random, 500 * MILLISECOND);
	settled_info(system, &before);
	run_all(&random, (test_long ? 600000 : before.cpu_count > 1 ? 20000 : 3000) * MILLISECOND);
	expect_as_before(system, &before, &later);
	report(&before, &later);
	address_space_unmap(HANDLE_SELF, SHARED_ADDRESS, PAGE_SIZE);
	handle_close(given[GIVEN_SHARED]);
}
