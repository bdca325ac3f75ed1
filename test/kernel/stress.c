// SPDX-License-Identifier: MIT
//
// Many threads that wait for each other in every way there is, while another suspends, resumes, moves, kills and restarts
// them. All must get on, end when told, and leave nothing behind. Small, for every run; on one CPU and on several.

#include "test.h"

#define ACTORS       10
#define SERVERS      2
#define RUNNING_TIME (1500 * MILLISECOND)
#define OWN_MEMORY   ((uint64_t)9 << 32) // between message buffers and programs
#define SHORT_TIME   (MILLISECOND / 5)

struct actor {
	struct worker worker;
	uint64_t random;
	_Atomic uint64_t steps;
};

static struct actor actors[ACTORS];
static struct worker servers[SERVERS];
static handle_t endpoint, notification;
static atomic_bool stop;
static _Atomic uint32_t futex_word, owned_word;

// At an address of the actor's own: "anywhere" could be where a new thread is to have its message buffer.
static void touch_memory(const struct actor *actor)
{
	uint64_t random = actor->random, address = OWN_MEMORY + (uint64_t)(actor - actors) * 8 * PAGE_SIZE;
	struct map_request request = {.length = 8 * PAGE_SIZE,
		.address = address,
		.flags = MAPPING_FIXED | MAPPING_READ | MAPPING_WRITE};

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return;
	*(volatile uint64_t *)(address + random % 8 * PAGE_SIZE) = random;
	address_space_unmap(HANDLE_SELF, address, request.length);
}

// Half of the calls have no deadline: whoever is forgotten there stays forgotten.
static void call_server(struct actor *actor)
{
	uint64_t deadline = actor->random & 64 ? MESSAGE_DEADLINE : 0;
	struct message message = {.info = deadline | MESSAGE_INFO(0, 1, 0), .words = {actor->random}};

	actor->worker.buffer->deadline = after(20 * SHORT_TIME);
	if (endpoint_call(endpoint, &message) == ERR_OK && message.words[0] != ~actor->random)
		atomic_store(&stop, true);
}

// Whoever it names owns the word, as far as the kernel knows, and has what it inherits until the word is handed over, or for as long as
// somebody waits.
static void use_owned_futex(struct actor *actor)
{
	const struct actor *owner = &actors[random_next(&actor->random, ACTORS)];
	uint32_t word = atomic_load(&owned_word);
	uint64_t count;

	if (actor->random & 64)
		futex_hand_over(HANDLE_SELF, (uintptr_t)&owned_word, word, 0, &count);
	else
		futex_wait_owned(HANDLE_SELF, (uintptr_t)&owned_word, word, owner->worker.thread,
			(uint32_t)actor->random & 3, after(SHORT_TIME));
}

static void act(struct actor *actor)
{
	uint64_t bits;

	switch (random_next(&actor->random, 10)) {
	case 0:
	case 1:
	case 2:
		call_server(actor);
		break;
	case 3:
		thread_sleep(after(SHORT_TIME));
		break;
	case 4:
		thread_yield();
		break;
	case 5:
		notification_signal(notification, 1 + (actor->random & 3));
		break;
	case 6:
		notification_wait(notification, after(SHORT_TIME), &bits);
		break;
	case 7:
		if (actor->random & 64)
			futex_wake(HANDLE_SELF, (uintptr_t)&futex_word, 2, &bits);
		else
			futex_wait(HANDLE_SELF, (uintptr_t)&futex_word, 0, after(SHORT_TIME));
		break;
	case 8:
		use_owned_futex(actor);
		break;
	default:
		touch_memory(actor);
		break;
	}
}

static uint64_t actor_main(void *argument)
{
	struct actor *actor = argument;

	while (!atomic_load(&stop)) {
		act(actor);
		atomic_fetch_add(&actor->steps, 1);
	}
	return 7;
}

static uint64_t server_main(void *argument)
{
	struct message message = {0};
	enum error error = endpoint_receive(endpoint, &message);

	(void)argument;
	while (error == ERR_OK) {
		message.info = MESSAGE_INFO(0, 1, 0);
		message.words[0] = ~message.words[0];
		error = endpoint_reply_receive(endpoint, &message);
		if (error == ERR_BAD_STATE) {
			message.info = 0;
			error = endpoint_receive(endpoint, &message);
		}
	}
	return 0;
}

static bool start_actor(struct actor *actor)
{
	return worker_start(&actor->worker, actor_main, actor);
}

static void disturb(uint64_t *random)
{
	struct actor *actor = &actors[random_next(random, ACTORS)];
	struct registers registers;

	switch (random_next(random, 7)) {
	case 0:
		EXPECT_OK(thread_suspend(actor->worker.thread));
		EXPECT_OK(thread_read_registers(actor->worker.thread, &registers));
		EXPECT_OK(thread_resume(actor->worker.thread));
		break;
	case 1:
		EXPECT_OK(thread_suspend(actor->worker.thread));
		thread_sleep(after(SHORT_TIME));
		EXPECT_OK(thread_resume(actor->worker.thread));
		break;
	case 2:
		// CPU 0 is always there.
		EXPECT_OK(thread_set_affinity(actor->worker.thread, 1 | random_next(random, 256)));
		break;
	case 3:
		EXPECT_OK(thread_set_affinity(actor->worker.thread, UINT64_MAX));
		break;
	case 4:
		EXPECT_OK(thread_set_priority(actor->worker.thread, 1 + (uint32_t)random_next(random, 120)));
		break;
	case 5:
		EXPECT_OK(thread_kill(actor->worker.thread, 9));
		EXPECT_EQUAL(worker_join(&actor->worker), 9);
		REQUIRE(start_actor(actor));
		break;
	default:
		thread_sleep(after(SHORT_TIME));
		break;
	}
}

