// SPDX-License-Identifier: MIT
//
// Scheduling contexts: no more CPU time than the budget in each period, whoever uses it; what happens when it is used
// up; rights and errors.

#include "test.h"
#include <stdio.h>

#define LONG_PERIOD (20000 * MILLISECOND) // of which no test waits for the end

struct hog {
	handle_t context;
	uint64_t priority;
	handle_t fault_endpoint;
	volatile bool stop;
	volatile uint64_t rounds;
	struct worker worker;
};

static uint64_t hog(void *argument)
{
	struct hog *self = argument;

	while (!self->stop)
		self->rounds++;
	return 0;
}

// A thread that computes on CPU 0, bound to a context before it runs.
static bool start_hog(struct hog *self)
{
	struct thread_attributes attributes = {
		.name = "hog",
		.priority = (uint32_t)self->priority,
		.affinity = 1,
		.flags = THREAD_SUSPENDED,
		.fault_endpoint = self->fault_endpoint,
	};

	if (!worker_start_with(&self->worker, hog, self, &attributes))
		return false;
	if (self->context)
		EXPECT_OK(scheduling_context_bind(self->context, self->worker.thread));
	EXPECT_OK(thread_resume(self->worker.thread));
	return true;
}

static handle_t new_context(uint64_t budget, uint64_t period, uint64_t flags)
{
	handle_t context = HANDLE_NONE;

	EXPECT_OK(scheduling_context_create(&context));
	EXPECT_OK(scheduling_context_configure(context, budget, period, flags));
	return context;
}

static uint64_t cpu_time_of(const struct worker *worker)
{
	struct thread_info info = {0};

	EXPECT_OK(thread_info(worker->thread, &info));
	return info.cpu_time;
}

static uint64_t consumed_of(handle_t context)
{
	struct scheduling_context_info info = {0};

	EXPECT_OK(scheduling_context_info(context, &info));
	return info.consumed;
}

// Each period begun since `start` has brought one budget. What a host took from the virtual CPU in the middle of one
// counts as used, and is still owed.
static void expect_within_budget(handle_t context, uint64_t start)
{
	struct scheduling_context_info info = {0};

	EXPECT_OK(scheduling_context_info(context, &info));
	EXPECT((int64_t)info.consumed + info.remaining <=
		(int64_t)(((now() - start) / info.period + 1) * info.budget));
}

// A thread above all others gets 20 % of its CPU, and one below it the rest.
TEST(budget_isolates_a_runaway)
{
	struct hog runaway = {.context = new_context(2 * MILLISECOND, 10 * MILLISECOND, 0), .priority = 120};
	struct hog victim = {.priority = 20};
	uint64_t start, elapsed, used, left;

	start = now();
	REQUIRE(start_hog(&runaway));
	REQUIRE(start_hog(&victim));
	thread_sleep(after(500 * MILLISECOND));
	elapsed = now() - start;
	used = cpu_time_of(&runaway.worker);
	left = cpu_time_of(&victim.worker);
	printf("# of %llu us the runaway got %llu, the thread below it %llu\n",
		(unsigned long long)elapsed / 1000, (unsigned long long)used / 1000,
		(unsigned long long)left / 1000);
	expect_within_budget(runaway.context, start);
	EXPECT(used >= elapsed * 5 / 100);
	EXPECT(left >= elapsed * 40 / 100);
	EXPECT(consumed_of(runaway.context) >= used);
	runaway.stop = victim.stop = true;
	worker_join(&runaway.worker);
	worker_join(&victim.worker);
	handle_close(runaway.context);
}

TEST(budget_is_shared_by_all_threads_bound_to_it)
{
	handle_t context = new_context(2 * MILLISECOND, 10 * MILLISECOND, 0);
	struct hog hogs[3] = {
		{context, .priority = 60}, {context, .priority = 50}, {context, .priority = 50}};
	uint64_t start = now(), used = 0;

	for (unsigned i = 0; i < 3; i++)
		REQUIRE(start_hog(&hogs[i]));
	thread_sleep(after(300 * MILLISECOND));
	for (unsigned i = 0; i < 3; i++)
		used += cpu_time_of(&hogs[i].worker);
	expect_within_budget(context, start);
	EXPECT(consumed_of(context) >= used);
	// All of them, for while one goes on it may take the whole budget of each period.
	for (unsigned i = 0; i < 3; i++)
		hogs[i].stop = true;
	for (unsigned i = 0; i < 3; i++)
		worker_join(&hogs[i].worker);
	handle_close(context);
}

