// SPDX-License-Identifier: MIT
//
// Text that grows, and the contents of the files of /proc that are about the system.

#include <linux/proc/text.h>

#include <linux/interface/time.h>
#include <linux/system/machine.h>
#include <linux/time/clock.h>

#include <runtime/format.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HUNDREDTH (NANOSECONDS_PER_SECOND / 100)

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (text->size - text->length < length) {
		size_t size = 2 * (text->length + length);
		char *grown = realloc(text->bytes, size);

		if (!grown) {
			text->failed = true;
			return;
		}
		text->bytes = grown;
		text->size = size;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_add(struct text *text, const char *format, ...)
{
	char piece[TEXT_PIECE_MAX];
	va_list list;

	va_start(list, format);
	size_t length = format_text_list(piece, sizeof(piece), format, list);
	va_end(list);
	text_add_bytes(text, piece, length);
}

void text_cpuinfo(struct text *text, const struct subject *subject)
{
	uint64_t cpus = machine_cpus();

	(void)subject;
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		if (cpus & ((uint64_t)1 << cpu))
			text_add(text, "processor\t: %u\n\n", cpu);
	}
}

void text_filesystems(struct text *text, const struct subject *subject)
{
	(void)subject;
	text_add(text, "nodev\tproc\nnodev\ttmpfs\n");
}

void text_loadavg(struct text *text, const struct subject *subject)
{
	(void)subject;
	text_add(text, "0.00 0.00 0.00 1/%u 1\n", machine_process_count());
}

void text_meminfo(struct text *text, const struct subject *subject)
{
	struct machine_memory memory = machine_memory();

	(void)subject;
	text_add(text, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
		(unsigned long)memory.total / 1024, (unsigned long)memory.free / 1024,
		(unsigned long)memory.free / 1024);
	text_add(text,
		"Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n");
	text_add(text,
		"SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:                 0 kB\n");
	text_add(text, "Slab:                  0 kB\nSReclaimable:          0 kB\n");
}

void text_stat(struct text *text, const struct subject *subject)
{
	uint64_t ticks = clock_now() / HUNDREDTH;
	uint64_t cpus = machine_cpus();

	(void)subject;
	text_add(text, "cpu  %lu 0 0 0 0 0 0 0 0 0\n", (unsigned long)ticks);
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		if (cpus & ((uint64_t)1 << cpu))
			text_add(text, "cpu%u %lu 0 0 0 0 0 0 0 0 0\n", cpu, (unsigned long)ticks);
	}
	text_add(text, "btime %ld\nprocesses %u\n", (long)time_seconds(clock_wall() - clock_now()),
		machine_process_count());
}

void text_uptime(struct text *text, const struct subject *subject)
{
	uint64_t now = clock_now();

	(void)subject;
	text_add(text, "%ld.%02ld 0.00\n", (long)time_seconds(now),
		(long)(time_nanoseconds(now) / (int64_t)HUNDREDTH));
}

void text_version(struct text *text, const struct subject *subject)
{
	(void)subject;
	text_add(text, "%s version %s %s\n", MACHINE_SYSTEM, MACHINE_RELEASE, MACHINE_VERSION);
}
