// SPDX-License-Identifier: MIT
//
// IPC on several CPUs at once, each host thread a CPU with one thread: clients call an endpoint, some with a deadline that has
// passed, some with a capability; servers answer, answer through a saved reply, or drop the call; and all of them cancel
// each other's waits meanwhile. Each call ends once, with its own answer or an error, and many a client with its call: its memory
// goes as soon as nobody counts it. Calls and answers go the general way or as the fast path makes them, to receivers that wait
// alone. Then endpoints end while somebody is about to wait there.

#include "core_machine.h"
#include "on_cpus.h"
#include <kernel/account.h>
#include <kernel/cache.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/direct_call.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <sched.h>
#include <stdlib.h>

#define CPUS    4
#define SERVERS 2
#define ROUNDS  20000

static handle_t endpoints[CPUS], notifications[CPUS];
static _Atomic unsigned clients_done;
static _Atomic uint64_t answers, fast_calls, fast_answers, errors[64];
static struct endpoint *endpoint;
static _Atomic unsigned rounds_made, rounds_ended;

// --- What IPC stands on

bool scheduler_may_run(const struct thread *thread, const struct cpu *cpu)
{
	(void)thread;
	(void)cpu;
	return true;
}

void scheduler_reschedule(struct cpu *cpu)
{
	(void)cpu;
}

void offers_release(struct thread *thread)
{
	(void)thread;
}

enum error offers_take(struct thread *thread)
{
	(void)thread;
	abort();
}

void fault_finish(struct thread *thread)
{
	(void)thread;
	abort();
}

void thread_terminate(struct thread *thread, uint64_t status)
{
	(void)thread;
	(void)status;
	abort();
}

// --- Threads

static struct object_cache thread_cache = OBJECT_CACHE_INITIALIZER(
	thread_cache, "thread", struct core_machine_thread);
static _Atomic uint64_t ended;

static void end_thread(struct object *object)
{
	enum thread_state state = thread_get_state(container_of(object, struct thread, object));

	CHECK(state == THREAD_RUNNING || state == THREAD_DEAD);
	atomic_fetch_add(&ended, 1);
}

const struct object_operations thread_operations = {
	.name = "thread",
	.cache = &thread_cache,
	.offset = offsetof(struct thread, object),
	.destroy = end_thread,
};

// The current thread ends, and another one takes its place.
static void replace_thread(void)
{
	struct thread *previous = host_cpu->current;
	struct core_machine_thread *made = object_create(OBJECT_THREAD, &root_account);

	CHECK(made != NULL);
	core_machine_run_thread(host_cpu->index, made);
	object_put(&previous->object);
}

static void set_message(uint64_t handle, uint64_t info, uint64_t word)
{
	uint64_t *arguments = host_cpu->current->arch.frame->registers.argument;

	arguments[0] = handle;
	arguments[1] = info;
	arguments[2] = word;
}

// The end of a system call: until the thread goes on, its CPU does what CPUs do, and now and then cancels somebody's wait.
static enum error end_of_call(unsigned *seed)
{
	struct thread *self = host_cpu->current;

	while (!core_machine_runs()) {
		timeout_run(1);
		if (rand_r(seed) % 16 == 0)
			thread_abort_wait(core_machine_thread((unsigned)rand_r(seed) % CPUS), ERR_CANCELLED);
		if (atomic_load(&clients_done) == CPUS - SERVERS)
			thread_abort_wait(self, ERR_CANCELLED);
		arch_cpu_relax();
	}
	CHECK(self->alone_at == NULL);
	object_reap();
	atomic_fetch_add(&host_cpu->quiescent, 1);
	return (enum error)self->arch.result.error;
}

static void close_received(void)
{
	struct thread *self = host_cpu->current;

	if (message_capabilities(self->arch.frame->registers.argument[1]))
		capability_close(&self->process->table, self->message_buffer->capabilities[0]);
}

