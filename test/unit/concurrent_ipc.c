// SPDX-License-Identifier: MIT
//
// IPC on several CPUs at once, each host thread a CPU with one thread: clients call an endpoint, some with a deadline that has
// passed, some with a capability; servers answer, answer through a saved reply, or drop the call; and all of them cancel
// each other's waits meanwhile. Each call ends once, with its own answer or an error.

#include "core_machine.h"
#include "on_cpus.h"
#include <kernel/account.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <stdlib.h>

#define CPUS    4
#define SERVERS 2
#define ROUNDS  20000

static handle_t endpoints[CPUS], notifications[CPUS];
static _Atomic unsigned clients_done;
static _Atomic uint64_t answers, errors[64];

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

static void call(uint64_t number, unsigned *seed)
{
	struct thread *self = host_cpu->current;
	unsigned cpu = host_cpu->index, capabilities = rand_r(seed) % 4 == 0;
	uint64_t deadline = rand_r(seed) % 4 == 0 ? MESSAGE_DEADLINE : 0;
	enum error error;

	self->message_buffer->capabilities[0] = endpoints[cpu];
	self->message_buffer->deadline = 1;
	set_message(endpoints[cpu], MESSAGE_INFO(0, 1, capabilities) | deadline, number);
	sys_endpoint_call();
	error = end_of_call(seed);
	if (error == ERR_OK) {
		CHECK(self->arch.frame->registers.argument[2] == number + 1);
		atomic_fetch_add(&answers, 1);
	} else {
		CHECK(error == ERR_CANCELLED || error == ERR_TIMED_OUT || error == ERR_GONE);
		atomic_fetch_add(&errors[error], 1);
	}
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
		set_message(saved.value, MESSAGE_INFO(0, 1, 0), word + 1);
		sys_endpoint_reply();
		set_message(endpoints[cpu], 0, 0);
		sys_endpoint_receive();
		break;
	}
	case 1: // not at all
		set_message(endpoints[cpu], 0, 0);
		sys_endpoint_receive();
		break;
	default:
		set_message(endpoints[cpu], MESSAGE_INFO(0, 1, 0), word + 1);
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

static void call_or_serve(unsigned cpu, unsigned *seed)
{
	if (cpu < SERVERS) {
		serve(seed);
		return;
	}
	for (unsigned i = 0; i < ROUNDS; i++)
		call((uint64_t)cpu << 32 | i, seed);
	atomic_fetch_add(&clients_done, 1);
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
	uint64_t before;

	core_machine_start(CPUS);
	core_machine_make_threads();
	before = root_account.objects_used;
	share(sys_endpoint_create(), endpoints);
	share(sys_notification_create(), notifications);
	CHECK(sys_endpoint_bind(endpoints[0], notifications[0]).error == ERR_OK);
	on_cpus(CPUS, call_or_serve);
	CHECK(answers > 0 && errors[ERR_CANCELLED] > 0 && errors[ERR_TIMED_OUT] > 0 && errors[ERR_GONE] > 0);
	for (unsigned i = 0; i < CPUS; i++) {
		struct thread *thread = core_machine_thread(i);

		CHECK(thread->object.references == 1 && thread->caller.thread == NULL);
		CHECK(thread->process->table.used == 2);
		capability_close(&thread->process->table, endpoints[i]);
		capability_close(&thread->process->table, notifications[i]);
	}
	object_reap();
	CHECK(root_account.objects_used == before);
	return 0;
}
