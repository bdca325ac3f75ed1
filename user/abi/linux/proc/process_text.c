// SPDX-License-Identifier: MIT
//
// The contents of the files of /proc that are about a process.

#include <linux/files/table.h>
#include <linux/memory/memory.h>
#include <linux/memory/span.h>
#include <linux/proc/subject.h>
#include <linux/proc/text.h>
#include <linux/time/clock.h>

#include <runtime/system_calls.h>
#include <stdlib.h>
#include <string.h>

#define STRINGS_MAX ((size_t)128 * 1024) // of a command line or an environment

static uint64_t ticks(uint64_t nanoseconds)
{
	return nanoseconds / (NANOSECONDS_PER_SECOND / LINUX_CLOCK_TICKS);
}

// Adds bytes of the process's memory, as far as they can be read.
static void add_strings(
	struct text *text, const struct subject *subject, guest_address_t start, guest_address_t end)
{
	size_t length = end > start ? end - start : 0;

	if (length > STRINGS_MAX)
		length = STRINGS_MAX;
	char *bytes = malloc(length + 1);
	struct span span = {.space = subject->memory->space, .address = start, .length = length};
	if (!bytes)
		text->failed = true;
	else if (!span_read(span, bytes, length))
		text_add_bytes(text, bytes, length);
	free(bytes);
}

void text_process_cmdline(struct text *text, const struct subject *subject)
{
	if (subject->memory)
		add_strings(text, subject, subject->memory->arguments, subject->memory->environment);
}

void text_process_environ(struct text *text, const struct subject *subject)
{
	if (subject->memory)
		add_strings(text, subject, subject->memory->environment, subject->memory->strings_end);
}

void text_process_comm(struct text *text, const struct subject *subject)
{
	text_add(text, "%s\n", subject->name);
}

// Calls `visit` for each mapping.
static void each_mapping(const struct subject *subject,
	void (*visit)(const struct mapping_info *mapping, void *context), void *context)
{
	struct mapping_info mapping;
	guest_address_t address = 0;

	if (!subject->memory)
		return;
	while (address_space_query(subject->memory->space, address, &mapping) == ERR_OK) {
		visit(&mapping, context);
		address = mapping.address + mapping.length;
	}
}

static void add_mapping(const struct mapping_info *mapping, void *context)
{
	text_add(context, "%08lx-%08lx %c%c%c%c %08lx 00:00 0\n", (unsigned long)mapping->address,
		(unsigned long)(mapping->address + mapping->length),
		mapping->flags & MAPPING_READ ? 'r' : '-', mapping->flags & MAPPING_WRITE ? 'w' : '-',
		mapping->flags & MAPPING_EXECUTE ? 'x' : '-', mapping->flags & MAPPING_SHARED ? 's' : 'p',
		(unsigned long)mapping->offset);
}

void text_process_maps(struct text *text, const struct subject *subject)
{
	each_mapping(subject, add_mapping, text);
}

void text_process_mounts(struct text *text, const struct subject *subject)
{
	(void)subject;
	text_add(text, "root / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
}

static void add_length(const struct mapping_info *mapping, void *context)
{
	if (mapping->flags & MAPPING_READ)
		*(uint64_t *)context += mapping->length;
}

static unsigned long mapped_bytes(const struct subject *subject)
{
	uint64_t total = 0;

	each_mapping(subject, add_length, &total);
	return total;
}

// The fields up to resident pages, then those that are all zero here.
void text_process_stat(struct text *text, const struct subject *subject)
{
	text_add(text, "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0", subject->id, subject->name, subject->state,
		subject->parent, subject->group, subject->session);
	text_add(text, " %lu 0 %lu 0 20 0 %u 0 %lu %lu 0", (unsigned long)ticks(subject->cpu_time),
		(unsigned long)ticks(subject->children_time), subject->threads,
		(unsigned long)ticks(subject->start_time), mapped_bytes(subject));
	for (unsigned field = 25; field <= 52; field++)
		text_add(text, " 0");
	text_add(text, "\n");
}

void text_process_statm(struct text *text, const struct subject *subject)
{
	text_add(text, "%lu 0 0 0 0 0 0\n", mapped_bytes(subject) / PAGE_SIZE);
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	default:
		return "zombie";
	}
}

void text_process_status(struct text *text, const struct subject *subject)
{
	const struct credentials *ids = &subject->credentials;

	text_add(text, "Name:\t%s\nUmask:\t0022\nState:\t%c (%s)\n", subject->name, subject->state,
		state_name(subject->state));
	text_add(text, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", subject->id, subject->id,
		subject->parent);
	text_add(text, "Uid:\t%u\t%u\t%u\t%u\n", ids->real_user, ids->effective_user, ids->saved_user,
		ids->effective_user);
	text_add(text, "Gid:\t%u\t%u\t%u\t%u\n", ids->real_group, ids->effective_group, ids->saved_group,
		ids->effective_group);
	text_add(text, "VmSize:\t%8lu kB\nThreads:\t%u\n", mapped_bytes(subject) / 1024, subject->threads);
}
