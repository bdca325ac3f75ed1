// SPDX-License-Identifier: MIT
//
// What guests are told about the machine and the system, and what they can do to it.

#ifndef SYSTEM_MACHINE_H
#define SYSTEM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <tern/info.h>

// What uname tells. Programs look at the release for what they may expect of a Linux.
#define MACHINE_SYSTEM  "Linux"
#define MACHINE_RELEASE "6.1.0-tern"
#define MACHINE_VERSION "#1 Tern"

// Finds out which CPUs there are: those that a thread can be bound to.
void machine_init(void);

// In bytes.
struct machine_memory {
	uint64_t total;
	uint64_t free;
};
struct machine_memory machine_memory(void);

// Bit n: there is a CPU n.
uint64_t machine_cpus(void);

unsigned machine_process_count(void);

// Ends the machine with a status to report. 0 never comes back; else a negated error.
int64_t machine_shut_down(enum system_power_action action, uint32_t status);

#endif
