// SPDX-License-Identifier: MIT
//
// The frame allocator and its caches on several CPUs at once. Nobody gets what another has, and in the end all is free again.

#include "machine.h"
#include "on_cpus.h"
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <stdlib.h>

#define CPUS   4
#define ROUNDS 20000
#define KEPT   200

static void allocate_and_release(unsigned cpu, unsigned *seed)
{
	paddr_t kept[KEPT];

	for (unsigned i = 0; i < KEPT; i++)
		kept[i] = PADDR_NONE;
	for (unsigned i = 0; i < ROUNDS; i++) {
		paddr_t *place = &kept[(unsigned)rand_r(seed) % KEPT];

		if (*place == PADDR_NONE) {
			*place = frame_allocate();
			if (*place != PADDR_NONE)
				*(unsigned *)phys_to_virt(*place) = cpu;
		} else {
			CHECK(*(unsigned *)phys_to_virt(*place) == cpu);
			frame_release(*place);
			*place = PADDR_NONE;
		}
	}
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i] != PADDR_NONE)
			frame_release(kept[i]);
	frame_trim();
}

int main(void)
{
	uint64_t before;

	machine_start(4);
	cpu_count = CPUS;
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].index = i;
		cpus[i].online = true;
	}
	before = frame_free();
	on_cpus(CPUS, allocate_and_release);
	CHECK(frame_free() == before);
	return 0;
}