// What waits for a period far away goes on when the context is configured, bound elsewhere or it is killed.
TEST(budget_used_up_is_waited_for)
{
	handle_t context = new_context(MILLISECOND, LONG_PERIOD, 0);
	struct hog self = {.context = context, .priority = 60};
	struct scheduling_context_info info;
	uint64_t rounds;

	REQUIRE(start_hog(&self));
	REQUIRE(wait_for_state(self.worker.thread, THREAD_BLOCKED));
	REQUIRE_OK(scheduling_context_info(context, &info));
	EXPECT_EQUAL(info.budget, MILLISECOND);
	EXPECT_EQUAL(info.period, LONG_PERIOD);
	EXPECT(info.remaining <= 0);
	EXPECT(info.consumed >= MILLISECOND && info.period_end > now());
	rounds = self.rounds;
	thread_sleep(after(20 * MILLISECOND));
	EXPECT_EQUAL(self.rounds, rounds);
	// A busy host may take all of a budget from the virtual CPU.
	do {
		EXPECT_OK(scheduling_context_configure(context, 2 * MILLISECOND, LONG_PERIOD, 0));
		REQUIRE(wait_for_state(self.worker.thread, THREAD_BLOCKED));
	} while (self.rounds == rounds);
	EXPECT(consumed_of(context) >= info.consumed + 2 * MILLISECOND);
	rounds = self.rounds;
	EXPECT_OK(scheduling_context_bind(HANDLE_NONE, self.worker.thread));
	while (self.rounds == rounds)
		thread_sleep(after(MILLISECOND));
	EXPECT_OK(scheduling_context_bind(context, self.worker.thread));
	REQUIRE(wait_for_state(self.worker.thread, THREAD_BLOCKED));
	EXPECT_OK(thread_kill(self.worker.thread, 5));
	EXPECT_EQUAL(worker_join(&self.worker), 5);
	handle_close(context);
}

static void expect_time_out(handle_t endpoint, struct message *message)
{
	message->info = MESSAGE_DEADLINE;
	message_buffer()->deadline = after(20000 * MILLISECOND);
	EXPECT_OK(endpoint_receive(endpoint, message));
	EXPECT(message->info & MESSAGE_FAULT);
	EXPECT_EQUAL(message_label(message->info), FAULT_TIMEOUT);
}