static void replace_server(uint64_t *random)
{
	struct worker *server = &servers[random_next(random, SERVERS)];

	EXPECT_OK(thread_kill(server->thread, 0));
	worker_join(server);
	REQUIRE(worker_start(server, server_main, NULL));
}

static void start_all(uint64_t *random)
{
	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&notification));
	atomic_store(&stop, false);
	for (unsigned i = 0; i < SERVERS; i++)
		REQUIRE(worker_start(&servers[i], server_main, NULL));
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i].random = random_next(random, UINT64_MAX) | 1;
		actors[i].steps = 0;
		REQUIRE(start_actor(&actors[i]));
	}
}

static void report_stuck(unsigned index)
{
	struct thread_info info = {0};

	thread_info(actors[index].worker.thread, &info);
	test_fail(__FILE__, __LINE__,
		"actor %u makes no step: state %u, suspended %u, priority %u, CPU %u of %#llx", index,
		info.state, info.suspended, info.priority, info.cpu, (unsigned long long)info.affinity);
}

// Nobody has been forgotten: each goes on when it may. So long only a lost one takes, however busy the machine is.
#define PATIENCE (60000 * MILLISECOND)

static void all_get_on(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		EXPECT_OK(thread_set_priority(actors[i].worker.thread, THREAD_PRIORITY_DEFAULT));
	for (unsigned i = 0; i < ACTORS; i++) {
		uint64_t steps = atomic_load(&actors[i].steps), deadline = after(PATIENCE);

		while (atomic_load(&actors[i].steps) == steps && now() < deadline)
			thread_sleep(after(SHORT_TIME));
		if (atomic_load(&actors[i].steps) == steps)
			report_stuck(i);
	}
}

static void end_all(void)
{
	EXPECT(!atomic_load(&stop));
	atomic_store(&stop, true);
	for (unsigned i = 0; i < ACTORS; i++) {
		EXPECT_EQUAL(worker_join(&actors[i].worker), 7);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		thread_kill(servers[i].thread, 0);
		worker_join(&servers[i]);
	}
	handle_close(endpoint);
	handle_close(notification);
}

TEST(stress_threads_that_wait_suspend_move_and_die)
{
	uint64_t random = test_random(), end = after(RUNNING_TIME);

	start_all(&random);
	while (now() < end && !atomic_load(&stop)) {
		disturb(&random);
		if (random_next(&random, 50) == 0)
			replace_server(&random);
	}
	all_get_on();
	end_all();
}

// --- Processes

#define CHILDREN 6

enum child_task { CHILD_CALLS, CHILD_COMPUTES, CHILD_SLEEPS, CHILD_EXITS, CHILD_HAS_THREADS, CHILD_TASKS };

static void other_thread(uint64_t argument)
{
	thread_sleep(after(argument * SHORT_TIME));
	process_exit(argument);
}

static uint64_t run_threads(uint64_t argument)
{
	for (unsigned i = 0; i < 4; i++) {
		struct thread_attributes attributes = {
			.name = "other", .entry = (uintptr_t)other_thread, .argument = argument + i};
		handle_t thread;

		if (thread_create(HANDLE_SELF, &attributes, &thread) != ERR_OK)
			return 1;
	}
	thread_exit(0);
	return 1;
}

static uint64_t child_main(uint64_t argument)
{
	struct message message = {0};

	switch (argument % CHILD_TASKS) {
	case CHILD_CALLS:
		while (true) {
			message.info = MESSAGE_INFO(0, 1, 0);
			endpoint_call(child_given[0], &message);
		}
	case CHILD_COMPUTES:
		while (true)
			__asm__ volatile("" : "+r"(argument));
	case CHILD_SLEEPS:
		while (true)
			thread_sleep(after(SHORT_TIME));
	case CHILD_HAS_THREADS:
		return run_threads(argument);
	default:
		return argument;
	}
}

static void end_child(struct child *child)
{
	enum error error = process_kill(child->process, 1);

	EXPECT(error == ERR_OK || error == ERR_BAD_STATE);
	EXPECT_EQUAL(child_wait(child).state, PROCESS_EXITED);
	child->process = HANDLE_NONE;
}

static void change_children(struct child *children, uint64_t *random)
{
	struct child *child = &children[random_next(random, CHILDREN)];

	if (child->process)
		end_child(child);
	else
		REQUIRE(child_start(child, child_main, random_next(random, 50), &endpoint, 1));
	if (random_next(random, 3) == 0)
		thread_sleep(after(SHORT_TIME));
}

TEST(stress_processes_that_come_and_go)
{
	uint64_t random = test_random(), end = after(RUNNING_TIME);
	handle_t system = start_handle(START_SYSTEM);
	struct child children[CHILDREN] = {0};
	struct system_info before, later;

	settled_info(system, &before);
	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&servers[0], server_main, NULL));
	while (now() < end)
		change_children(children, &random);
	for (unsigned i = 0; i < CHILDREN; i++)
		if (children[i].process)
			end_child(&children[i]);
	thread_kill(servers[0].thread, 0);
	worker_join(&servers[0]);
	handle_close(endpoint);
	settled_info(system, &later);
	EXPECT_EQUAL(later.objects, before.objects);
	EXPECT_EQUAL(later.processes, before.processes);
	EXPECT_EQUAL(later.threads, before.threads);
}
