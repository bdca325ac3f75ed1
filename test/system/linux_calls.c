// SPDX-License-Identifier: MIT
//
// A static glibc program that asks the Linux personality for what programs use of processes, threads, signals,
// memory and files.

#define _GNU_SOURCE
#include "linux_check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1 << 20)
#define MANY     100

// The status of a child once it has ended, or -1.
static int status_of(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status)
										     : -1;
}

// --- Processes

static void forks_one_after_the_other(void)
{
	for (int i = 0; i < MANY; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(i & 127);
		EXPECT(status_of(child) == (i & 127));
	}
}

static void forks_alive_at_once(void)
{
	pid_t children[MANY];
	int gate[2];
	char byte;

	EXPECT(pipe(gate) == 0);
	for (int i = 0; i < MANY; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(gate[1]);
			_exit(read(gate[0], &byte, 1) == 0 ? 5 : 6);
		}
		EXPECT(children[i] > 0);
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < MANY; i++)
		EXPECT(status_of(children[i]) == 5);
}

static void vfork_shares_memory(void)
{
	volatile int shared = 0;
	pid_t child = vfork();

	if (child == 0) {
		shared = 1;
		_exit(5);
	}
	EXPECT(status_of(child) == 5 && shared == 1);
}

static void pausing_children_are_killed(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(pause());
	EXPECT(waitpid(child, &status, WNOHANG) == 0);
	EXPECT(kill(child, SIGTERM) == 0);
	EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void orphans_are_adopted(void)
{
	pid_t parent;
	int pipes[2];

	EXPECT(pipe(pipes) == 0);
	parent = fork();
	if (parent == 0) {
		pid_t self = getpid();

		if (fork() == 0) {
			while ((parent = getppid()) == self)
				pause_for(1);
			_exit(write(pipes[1], &parent, sizeof(parent)) != sizeof(parent));
		}
		_exit(0);
	}
	EXPECT(status_of(parent) == 0);
	EXPECT(read(pipes[0], &parent, sizeof(parent)) == sizeof(parent) && parent == 1);
	close(pipes[0]);
	close(pipes[1]);
}

static void programs_are_executed(void)
{
	char line[10];
	FILE *output = popen("/bin/busybox echo hi; exit 3", "r");

	EXPECT(output && fgets(line, sizeof(line), output) && strcmp(line, "hi\n") == 0);
	EXPECT(WEXITSTATUS(pclose(output)) == 3);
	EXPECT(WEXITSTATUS(system("exit 9")) == 9);
	EXPECT(execl("/nonexistent", "x", NULL) == -1 && errno == ENOENT);
	EXPECT(execl("/tmp", "x", NULL) == -1 && errno == EACCES);
}

// --- Threads

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static __thread int own_counter;

static void *count(void *argument)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		own_counter++;
	}
	return own_counter == 5000 ? argument : NULL;
}

static void threads_exclude_each_other(void)
{
	pthread_t threads[8];
	void *result, *given = &counter;

	for (int i = 0; i < 8; i++)
		EXPECT(pthread_create(&threads[i], NULL, count, given) == 0);
	for (int i = 0; i < 8; i++)
		EXPECT(pthread_join(threads[i], &result) == 0 && result == given);
	EXPECT(counter == 8 * 5000);
}

static _Noreturn void add_floats(int seed)
{
	double first = seed, second = seed + 0.5, third = seed + 0.25;

	for (int i = 0; i < 3000; i++) {
		first += 1;
		second += 2;
		third += 3;
		syscall(SYS_getppid);
	}
	_exit(first == seed + 3000 && second == seed + 6000.5 && third == seed + 9000.25 ? 5 : 6);
}

static void floats_survive_system_calls(void)
{
	pid_t children[6];

	for (int i = 0; i < 6; i++) {
		children[i] = fork();
		if (children[i] == 0)
			add_floats(i);
	}
	for (int i = 0; i < 6; i++)
		EXPECT(status_of(children[i]) == 5);
}

// --- Signals

static sigjmp_buf after_fault;
static volatile int fault_signal, signals;
static void *volatile fault_address;
static volatile uintptr_t fault_stack;

static void on_fault(int number, siginfo_t *information, void *context)
{
	(void)context;
	fault_signal = number;
	fault_address = information->si_addr;
	fault_stack = (uintptr_t)__builtin_frame_address(0);
	siglongjmp(after_fault, 1);
}