// The ways of ipc/fast_path.c; false: the general one. A receiver has left its CPU when another thread calls it from there.
static bool call_fast(uint64_t number, unsigned *seed)
{
	struct thread *server = direct_hold_receiver(endpoint);

	if (server == NULL)
		return false;
	while (atomic_load(&server->alone_at) != endpoint)
		arch_cpu_relax();
	if (rand_r(seed) % 8 == 0) {
		direct_put_back(endpoint, server);
		return false;
	}
	direct_take_receiver(endpoint, server);
	arch_message_set_result(&server->arch, ERR_OK, 0, MESSAGE_INFO(0, 1, 0) | MESSAGE_CALL);
	arch_message_set_word(&server->arch, 0, number);
	host_cpu->blocked = true;
	direct_wait_for_answer(host_cpu->current, server, 0);
	atomic_store(&woken[server->cpu], server);
	atomic_fetch_add(&fast_calls, 1);
	return true;
}

// A few instructions take longer now and then.
static void linger(unsigned *seed)
{
	for (unsigned turns = rand_r(seed) % 8 ? 0 : rand_r(seed) % 50000; turns > 0; turns--)
		__asm__ volatile("" ::: "memory");
}

static void wait_alone(unsigned *seed)
{
	linger(seed);
	host_cpu->blocked = true;
	atomic_store(&host_cpu->current->alone_at, endpoint);
}

static bool answer_fast(uint64_t word, unsigned *seed)
{
	struct thread *self = host_cpu->current;
	struct caller caller = self->caller;

	if (caller.thread == NULL)
		return false;
	self->caller.thread = NULL;
	self->caller.loans = 0;
	if (!direct_exchange_alone(endpoint, NULL, self)) {
		self->caller = caller;
		return false;
	}
	if (direct_claim(caller.thread, caller.wait_number)) {
		arch_message_set_result(&caller.thread->arch, ERR_OK, 0, MESSAGE_INFO(0, 1, 0));
		arch_message_set_word(&caller.thread->arch, 0, word);
		atomic_store(&woken[caller.thread->cpu], caller.thread);
		atomic_fetch_add(&fast_answers, 1);
	} else {
		object_put(&caller.thread->object);
	}
	wait_alone(seed);
	return true;
}

static void call(uint64_t number, unsigned *seed)
{
	struct thread *self = host_cpu->current;
	unsigned cpu = host_cpu->index, capabilities = rand_r(seed) % 4 == 0;
	uint64_t deadline = rand_r(seed) % 4 == 0 ? MESSAGE_DEADLINE : 0;
	enum error error;

	self->message_buffer->capabilities[0] = endpoints[cpu];
	self->message_buffer->deadline = 1;
	set_message(endpoints[cpu], MESSAGE_INFO(0, 1, capabilities) | deadline, number);
	if (capabilities || deadline || !call_fast(number, seed))
		sys_endpoint_call();
	error = end_of_call(seed);
	if (error == ERR_OK) {
		CHECK(self->arch.frame->registers.argument[2] == number + 1);
		atomic_fetch_add(&answers, 1);
	} else {
		CHECK(error == ERR_CANCELLED || error == ERR_TIMED_OUT || error == ERR_GONE);
		atomic_fetch_add(&errors[error], 1);
	}
	if (rand_r(seed) % 2 == 0)
		replace_thread();
	if (rand_r(seed) % 8 == 0)
		CHECK(sys_notification_signal(notifications[cpu], 1).error == ERR_OK);
}

// Answers the call that the current thread has received, in one of the ways there are, and receives the next message.
static void answer_and_receive(unsigned *seed)
{
	unsigned cpu = host_cpu->index;
	uint64_t word = host_cpu->current->arch.frame->registers.argument[2];

	close_received();
	switch (rand_r(seed) % 4) {
	case 0: { // later
		struct syscall_result saved = sys_reply_save();

		CHECK(saved.error == ERR_OK);
		if (rand_r(seed) % 2 == 0)
			CHECK(sys_reply_watch(saved.value, notifications[cpu], 2).error == ERR_OK);
		set_message(saved.value, MESSAGE_INFO(0, 1, 0), word + 1);
		sys_endpoint_reply();
		set_message(endpoints[cpu], 0, 0);
		sys_endpoint_receive();
		break;
	}
	case 1: // not at all
		CHECK(sys_reply_watch(HANDLE_NONE, notifications[cpu], 4).error == ERR_OK);
		set_message(endpoints[cpu], 0, 0);
		sys_endpoint_receive();
		break;
	default:
		set_message(endpoints[cpu], MESSAGE_INFO(0, 1, 0), word + 1);
		if (rand_r(seed) % 4 == 0 || !answer_fast(word + 1, seed))
			sys_endpoint_reply_receive();
	}
}

