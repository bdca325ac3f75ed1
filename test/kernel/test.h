// SPDX-License-Identifier: MIT
//
// Tests of the kernel's system calls, run as a native program on the real kernel.
//
// TEST(name) { ... } defines one; it fails at its first EXPECT that does not hold, but goes on, or ends at a
// REQUIRE. Each test leaves nothing behind: handles and threads are its own to close.

#ifndef TEST_H
#define TEST_H

#include <runtime/ipc.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tern/fault.h>
#include <tern/types.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(test_name)                                                                               \
	static void test_##test_name(void);                                                           \
	static const struct test entry_##test_name                                                    \
		__attribute__((section("tests"), used, aligned(8))) = {#test_name, test_##test_name}; \
	static void test_##test_name(void)

// Records the first failure of the running test.
void test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Prints a line that is no result: figures of a test.
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Whether the tests that have a longer form are to take it.
extern bool test_long;
// Whether instructions are counted instead of time, so that limits of time hold whatever the host does.
extern bool test_counted;
// What random tests start from, as its note says; 0: another one each time.
extern uint64_t test_seed;
// What this random test starts from: never 0. Said before the test begins, lest a panic takes it along.
uint64_t test_random(void);
// The next number below the bound of a random sequence.
uint64_t random_next(uint64_t *state, uint64_t bound);

#define EXPECT(condition)                                                \
	do {                                                             \
		if (!(condition))                                        \
			test_fail(__FILE__, __LINE__, "%s", #condition); \
	} while (0)

#define REQUIRE(condition)                                               \
	do {                                                             \
		if (!(condition)) {                                      \
			test_fail(__FILE__, __LINE__, "%s", #condition); \
			return;                                          \
		}                                                        \
	} while (0)

#define EXPECT_EQUAL(actual, wanted)                                                                         \
	do {                                                                                                 \
		unsigned long long actual_ = (unsigned long long)(actual);                                   \
		unsigned long long wanted_ = (unsigned long long)(wanted);                                   \
		if (actual_ != wanted_)                                                                      \
			test_fail(__FILE__, __LINE__, "%s is %llu (%#llx), not %s = %llu", #actual, actual_, \
				actual_, #wanted, wanted_);                                                  \
	} while (0)

#define EXPECT_OK(call)            EXPECT_EQUAL(call, ERR_OK)
#define EXPECT_ERROR(wanted, call) EXPECT_EQUAL(call, ERR_##wanted)
// Of a call that a thread or a child made: what it gave back.
#define EXPECT_RESULT(wanted, call, result) EXPECT_EQUAL(((void)SYSCALL_NUMBER_##call, result), ERR_##wanted)
#define EXPECT_LACKS(right, call, result) \
	EXPECT_EQUAL(((void)SYSCALL_NUMBER_##call, (void)RIGHT_##right, result), ERR_NO_RIGHTS)
#define REQUIRE_OK(call)                                                                     \
	do {                                                                                 \
		enum error error_ = (call);                                                  \
		if (error_ != ERR_OK) {                                                      \
			test_fail(__FILE__, __LINE__, "%s is error %d", #call, (int)error_); \
			return;                                                              \
		}                                                                            \
	} while (0)

#define MILLISECOND ((uint64_t)1000000)

// The time now, and a deadline that far from now.
uint64_t now(void);
uint64_t after(uint64_t nanoseconds);

// The counts of the system once they stand still: what has just ended may be on its way out on another CPU.
void settled_info(handle_t system, struct system_info *info);
// Waits until the counts are as before, which takes as long as the slowest CPU, and fails if they do not become so.
void expect_as_before(handle_t system, const struct system_info *before, struct system_info *later);

// Fills what the kernel keeps for the next time: kernel stacks and the tables that show them, more than are ever in use at
// once. What is free is then the same before and after anything else. Frames in the caches of the CPUs count as free.
void fill_kept(void);

// A handle of the same object with all rights but some.
handle_t without(handle_t handle, rights_t rights);

// What no user pointer may be: NULL, kernel addresses, unmapped, wrapping. `index` runs until false.
bool bad_pointer(unsigned index, void **pointer);

// Two pages of memory of which only the first is mapped; the last `length` bytes of it, so that anything
// longer straddles into nothing.
void *end_of_page(size_t length);

// --- Threads of this process without the C library: they use system calls only.

struct worker {
	handle_t thread;
	uint64_t stack;
	struct message_buffer *buffer;
};

#define WORKER_STACK (64 * 1024)

// Starts `function(argument)` with a message buffer; returning from it ends the thread with its value as
// status.
bool worker_start(struct worker *worker, uint64_t (*function)(void *argument), void *argument);
// The same with attributes of the caller's: entry, argument and stack are filled in.
bool worker_start_with(struct worker *worker, uint64_t (*function)(void *argument), void *argument,
	struct thread_attributes *attributes);
// Joins it (within a minute) and frees what it had.
uint64_t worker_join(struct worker *worker);
// Frees what a worker had that has ended, or cannot run any more.
void worker_forget(struct worker *worker);
// Waits until a thread is in a state; false after a minute.
bool wait_for_state(handle_t thread, enum thread_state state);
// Waits until another thread has counted so many more; false after a minute.
bool goes_on(const volatile uint64_t *count, uint64_t more);

// --- Child processes: a copy of this program's image in a process of its own.

#define CHILD_GIVEN 4

struct child {
	handle_t process;
	handle_t thread;
	handle_t given[CHILD_GIVEN]; // the values in the child of the handles given
};

// In the child: what it was given, and its message buffer.
extern handle_t child_given[CHILD_GIVEN];
extern struct message_buffer *child_message_buffer;

// `function(argument)` runs in the child, with system calls and global data only; its value is the exit
// status. `given`: handles it gets.
bool child_start(struct child *child, uint64_t (*function)(uint64_t argument), uint64_t argument,
	const handle_t *given, unsigned count);
// The same with a fault endpoint for the child's thread.
bool child_start_watched(struct child *child, uint64_t (*function)(uint64_t argument), uint64_t argument,
	const handle_t *given, unsigned count, handle_t fault_endpoint);
// The same, charged to an account.
bool child_start_in(struct child *child, handle_t account, uint64_t (*function)(uint64_t argument),
	uint64_t argument, const handle_t *given, unsigned count);
// The same, fast: `entry`, which does not return, runs on an image that all such children share, as it was at the first of them.
bool child_start_shared(struct child *child, void (*entry)(uint64_t argument), uint64_t argument);
// Waits for its end (within a minute) and closes its handles.
struct process_info child_wait(struct child *child);

#endif
