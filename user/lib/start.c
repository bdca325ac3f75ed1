// SPDX-License-Identifier: MIT
//
// From the entry point to main: finds out what the program was given and starts the C library.

#include <elf.h>
#include <runtime/arch.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <string.h>

int main(int argument_count, char **arguments, char **environment);
int __libc_start_main(int (*start)(int, char **, char **), int argument_count, char **vector);
_Noreturn void runtime_start(const uint64_t *given);

#define NO_RELOCATION 0 // a place that the linker has left empty, on every ISA

#define HIDDEN __attribute__((visibility("hidden"))) // so that they are found without a table of addresses
extern const Elf64_Ehdr __ehdr_start HIDDEN;
extern const Elf64_Dyn _DYNAMIC[] HIDDEN;

// Marks the file as a native program: see elf_is_native.
static const struct {
	Elf64_Nhdr header;
	char owner[8];
	uint32_t version;
} note __attribute__((section(".note.tern"), used, aligned(4))) = {
	.header = {.n_namesz = 5, .n_descsz = 4, .n_type = 1},
	.owner = "Tern",
	.version = 1,
};

static const struct start_block *block;
static const struct boot_info *boot;

const struct start_block *start_block(void)
{
	return block;
}

const struct boot_info *boot_info(void)
{
	return boot;
}

handle_t start_handle(const char *name)
{
	for (size_t i = 0; i < block->handle_count; i++)
		if (strncmp(block->handles[i].name, name, NAME_LENGTH) == 0)
			return block->handles[i].handle;
	return HANDLE_NONE;
}

// The block of the first program, which has no parent to make one.
static const struct start_block *first_block(const struct boot_info *info)
{
	static char name[] = "init";
	static struct start_block first;
	static uint64_t vector[16], random[2];

	uint64_t words[] = {
		(uintptr_t)name,
		0,
		0,
		AT_PAGESZ,
		PAGE_SIZE,
		AT_PHDR,
		(uintptr_t)&__ehdr_start + __ehdr_start.e_phoff,
		AT_PHENT,
		__ehdr_start.e_phentsize,
		AT_PHNUM,
		__ehdr_start.e_phnum,
		AT_RANDOM,
		(uintptr_t)random,
		AT_NULL,
		0,
	};
	random_get(random, sizeof(random));
	memcpy(vector, words, sizeof(words));
	first = (struct start_block){
		.magic = START_MAGIC,
		.message_buffer = info->message_buffer,
		.argument_count = 1,
		.vector = (uintptr_t)vector,
		.handle_count = 2,
		.handles = {{START_ACCOUNT, info->account}, {START_LOG, info->resources[RESOURCE_LOG]}},
	};
	return &first;
}

// Programs are linked for address 0 and run anywhere: adds where this one is to the addresses in its data. Nothing that has
// such an address is used before.
static void relocate(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;
	const Elf64_Rela *relocation = NULL;
	size_t count = 0;
	for (const Elf64_Dyn *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_RELA)
			relocation = (const Elf64_Rela *)(base + entry->d_un.d_ptr);
		else if (entry->d_tag == DT_RELASZ)
			count = entry->d_un.d_val / sizeof(*relocation);
	}
	for (; count > 0; count--, relocation++) {
		if (ELF64_R_TYPE(relocation->r_info) == ARCH_ELF_RELATIVE)
			*(uint64_t *)(base + relocation->r_offset) = base + (uint64_t)relocation->r_addend;
		else if (ELF64_R_TYPE(relocation->r_info) != NO_RELOCATION)
			__builtin_trap();
	}
}

// Constants with addresses in them are as constant from now on as all others.
static void protect_constants(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
	for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
		uint64_t start = segments[i].p_vaddr & ~(PAGE_SIZE - 1);
		uint64_t end = (segments[i].p_vaddr + segments[i].p_memsz) & ~(PAGE_SIZE - 1);
		if (segments[i].p_type == PT_GNU_RELRO && start < end)
			address_space_protect(HANDLE_SELF, base + start, end - start, MAPPING_READ);
	}
}

static int start_main(int argument_count, char **arguments, char **environment)
{
	runtime_message_buffer = (struct message_buffer *)block->message_buffer;
	return main(argument_count, arguments, environment);
}

_Noreturn void runtime_start(const uint64_t *given)
{
	relocate();
	protect_constants();
	if (*given == BOOT_MAGIC) {
		boot = (const struct boot_info *)given;
		block = first_block(boot);
	} else {
		block = (const struct start_block *)given;
	}
	__libc_start_main(start_main, (int)block->argument_count, (char **)block->vector);
	__builtin_unreachable();
}