TEST(budget_used_up_is_a_fault_that_can_be_repaired)
{
	struct hog self = {.priority = 60};
	struct message message = {0};
	struct thread_info info;
	uint64_t rounds;

	self.context = new_context(MILLISECOND, LONG_PERIOD, SCHEDULING_CONTEXT_FAULTS);
	REQUIRE_OK(endpoint_create(&self.fault_endpoint));
	REQUIRE(start_hog(&self));
	expect_time_out(self.fault_endpoint, &message);
	REQUIRE_OK(thread_info(self.worker.thread, &info));
	EXPECT_EQUAL(message.words[3], info.id);
	rounds = self.rounds;
	// A busy host may take all of a budget from the virtual CPU.
	do {
		EXPECT_OK(scheduling_context_configure(
			self.context, MILLISECOND, LONG_PERIOD, SCHEDULING_CONTEXT_FAULTS));
		message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
		EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
		expect_time_out(self.fault_endpoint, &message);
	} while (self.rounds == rounds);
	message.info = MESSAGE_INFO(FAULT_KILL, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_EQUAL(worker_join(&self.worker), FAULT_TIMEOUT);
	handle_close(self.fault_endpoint);
	handle_close(self.context);
}

// --- Budgets and calls

struct service {
	handle_t endpoint;
	volatile bool inside, stop;
	struct worker worker;
};

static uint64_t serve_slowly(void *argument)
{
	struct service *service = argument;
	struct message message = {0};

	endpoint_receive(service->endpoint, &message);
	service->inside = true;
	while (!service->stop)
		;
	message.info = 0;
	return endpoint_reply(HANDLE_NONE, &message);
}

static uint64_t call_service(void *argument)
{
	struct message message = {0};

	return endpoint_call(((struct service *)argument)->endpoint, &message);
}

TEST(budget_used_up_while_the_server_works)
{
	struct thread_attributes low = {.name = "server", .priority = 20, .affinity = 1};
	struct thread_attributes high = {.name = "caller", .priority = 60, .affinity = 1};
	handle_t context = new_context(100 * MILLISECOND, LONG_PERIOD, 0);
	struct service service = {0};
	struct worker caller;
	struct thread_info info;

	REQUIRE_OK(endpoint_create(&service.endpoint));
	REQUIRE(worker_start_with(&service.worker, serve_slowly, &service, &low));
	REQUIRE(wait_for_state(service.worker.thread, THREAD_BLOCKED));
	high.flags = THREAD_SUSPENDED;
	REQUIRE(worker_start_with(&caller, call_service, &service, &high));
	EXPECT_OK(scheduling_context_bind(context, caller.thread));
	EXPECT_OK(thread_resume(caller.thread));
	while (!service.inside)
		thread_sleep(after(MILLISECOND));
	// The server goes on with its own, and the caller has none to go on with.
	do {
		thread_sleep(after(MILLISECOND));
		REQUIRE_OK(thread_info(service.worker.thread, &info));
	} while (info.payer_id != info.id);
	EXPECT_EQUAL(info.priority, 20);
	EXPECT(consumed_of(context) >= 100 * MILLISECOND);
	EXPECT_OK(thread_info(caller.thread, &info));
	EXPECT(info.state != THREAD_ZOMBIE && info.state != THREAD_DEAD);
	EXPECT_OK(scheduling_context_configure(context, 0, 0, 0));
	EXPECT_RESULT(NO_BUDGET, endpoint_call, worker_join(&caller));
	service.stop = true;
	EXPECT_EQUAL(worker_join(&service.worker), ERR_GONE);
	handle_close(service.endpoint);
	handle_close(context);
}

// --- Inheritance, rights, errors

struct prisoner {
	handle_t context, other, self;
	uint64_t made_context; // of a thread that it made
};

static uint64_t nothing(void *argument)
{
	return (uintptr_t)argument;
}

// What a thread with a budget may not do.
static uint64_t try_to_escape(void *argument)
{
	struct prisoner *prisoner = argument;
	struct thread_attributes attributes = {.name = "made", .flags = THREAD_SUSPENDED};
	struct thread_info info = {0};
	struct worker made;

	EXPECT_ERROR(NO_RIGHTS, scheduling_context_bind(HANDLE_NONE, prisoner->self));
	EXPECT_ERROR(NO_RIGHTS, scheduling_context_bind(prisoner->other, prisoner->self));
	EXPECT_OK(scheduling_context_bind(prisoner->context, prisoner->self));
	if (!worker_start_with(&made, nothing, NULL, &attributes))
		return 1;
	EXPECT_ERROR(NO_RIGHTS, scheduling_context_bind(HANDLE_NONE, made.thread));
	EXPECT_OK(thread_info(made.thread, &info));
	prisoner->made_context = info.context_id;
	EXPECT_OK(thread_resume(made.thread));
	return worker_join(&made);
}

TEST(budget_is_inherited_and_cannot_be_shed)
{
	struct thread_attributes attributes = {.name = "prisoner", .flags = THREAD_SUSPENDED};
	struct prisoner prisoner = {
		.context = new_context(9 * MILLISECOND, 10 * MILLISECOND, 0), .other = new_context(0, 0, 0)};
	struct handle_info info;
	struct worker worker;

	REQUIRE(worker_start_with(&worker, try_to_escape, &prisoner, &attributes));
	prisoner.self = worker.thread;
	EXPECT_OK(scheduling_context_bind(prisoner.context, worker.thread));
	EXPECT_OK(thread_resume(worker.thread));
	EXPECT_EQUAL(worker_join(&worker), 0);
	REQUIRE_OK(handle_info(prisoner.context, &info));
	EXPECT_EQUAL(info.type, OBJECT_SCHEDULING_CONTEXT);
	EXPECT_EQUAL(prisoner.made_context, info.object_id);
	handle_close(prisoner.context);
	handle_close(prisoner.other);
}

// Handles, rights and pointers: cases_*.c.

TEST(scheduling_context_configure_refuses_what_cannot_be)
{
	handle_t context = new_context(0, 0, 0);
	uint64_t budget = MILLISECOND, period = 10 * MILLISECOND;

	EXPECT_ERROR(INVALID_ARGUMENT, scheduling_context_configure(context, budget, budget - 1, 0));
	EXPECT_ERROR(INVALID_ARGUMENT,
		scheduling_context_configure(context, SCHEDULING_BUDGET_MIN - 1, period, 0));
	EXPECT_ERROR(INVALID_ARGUMENT,
		scheduling_context_configure(context, budget, SCHEDULING_PERIOD_MAX + 1, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, scheduling_context_configure(context, UINT64_MAX, UINT64_MAX, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, scheduling_context_configure(context, 0, period, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, scheduling_context_configure(context, budget, period, 2));
	EXPECT_OK(scheduling_context_configure(context, SCHEDULING_BUDGET_MIN, SCHEDULING_PERIOD_MAX, 1));
	EXPECT_OK(scheduling_context_configure(context, budget, budget, 0));
	handle_close(context);
}

TEST(scheduling_context_binds_threads_that_live)
{
	handle_t context = new_context(0, 0, 0);
	struct hog self = {.priority = 60};
	uint64_t status;

	REQUIRE(start_hog(&self));
	// A thread cannot free itself by a handle that everybody has.
	EXPECT_ERROR(BAD_HANDLE, scheduling_context_bind(context, HANDLE_SELF));
	EXPECT_OK(scheduling_context_bind(context, self.worker.thread));
	EXPECT_OK(scheduling_context_bind(context, self.worker.thread));
	EXPECT_OK(scheduling_context_bind(HANDLE_NONE, self.worker.thread));
	self.stop = true;
	EXPECT_OK(thread_join(self.worker.thread, DEADLINE_NEVER, &status));
	EXPECT_ERROR(BAD_STATE, scheduling_context_bind(context, self.worker.thread));
	worker_forget(&self.worker);
	handle_close(context);
}