static void serve(unsigned *seed)
{
	const uint64_t *arguments = host_cpu->current->arch.frame->registers.argument;

	set_message(endpoints[host_cpu->index], 0, 0);
	sys_endpoint_receive();
	while (atomic_load(&clients_done) < CPUS - SERVERS) {
		enum error error = end_of_call(seed);

		if (error == ERR_OK && !(arguments[1] & MESSAGE_NOTIFICATION)) {
			answer_and_receive(seed);
			continue;
		}
		CHECK(error == ERR_OK || error == ERR_CANCELLED);
		set_message(endpoints[host_cpu->index], 0, 0);
		sys_endpoint_receive();
	}
	end_of_call(seed);
	caller_fail(&host_cpu->current->caller, ERR_GONE);
}

// --- Ends

// What one is about to wait for ends, or its wait does: it does not wait, or is told.
static void wait_at_end(unsigned *seed)
{
	struct capability found;
	enum error error = capability_lookup(endpoints[0], OBJECT_ENDPOINT, RIGHT_RECEIVE, &found);

	if (error)
		return;
	endpoint = container_of(found.object, struct endpoint, object);
	linger(seed);
	if (rand_r(seed) % 2 && direct_exchange_alone(endpoint, NULL, host_cpu->current)) {
		wait_alone(seed);
	} else {
		set_message(endpoints[0], 0, 0);
		sys_endpoint_receive();
	}
	while (!core_machine_runs())
		arch_cpu_relax();
	error = (enum error)host_cpu->current->arch.result.error;
	CHECK(error == ERR_PEER_CLOSED || error == ERR_BAD_HANDLE || error == ERR_CANCELLED);
	atomic_fetch_add(&errors[error], 1);
}

static void end_or_cancel(handle_t handle, unsigned *seed)
{
	bool cancel = rand_r(seed) % 2;

	linger(seed);
	while (cancel && !thread_abort_wait(core_machine_thread(0), ERR_CANCELLED))
		arch_cpu_relax();
	capability_close(&core_machine_thread(0)->process->table, handle);
}

static void wait_or_end(unsigned cpu, unsigned *seed)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (cpu == 0) {
			endpoints[0] = sys_endpoint_create().value;
			atomic_store(&rounds_made, i + 1);
			wait_at_end(seed);
			while (atomic_load(&rounds_ended) != i + 1)
				arch_cpu_relax();
		} else {
			while (atomic_load(&rounds_made) != i + 1)
				arch_cpu_relax();
			end_or_cancel(endpoints[0], seed);
		}
		object_reap();
		atomic_fetch_add(&host_cpu->quiescent, 1);
		if (cpu != 0)
			atomic_store(&rounds_ended, i + 1);
	}
}

static void call_or_serve(unsigned cpu, unsigned *seed)
{
	if (cpu < SERVERS) {
		serve(seed);
	} else {
		for (unsigned i = 0; i < ROUNDS; i++)
			call((uint64_t)cpu << 32 | i, seed);
		atomic_fetch_add(&clients_done, 1);
	}
	object_reap();
}

// --- One client at a time, which is killed while it waits and ends with that

#define DEATHS 5000

static _Atomic unsigned ready, begun, seen, killed;

static void wait_for(_Atomic unsigned *round, unsigned number)
{
	for (unsigned i = 1; atomic_load(round) != number; i++)
		if (i % 1000 == 0)
			sched_yield();
}

static void pass_time(unsigned *seed)
{
	for (volatile int i = rand_r(seed) % 300; i > 0; i--)
		;
}

static void end_call(struct thread *client)
{
	atomic_store(&client->state, THREAD_DEAD);
	object_put(&client->object);
}

// In every other round it watches the call's end: the binding has its reference already then. Else it does not wait for that, and
// drops the call. True: it was not dropped.
static bool lose_client(unsigned round, unsigned *seed)
{
	struct caller *caller = &host_cpu->current->caller;
	struct thread *client = caller->thread;

	CHECK(sys_reply_watch(HANDLE_NONE, notifications[0], 1).error == ERR_OK);
	if (round % 2 == 0) {
		for (unsigned i = 1; thread_is_waiting(client, caller->wait_number); i++)
			if (i % 1000 == 0)
				sched_yield();
		CHECK(atomic_load(&client->object.references) == 2);
	} else {
		pass_time(seed);
	}
	atomic_store(&seen, round);
	caller_fail(caller, ERR_GONE);
	if (atomic_load(&woken[0]) != client)
		return true;
	end_call(client);
	return false;
}

