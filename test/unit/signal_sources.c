// SPDX-License-Identifier: MIT
//
// Timers and interrupts that end, or are set anew, while another CPU is in the middle of using them. Each host thread
// is a CPU; what it does while it signals, or waits for another CPU, makes the others come in between.

#include "core_machine.h"
#include <arch/time.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/binding.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>
#include <kernel/resource.h>
#include <kernel/syscall.h>
#include <pthread.h>
#include <semaphore.h>

#define LINE   5
#define PERIOD 1000
#define FAR    ((uint64_t)1000000)

// Once, at this thread's next signal, or when it next waits for another CPU.
static _Thread_local void (*while_signalling)(void), (*while_waiting)(void);

static struct test_object *target; // a notification
static handle_t target_handle, source;
static _Atomic unsigned signals, masks, unmasks;
static pthread_t signaller, other;
static sem_t is_signalling, may_go_on, has_come, other_is_signalling, other_may_go_on;

static void run_once(void (**hook)(void))
{
	void (*function)(void) = *hook;

	*hook = NULL;
	if (function)
		function();
}

// --- What they stand on

void notification_signal(struct notification *notification, uint64_t bits)
{
	CHECK(&notification->object == &target->object && bits != 0);
	signals++;
	run_once(&while_signalling);
}

void tlb_shootdown_ipi(void)
{
	run_once(&while_waiting);
}

void endpoint_lock(struct endpoint *endpoint)
{
	(void)endpoint;
}

void endpoint_unlock(struct endpoint *endpoint)
{
	(void)endpoint;
}

void notification_unbind_locked(struct endpoint *endpoint)
{
	(void)endpoint;
}

enum error resource_lookup(handle_t handle, enum resource_kind kind, rights_t needed, uint64_t base,
	uint64_t length, struct resource **found)
{
	(void)handle, (void)kind, (void)needed, (void)base, (void)length, (void)found;
	return ERR_OK;
}

static bool configure(uint32_t line, uint32_t flags, unsigned cpu_index)
{
	(void)flags, (void)cpu_index;
	return line == LINE;
}

static void mask(uint32_t line)
{
	CHECK(line == LINE);
	masks++;
}

static void unmask(uint32_t line)
{
	CHECK(line == LINE);
	unmasks++;
}

static const struct interrupt_controller controller = {
	.configure = configure, .mask = mask, .unmask = unmask};

const struct interrupt_controller *interrupt_controller = &controller;

// --- Steps

static void start(pthread_t *thread, void *(*function)(void *))
{
	CHECK(pthread_create(thread, NULL, function, NULL) == 0);
}

static void let_signaller_end(void)
{
	sem_post(&may_go_on);
	pthread_join(signaller, NULL);
}

static void stay_in_signal(void)
{
	sem_post(&is_signalling);
	sem_wait(&may_go_on);
}

// On CPU 2: a signal of the source begins, and goes on when it may.
static void *expire_timer(void *unused)
{
	host_cpu = &cpus[2];
	while_signalling = stay_in_signal;
	timeout_run(host_time);
	return unused;
}

static void *raise_line(void *unused)
{
	host_cpu = &cpus[2];
	while_signalling = stay_in_signal;
	interrupt_raise(LINE);
	return unused;
}

static void start_signal(void *(*function)(void *))
{
	start(&signaller, function);
	sem_wait(&is_signalling);
}

static void end_source(void)
{
	CHECK(sys_handle_close(source).error == ERR_OK);
	object_reap();
}

// Every CPU has been quiescent: the memory of what has ended goes.
static void free_memory(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		atomic_fetch_add(&cpus[i].quiescent, 1);
	host_cpu = &cpus[1];
	object_reap();
	host_cpu = &cpus[0];
}

static void make_timer(void)
{
	struct syscall_result made = sys_timer_object_create(target_handle, 1);

	CHECK(made.error == ERR_OK);
	source = made.value;
}

static void make_interrupt(void)
{
	struct syscall_result made = sys_interrupt_create(HANDLE_SELF, LINE, 0);

	CHECK(made.error == ERR_OK);
	source = made.value;
	CHECK(sys_interrupt_bind(source, target_handle, 1).error == ERR_OK);
}

static bool nothing_armed(unsigned cpu)
{
	return cpus[cpu].timeouts.first == NULL;
}

// CPU 2 expires a periodic timer that CPU 0 sets anew, waiting for it.
static void set_while_it_expires(void (*meanwhile)(void), enum error wanted)
{
	host_cpu = &cpus[2];
	CHECK(sys_timer_set(source, 0, PERIOD).error == ERR_OK);
	start_signal(expire_timer);
	host_cpu = &cpus[0];
	while_waiting = meanwhile;
	CHECK(sys_timer_set(source, FAR, FAR).error == wanted);
	CHECK(nothing_armed(2));
}

// --- Timers

static void check_armed_by_the_last(void)
{
	let_signaller_end();
	CHECK(nothing_armed(2));
}

static void test_set_while_it_expires(void)
{
	make_timer();
	set_while_it_expires(check_armed_by_the_last, ERR_OK);
	CHECK(timeout_next() == FAR);
	end_source();
	CHECK(nothing_armed(0));
}

static void stay_in_other_signal(void)
{
	sem_post(&other_is_signalling);
	sem_wait(&other_may_go_on);
}

