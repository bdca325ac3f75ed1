// SPDX-License-Identifier: MIT
//
// Benchmarks: instructions of single operations, counted under QEMU's icount with one CPU.
//
// Each operation is measured in batches after a warm-up. A batch is one loop; an empty loop of the same length that calls an empty
// function of the same shape is subtracted.

#ifndef BENCH_H
#define BENCH_H

#include "../kernel/test.h"
#include <stdint.h>

#define BATCHES 15

// Does an operation `count` times.
typedef void operation(void *context, uint64_t count);

// Runs an operation in batches of `count` and prints its line: bench NAME MIN MEDIAN MAX in tenths of instructions,
// and how many operations were done.
void bench(const char *name, operation *run, void *context, uint64_t count);

// The same for an operation that cannot be in a loop of its own: `run` returns the instructions of `count` of them.
typedef uint64_t timed_operation(void *context, uint64_t count);
void bench_timed(const char *name, timed_operation *run, void *context, uint64_t count);

// The groups, one for each file.
void bench_ipc(void);
void bench_ipc_fpu(void);
void bench_notifications(void);
void bench_interrupts(void);
void bench_memory(void);
void bench_objects(void);
void bench_threads(void);
void bench_guest(void);

// In assembly: a call with four words in registers, whose answer's words are dropped; the value is the error.
uint64_t lean_call(uint64_t endpoint, uint64_t info, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
// Receives, then answers each call with the words that came and `info`, until receiving fails.
uint64_t lean_serve(uint64_t endpoint, uint64_t info);
// Answers the current caller's fault with FAULT_RESUME and receives the next one; the value is the error.
uint64_t lean_answer_fault(uint64_t endpoint);
// Returns.
uint64_t lean_nothing(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

// For set-up code: ends the program with a message if it fails.
#define MUST(condition)                                             \
	do {                                                        \
		if (!(condition))                                   \
			bench_fail(__FILE__, __LINE__, #condition); \
	} while (0)
#define MUST_OK(call) MUST((call) == ERR_OK)
_Noreturn void bench_fail(const char *file, int line, const char *condition);

#endif
