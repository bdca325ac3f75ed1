// SPDX-License-Identifier: MIT
//
// A plugin of QEMU's emulator: counts how often each instruction ran and each cache line of kernel data was touched, and how
// many instructions flushed translations. `./tern bench` builds and loads it. It writes lines `i ADDRESS COUNT`,
// `d ADDRESS COUNT` and `f COUNT` to the file that it is given as out=FILE.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The part of QEMU's interface for plugins (version 1) that is used here.
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { ADD_U64 = 0, NO_REGISTERS = 0, READS_AND_WRITES = 3 };
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
extern char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *instruction);
extern void qemu_plugin_register_vcpu_tb_trans_cb(
	uint64_t id, void (*callback)(uint64_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *instruction, int operation, void *counter, uint64_t addend);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
	void (*callback)(unsigned, uint32_t, uint64_t, void *), int flags, int accesses, void *context);
extern void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(uint64_t, void *), void *context);

#define TABLE_SIZE  ((size_t)1 << 20)
#define LINE_SIZE   64
#define KERNEL_HALF ((uint64_t)1 << 63)

struct counter {
	uint64_t address; // 0: unused
	uint64_t count;
};

extern int qemu_plugin_version;
extern int qemu_plugin_install(uint64_t id, const void *info, int count, char **arguments);
int qemu_plugin_version = 1;

static struct counter instructions[TABLE_SIZE], data_lines[TABLE_SIZE];
static uint64_t flushes;
static const char *output = "/dev/stderr";

static uint64_t *find(struct counter *table, uint64_t address)
{
	size_t at = (address * 0x9e3779b97f4a7c15) >> 44;

	while (table[at].address != address && table[at].address != 0)
		at = (at + 1) % TABLE_SIZE;
	table[at].address = address;
	return &table[at].count;
}

static void touch(unsigned cpu, uint32_t what, uint64_t address, void *context)
{
	(void)cpu;
	(void)what;
	(void)context;
	if (address & KERNEL_HALF)
		(*find(data_lines, address & ~(uint64_t)(LINE_SIZE - 1)))++;
}

static bool is_flush(const struct qemu_plugin_insn *instruction)
{
	static const char *const names[] = {"invlpg", "invpcid", ", %cr3", "tlbi", "sfence.vma"};
	char *text = qemu_plugin_insn_disas(instruction);
	bool found = false;

	for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
		found = found || strstr(text, names[i]);
	free(text);
	return found;
}

static void translate(uint64_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
		uint64_t address = qemu_plugin_insn_vaddr(instruction);

		qemu_plugin_register_vcpu_insn_exec_inline(
			instruction, ADD_U64, find(instructions, address), 1);
		if (!(address & KERNEL_HALF))
			continue;
		qemu_plugin_register_vcpu_mem_cb(instruction, touch, NO_REGISTERS, READS_AND_WRITES, NULL);
		if (is_flush(instruction))
			qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_U64, &flushes, 1);
	}
}

static void write_table(FILE *file, char kind, const struct counter *table)
{
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (table[i].count != 0)
			fprintf(file, "%c %llx %llu\n", kind, (unsigned long long)table[i].address,
				(unsigned long long)table[i].count);
}

static void finish(uint64_t id, void *context)
{
	FILE *file = fopen(output, "w");

	(void)id;
	(void)context;
	if (file == NULL)
		return;
	write_table(file, 'i', instructions);
	write_table(file, 'd', data_lines);
	fprintf(file, "f %llu\n", (unsigned long long)flushes);
	fclose(file);
}

int qemu_plugin_install(uint64_t id, const void *info, int count, char **arguments)
{
	(void)info;
	if (count > 0 && strncmp(arguments[0], "out=", 4) == 0)
		output = arguments[0] + 4;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