static void lose_clients(unsigned *seed)
{
	struct thread *server = host_cpu->current;

	for (unsigned round = 1; round <= DEATHS; round++) {
		struct core_machine_thread *client = object_create(OBJECT_THREAD, &root_account);
		bool is_gone;

		core_machine_run_thread(0, client);
		caller_bind(&server->caller, &client->thread,
			thread_prepare_wait(&ipc_answer_wait, NULL, THREAD_BLOCKED, DEADLINE_NEVER));
		host_cpu->current = server;
		host_cpu->blocked = false;
		atomic_store(&woken[0], NULL);
		wait_for(&ready, round);
		atomic_store(&begun, round);
		is_gone = lose_client(round, seed);
		wait_for(&killed, round);
		CHECK((sys_notification_poll(notifications[0]).error == ERR_OK) == is_gone);
		object_reap();
	}
	core_machine_run_thread(0, container_of(server, struct core_machine_thread, thread));
}

static void kill_clients(unsigned *seed)
{
	for (unsigned round = 1; round <= DEATHS; round++) {
		struct thread *client;

		atomic_store(&ready, round);
		wait_for(&begun, round);
		client = core_machine_thread(0);
		pass_time(seed);
		if (thread_leave_wait(client)) {
			if (round % 2 == 0)
				wait_for(&seen, round);
			end_call(client);
		}
		object_reap();
		atomic_store(&killed, round);
		atomic_fetch_add(&host_cpu->quiescent, 1);
	}
}

static void lose_or_kill(unsigned cpu, unsigned *seed)
{
	if (cpu == 0)
		lose_clients(seed);
	else
		kill_clients(seed);
}

// The first CPU's handle to a new object, and one for each of the others.
static void share(struct syscall_result made, handle_t handles[CPUS])
{
	struct capability found;

	CHECK(made.error == ERR_OK);
	handles[0] = made.value;
	CHECK(capability_lookup(handles[0], OBJECT_NONE, 0, &found) == ERR_OK);
	for (unsigned i = 1; i < CPUS; i++) {
		struct capability_table *table = &core_machine_thread(i)->process->table;

		CHECK(capability_reserve(table, &handles[i]) == ERR_OK);
		capability_install(table, handles[i], found.object, RIGHTS_ALL);
	}
}

int main(void)
{
	struct capability found;
	uint64_t before;

	core_machine_start(CPUS);
	core_machine_make_threads();
	for (unsigned i = 0; i < CPUS; i++)
		core_machine_run_thread(i, object_create(OBJECT_THREAD, &root_account));
	before = root_account.objects_used;
	share(sys_endpoint_create(), endpoints);
	share(sys_notification_create(), notifications);
	on_cpus(2, lose_or_kill);
	CHECK(ended == DEATHS && root_account.objects_used == before + 2);
	CHECK(sys_endpoint_bind(endpoints[0], notifications[0]).error == ERR_OK);
	CHECK(capability_lookup(endpoints[0], OBJECT_ENDPOINT, 0, &found) == ERR_OK);
	endpoint = container_of(found.object, struct endpoint, object);
	on_cpus(CPUS, call_or_serve);
	CHECK(fast_calls > 0 && fast_answers > 0);
	CHECK(answers > 0 && errors[ERR_CANCELLED] > 0 && errors[ERR_TIMED_OUT] > 0 && errors[ERR_GONE] > 0);
	for (unsigned i = 0; i < CPUS; i++) {
		struct thread *thread = core_machine_thread(i);

		CHECK(thread->object.references == 1 && thread->caller.thread == NULL);
		CHECK(thread->process->table.used == 2);
		capability_close(&thread->process->table, endpoints[i]);
		capability_close(&thread->process->table, notifications[i]);
	}
	object_reap();
	CHECK(ended > DEATHS + ROUNDS / 2 && root_account.objects_used == before);
	on_cpus(2, wait_or_end);
	CHECK(errors[ERR_PEER_CLOSED] > 0);
	return 0;
}