static void *set_and_expire(void *unused)
{
	host_cpu = &cpus[1];
	CHECK(sys_timer_set(source, 0, PERIOD).error == ERR_OK);
	while_signalling = stay_in_other_signal;
	timeout_run(host_time);
	return unused;
}

// Who waited goes on when what another one has armed expires in turn.
static void set_in_between(void)
{
	let_signaller_end();
	start(&other, set_and_expire);
	sem_wait(&other_is_signalling);
}

static void test_set_twice_while_it_expires(void)
{
	make_timer();
	set_while_it_expires(set_in_between, ERR_OK);
	CHECK(nothing_armed(0));
	sem_post(&other_may_go_on);
	pthread_join(other, NULL);
	CHECK(nothing_armed(0) && !nothing_armed(1));
	end_source();
	CHECK(nothing_armed(1));
}

static void end_in_between(void)
{
	let_signaller_end();
	host_cpu = &cpus[1];
	end_source();
	host_cpu = &cpus[0];
}

static void test_set_when_it_has_ended(void)
{
	make_timer();
	set_while_it_expires(end_in_between, ERR_BAD_HANDLE);
	CHECK(nothing_armed(0));
	free_memory();
}

static void say_it_has_come(void)
{
	sem_post(&has_come);
}

static void *set_on_other_cpu(void *unused)
{
	host_cpu = &cpus[1];
	while_waiting = say_it_has_come;
	CHECK(sys_timer_set(source, FAR, 0).error == ERR_OK);
	say_it_has_come();
	return unused;
}

static void set_elsewhere(void)
{
	struct cpu *self = host_cpu;

	host_cpu = &cpus[2];
	spin_unlock(&cpus[2].timeouts.lock);
	host_cpu = self;
	start(&other, set_on_other_cpu);
	sem_wait(&has_come);
}

// CPU 0 waits to take it out of CPU 2's queue when CPU 1 sets it too: one of the two has armed it in the end.
static void test_set_while_it_is_taken_out(void)
{
	make_timer();
	host_cpu = &cpus[2];
	CHECK(sys_timer_set(source, FAR, 0).error == ERR_OK);
	spin_lock(&cpus[2].timeouts.lock);
	host_cpu = &cpus[0];
	while_waiting = set_elsewhere;
	CHECK(sys_timer_set(source, FAR, 0).error == ERR_OK);
	pthread_join(other, NULL);
	while (sem_trywait(&has_come) == 0)
		;
	CHECK(nothing_armed(2) && nothing_armed(0) != nothing_armed(1));
	end_source();
	free_memory();
}

// --- Interrupts

static void *end_on_other_cpu(void *unused)
{
	host_cpu = &cpus[1];
	while_waiting = say_it_has_come;
	end_source();
	say_it_has_come();
	return unused;
}

// Who waits for the lock goes on when the object has ended.
static void end_before_the_lock(void)
{
	start(&other, end_on_other_cpu);
	sem_wait(&has_come);
	let_signaller_end();
	pthread_join(other, NULL);
	while (sem_trywait(&has_come) == 0)
		;
}

static void test_raise_when_it_has_ended(void)
{
	make_interrupt();
	start_signal(raise_line);
	signals = 0;
	while_waiting = end_before_the_lock;
	interrupt_raise(LINE);
	CHECK(signals == 0);
	free_memory();
}

static void test_bind_when_it_has_ended(void)
{
	make_interrupt();
	start_signal(raise_line);
	unmasks = 0;
	while_waiting = end_before_the_lock;
	CHECK(sys_interrupt_bind(source, target_handle, 2).error == ERR_BAD_HANDLE);
	CHECK(unmasks == 0);
	free_memory();
}

// A line that the controller does not let anybody have is not touched.
static void test_line_of_no_device(void)
{
	unsigned before = masks;

	CHECK(sys_interrupt_create(HANDLE_SELF, LINE + 1, 0).error == ERR_INVALID_ARGUMENT);
	object_reap();
	CHECK(masks == before);
	make_interrupt();
	CHECK(sys_interrupt_create(HANDLE_SELF, LINE, 0).error == ERR_BUSY);
	object_reap();
	CHECK(masks == before);
	end_source();
	CHECK(masks == before + 1);
}

static void run(void (*test)(void))
{
	unsigned references = target->object.references;

	test();
	CHECK(target->object.references == references);
}

int main(void)
{
	sem_t *semaphores[] = {&is_signalling, &may_go_on, &has_come, &other_is_signalling, &other_may_go_on};

	for (unsigned i = 0; i < sizeof(semaphores) / sizeof(semaphores[0]); i++)
		CHECK(sem_init(semaphores[i], 0, 0) == 0);
	core_machine_start(3);
	thread_current()->process->account = &root_account;
	host_time = 1;
	target = make_object(OBJECT_NOTIFICATION, &root_account);
	object_get(&target->object);
	CHECK(capability_install_new(&target->object, RIGHTS_ALL, &target_handle) == ERR_OK);
	run(test_set_while_it_expires);
	run(test_set_twice_while_it_expires);
	run(test_set_when_it_has_ended);
	run(test_set_while_it_is_taken_out);
	run(test_raise_when_it_has_ended);
	run(test_bind_when_it_has_ended);
	run(test_line_of_no_device);
	return 0;
}