static void faults_are_signals_on_their_own_stack(void)
{
	static char stack[65536];
	stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	EXPECT(sigaltstack(&own, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
	for (uintptr_t address = PAGE; address < PAGE + 32; address += 8) {
		fault_signal = 0;
		if (sigsetjmp(after_fault, 1) == 0)
			*(volatile int *)address = 1;
		EXPECT(fault_signal == SIGSEGV && fault_address == (void *)address);
		EXPECT(fault_stack > (uintptr_t)stack && fault_stack < (uintptr_t)stack + sizeof(stack));
	}
	signal(SIGSEGV, SIG_DFL);
}

static volatile double handler_result;

static void on_signal(int number)
{
	double value = number;

	for (int i = 0; i < 50; i++)
		value = value * 1.5 + 0.25;
	handler_result = value;
	signals++;
}

static void signals_interrupt_or_restart(void)
{
	struct sigaction interrupts = {.sa_handler = on_signal};
	struct sigaction restarts = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pid_t parent = getpid(), child;
	int pipes[2], go[2];
	char byte;

	EXPECT(sigaction(SIGUSR1, &interrupts, NULL) == 0 && sigaction(SIGUSR2, &restarts, NULL) == 0);
	EXPECT(pipe(pipes) == 0 && pipe(go) == 0);
	signals = 0;
	child = fork();
	if (child == 0) {
		// Until it is noticed: it may come before the parent reads.
		do
			kill(parent, SIGUSR1);
		while (poll(&(struct pollfd){.fd = go[0], .events = POLLIN}, 1, 20) == 0);
		pause_for(50);
		kill(parent, SIGUSR2);
		pause_for(50);
		_exit(write(pipes[1], "x", 1) != 1);
	}
	EXPECT(read(pipes[0], &byte, 1) == -1 && errno == EINTR && signals > 0);
	EXPECT(write(go[1], "", 1) == 1);
	signals = 0;
	while (read(pipes[0], &byte, 1) == -1)
		EXPECT(errno == EINTR);
	EXPECT(byte == 'x' && signals > 0 && status_of(child) == 0);
	for (int i = 0; i < 2; i++)
		close(pipes[i]), close(go[i]);
}

static void handlers_leave_floats_alone(void)
{
	volatile double factor = 3.25;
	double product = factor * 2;

	signals = 0;
	EXPECT(raise(SIGUSR2) == 0 && signals == 1 && product == 6.5);
}

static void signals_are_blocked_and_waited_for(void)
{
	struct timespec second = {1, 0};
	sigset_t set, old, pending;
	siginfo_t information;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signals = 0;
	EXPECT(sigprocmask(SIG_BLOCK, &set, &old) == 0 && raise(SIGUSR1) == 0 && signals == 0);
	EXPECT(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
	EXPECT(sigtimedwait(&set, &information, &second) == SIGUSR1 && information.si_pid == getpid());
	EXPECT(raise(SIGUSR1) == 0 && sigsuspend(&old) == -1 && signals == 1);
	EXPECT(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
}

// --- Memory

static void shared_memory_is_shared(void)
{
	int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	EXPECT(shared != MAP_FAILED);
	child = fork();
	if (child == 0) {
		*shared = 77;
		_exit(0);
	}
	EXPECT(status_of(child) == 0 && *shared == 77 && munmap(shared, PAGE) == 0);
}

static void mappings_grow_and_are_dropped(void)
{
	char *memory = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(memory != MAP_FAILED);
	memory[0] = 1;
	memory[MEBIBYTE - 1] = 2;
	memory = mremap(memory, MEBIBYTE, 4 * MEBIBYTE, MREMAP_MAYMOVE);
	EXPECT(memory != MAP_FAILED && memory[0] == 1 && memory[MEBIBYTE - 1] == 2 &&
		memory[2 * MEBIBYTE] == 0);
	EXPECT(madvise(memory, PAGE, MADV_DONTNEED) == 0 && memory[0] == 0);
	EXPECT(munmap(memory, 4 * MEBIBYTE) == 0);
}

// A file of three pages, of a's, b's and c's.
static int make_file(void)
{
	char page[PAGE];
	int file = open("/tmp/pages", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (char letter = 'a'; file >= 0 && letter <= 'c'; letter++) {
		memset(page, letter, sizeof(page));
		if (write(file, page, sizeof(page)) != sizeof(page))
			return -1;
	}
	return file;
}

static void private_mappings_leave_the_file_alone(void)
{
	int file = make_file();
	char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	char byte;

	EXPECT(file >= 0 && memory != MAP_FAILED && memory[0] == 'a' && memory[2 * PAGE] == 'c');
	memory[0] = 'x';
	EXPECT(pread(file, &byte, 1, 0) == 1 && byte == 'a');
	EXPECT(munmap(memory, 3 * PAGE) == 0 && close(file) == 0);
}

// What can only be read is shared by forks; it becomes private when it is made writable.
static void read_only_mappings_become_writable(int protection)
{
	int file = make_file();
	char *memory = mmap(NULL, 3 * PAGE, protection, MAP_PRIVATE, file, 0);
	char byte;
	pid_t child;

	EXPECT(file >= 0 && memory != MAP_FAILED);
	child = fork();
	if (child == 0) {
		if (mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE) || memory[PAGE] != 'b')
			_exit(1);
		memory[PAGE] = 'y';
		_exit(0);
	}
	EXPECT(status_of(child) == 0);
	EXPECT(mprotect(memory, 3 * PAGE, PROT_READ | PROT_WRITE) == 0);
	EXPECT(memory[0] == 'a' && memory[PAGE] == 'b' && memory[2 * PAGE] == 'c');
	memory[PAGE] = 'x';
	EXPECT(pread(file, &byte, 1, PAGE) == 1 && byte == 'b');
	child = fork();
	if (child == 0)
		_exit(memory[PAGE]);
	EXPECT(status_of(child) == 'x' && munmap(memory, 3 * PAGE) == 0 && close(file) == 0);
}

static void read_only_file_becomes_writable(void)
{
	read_only_mappings_become_writable(PROT_READ);
}

static void inaccessible_file_becomes_writable(void)
{
	read_only_mappings_become_writable(PROT_NONE);
}

static void constants_become_writable(void)
{
	static const volatile char constants[2 * PAGE] = {[PAGE] = 'c'};
	uintptr_t page = ((uintptr_t)constants + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	pid_t child = fork();

	if (child == 0) {
		if (mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) != 0)
			_exit(1);
		*(volatile char *)page = 'x';
		_exit(constants[page - (uintptr_t)constants]);
	}
	EXPECT(status_of(child) == 'x' && *(volatile char *)page != 'x');
}

static void holes_cannot_be_protected(void)
{
	char *memory = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(memory != MAP_FAILED && munmap(memory + PAGE, PAGE) == 0);
	EXPECT(mprotect(memory, 3 * PAGE, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM);
	EXPECT(munmap(memory, 3 * PAGE) == 0);
}

// --- Files and time

static void files_grow_and_shrink(void)
{
	static char data[MEBIBYTE];
	struct stat status;
	int file = open("/tmp/big", O_RDWR | O_CREAT | O_TRUNC, 0600);

	EXPECT(file >= 0);
	memset(data, 7, sizeof(data));
	for (int i = 0; i < 4; i++)
		EXPECT(write(file, data, sizeof(data)) == sizeof(data));
	EXPECT(pread(file, data, 100, 3 * MEBIBYTE + 5) == 100 && data[99] == 7);
	EXPECT(ftruncate(file, 10) == 0 && fstat(file, &status) == 0 && status.st_size == 10);
	EXPECT(unlink("/tmp/big") == 0 && close(file) == 0);
}

static void bad_arguments_are_errors(void)
{
	char byte, *volatile nowhere = (char *)1;

	EXPECT(read(9999, &byte, 1) == -1 && errno == EBADF);
	EXPECT(write(1, nowhere, 5) == -1 && errno == EFAULT);
	EXPECT(open(nowhere, O_RDONLY) == -1 && errno == EFAULT);
	EXPECT(syscall(9999) == -1 && errno == ENOSYS);
}

static void pipes_carry_answers(void)
{
	int to[2], from[2];
	pid_t child;
	char byte;

	EXPECT(pipe(to) == 0 && pipe(from) == 0);
	child = fork();
	if (child == 0) {
		close(to[1]);
		while (read(to[0], &byte, 1) == 1)
			if (write(from[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(to[0]);
	for (int i = 0; i < 500; i++) {
		byte = (char)i;
		EXPECT(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1 && byte == (char)i);
	}
	close(to[1]);
	EXPECT(status_of(child) == 0);
	close(from[0]);
	close(from[1]);
}

static void sleeping_and_polling_take_their_time(void)
{
	struct timespec before, after;
	int pipes[2];

	EXPECT(pipe(pipes) == 0 && clock_gettime(CLOCK_MONOTONIC, &before) == 0);
	pause_for(50);
	EXPECT(poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, 50) == 0);
	EXPECT(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
	EXPECT((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 100000000);
	EXPECT(write(pipes[1], "y", 1) == 1);
	EXPECT(poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, -1) == 1);
	close(pipes[0]);
	close(pipes[1]);
}

static const struct check checks[] = {
	CHECK(forks_one_after_the_other),
	CHECK(forks_alive_at_once),
	CHECK(vfork_shares_memory),
	CHECK(pausing_children_are_killed),
	CHECK(orphans_are_adopted),
	CHECK(programs_are_executed),
	CHECK(threads_exclude_each_other),
	CHECK(floats_survive_system_calls),
	CHECK(faults_are_signals_on_their_own_stack),
	CHECK(signals_interrupt_or_restart),
	CHECK(handlers_leave_floats_alone),
	CHECK(signals_are_blocked_and_waited_for),
	CHECK(shared_memory_is_shared),
	CHECK(mappings_grow_and_are_dropped),
	CHECK(private_mappings_leave_the_file_alone),
	CHECK(read_only_file_becomes_writable),
	CHECK(inaccessible_file_becomes_writable),
	CHECK(constants_become_writable),
	CHECK(holes_cannot_be_protected),
	CHECK(files_grow_and_shrink),
	CHECK(bad_arguments_are_errors),
	CHECK(pipes_carry_answers),
	CHECK(sleeping_and_polling_take_their_time),
};

int main(void)
{
	return run_checks(checks, sizeof(checks) / sizeof(checks[0]));
}
