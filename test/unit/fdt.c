// SPDX-License-Identifier: MIT
//
// The device-tree reader: a tree made here is read back; then the blob is damaged in every byte and in many
// random ways, and reading must stay inside it (the address sanitizer watches) and end.

#include <kernel/fdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX      4096
#define RANDOM_ROUNDS 20000

enum {
	BEGIN_NODE = 1,
	END_NODE = 2,
	PROPERTY = 3,
	NOP = 4,
	END = 9,
};

static uint8_t structure[BLOB_MAX], strings[BLOB_MAX];
static uint32_t structure_size, strings_size;
static int failures;

#define CHECK(condition)                                          \
	do {                                                      \
		if (!(condition)) {                               \
			printf("%d: %s\n", __LINE__, #condition); \
			failures++;                               \
		}                                                 \
	} while (0)

// --- Making a blob

static void put_u32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void token(uint32_t value)
{
	put_u32(structure + structure_size, value);
	structure_size += 4;
}

static void bytes(const void *data, size_t length)
{
	memcpy(structure + structure_size, data, length);
	structure_size += (uint32_t)(length + 3) & ~3u;
}

static void begin(const char *name)
{
	token(BEGIN_NODE);
	bytes(name, strlen(name) + 1);
}

static void end(void)
{
	token(END_NODE);
}

static void property(const char *name, const void *data, size_t length)
{
	token(PROPERTY);
	token((uint32_t)length);
	token(strings_size);
	memcpy(strings + strings_size, name, strlen(name) + 1);
	strings_size += (uint32_t)strlen(name) + 1;
	bytes(data, length);
}

static void cells(const char *name, unsigned count, const uint32_t *values)
{
	uint8_t data[64];

	for (unsigned i = 0; i < count; i++)
		put_u32(data + 4 * (size_t)i, values[i]);
	property(name, data, 4 * (size_t)count);
}

#define CELLS(name, ...) \
	cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (const uint32_t[]){__VA_ARGS__})
#define TEXT(name, text) property(name, text, sizeof(text))

static void make_structure(void)
{
	structure_size = strings_size = 0;
	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("cpus");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 0);
	begin("cpu@0");
	CELLS("reg", 0);
	CELLS("phandle", 7);
	end();
	token(NOP);
	begin("cpu@1");
	CELLS("reg", 1);
	end();
	end();
	begin("soc");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	CELLS("ranges", 0x1000, 0x2, 0x1000, 0x1000, 0x8000, 0x4, 0, 0x100);
	TEXT("compatible", "simple-bus");
	begin("serial@1800");
	TEXT("compatible", "maker,uart\0ns16550a");
	CELLS("reg", 0x1800, 0x100, 0x8010, 0x10, 0x8010, 0x1000);
	TEXT("status", "okay");
	property("unterminated", "abc", 3);
	end();
	begin("serial@9000");
	TEXT("compatible", "ns16550a");
	CELLS("reg", 0x9000, 0x100);
	end();
	end();
	begin("memory@80000000");
	CELLS("reg", 0, 0x80000000, 0, 0x10000000, 0xffffffff, 0xfffff000, 0, 0x1001);
	end();
	end();
	token(END);
}

// A blob of exactly its size, from malloc: beyond it the sanitizer is watching.
static uint8_t *make_blob(uint32_t *size)
{
	uint32_t total = 40 + 48 + structure_size + strings_size;
	uint8_t *blob = calloc(1, total);
	const uint32_t header[10] = {
		0xd00dfeed, total, 88, 88 + structure_size, 40, 17, 16, 0, strings_size, structure_size};

	for (size_t i = 0; i < 10; i++)
		put_u32(blob + 4 * i, header[i]);
	put_u32(blob + 44, 0x80000000);
	put_u32(blob + 52, 0x1000);
	put_u32(blob + 60, 0x90000000);
	put_u32(blob + 68, 0x2000);
	memcpy(blob + 88, structure, structure_size);
	memcpy(blob + 88 + structure_size, strings, strings_size);
	*size = total;
	return blob;
}

// --- Reading it

static void check_nodes(const struct fdt *fdt)
{
	fdt_node root = fdt_root(fdt);
	fdt_node cpus = fdt_first_child(fdt, root);
	fdt_node cpu = fdt_first_child(fdt, cpus);
	fdt_node other = fdt_next_sibling(fdt, cpu);
	fdt_node soc = fdt_next_sibling(fdt, cpus);

	CHECK(root != FDT_NONE && fdt_name(fdt, root)[0] == '\0');
	CHECK(strcmp(fdt_name(fdt, cpus), "cpus") == 0 && strcmp(fdt_name(fdt, cpu), "cpu@0") == 0);
	CHECK(strcmp(fdt_name(fdt, other), "cpu@1") == 0 && fdt_next_sibling(fdt, other) == FDT_NONE);
	CHECK(fdt_first_child(fdt, other) == FDT_NONE && fdt_next_sibling(fdt, root) == FDT_NONE);
	CHECK(strcmp(fdt_name(fdt, soc), "soc") == 0);
	CHECK(fdt_parent(fdt, root) == FDT_NONE && fdt_parent(fdt, cpus) == root);
	CHECK(fdt_parent(fdt, other) == cpus && fdt_parent(fdt, soc) == root);
	CHECK(fdt_find_path(fdt, "/") == root && fdt_find_path(fdt, "/cpus/cpu@1") == other);
	CHECK(fdt_find_path(fdt, "/cpus/cpu") == cpu && fdt_find_path(fdt, "/cpus/cp") == FDT_NONE);
	CHECK(fdt_find_path(fdt, "cpus") == FDT_NONE && fdt_find_path(fdt, "/soc/cpu@1") == FDT_NONE);
	CHECK(fdt_find_phandle(fdt, 7) == cpu && fdt_find_phandle(fdt, 8) == FDT_NONE);
	CHECK(fdt_first_child(fdt, FDT_NONE) == FDT_NONE && fdt_name(fdt, cpu + 1)[0] == '\0');
}

static void check_properties(const struct fdt *fdt)
{
	fdt_node serial = fdt_find_compatible(fdt, FDT_NONE, "ns16550a");
	fdt_node second = fdt_find_compatible(fdt, serial, "ns16550a");
	struct fdt_property reg;
	uint32_t value;

	CHECK(strcmp(fdt_name(fdt, serial), "serial@1800") == 0);
	CHECK(strcmp(fdt_name(fdt, second), "serial@9000") == 0);
	CHECK(fdt_find_compatible(fdt, second, "ns16550a") == FDT_NONE);
	CHECK(fdt_is_compatible(fdt, serial, "maker,uart") && !fdt_is_compatible(fdt, serial, "uart"));
	CHECK(strcmp(fdt_get_string(fdt, serial, "status"), "okay") == 0);
	CHECK(fdt_get_string(fdt, serial, "unterminated") == NULL);
	CHECK(fdt_get_string(fdt, serial, "absent") == NULL);
	CHECK(fdt_get_u32(fdt, fdt_root(fdt), "#size-cells", &value) && value == 2);
	CHECK(!fdt_get_u32(fdt, serial, "reg", &value));
	CHECK(fdt_get(fdt, serial, "reg", &reg) && fdt_cells_u32(&reg, 1) == 0x100);
	CHECK(fdt_cells_u32(&reg, 6) == 0 && fdt_cells_u32(&reg, 0x40000000) == 0);
}

static void check_addresses(const struct fdt *fdt)
{
	fdt_node serial = fdt_find_path(fdt, "/soc/serial@1800");
	fdt_node memory = fdt_find_path(fdt, "/memory");
	uint64_t address, size;

	CHECK(fdt_get_reg(fdt, serial, 0, &address, &size) && address == 0x200001800 && size == 0x100);
	CHECK(fdt_get_reg(fdt, serial, 1, &address, &size) && address == 0x400000010 && size == 0x10);
	CHECK(!fdt_get_reg(fdt, serial, 2, &address, &size)); // ends outside its range
	CHECK(!fdt_get_reg(fdt, serial, 3, &address, &size));
	CHECK(!fdt_get_reg(fdt, fdt_find_path(fdt, "/soc/serial@9000"), 0, &address, &size));
	CHECK(!fdt_get_reg(fdt, fdt_find_path(fdt, "/cpus/cpu@1"), 0, &address, &size)); // no ranges
	CHECK(fdt_get_reg(fdt, memory, 0, &address, &size) && address == 0x80000000 && size == 0x10000000);
	CHECK(!fdt_get_reg(fdt, memory, 1, &address, &size)); // wraps around
	CHECK(fdt_get_reservation(fdt, 0, &address, &size) && address == 0x80000000 && size == 0x1000);
	CHECK(fdt_get_reservation(fdt, 1, &address, &size) && address == 0x90000000 && size == 0x2000);
	CHECK(!fdt_get_reservation(fdt, 2, &address, &size));
}

// Everything that the reader can do, whatever it finds.
static void read_all(const uint8_t *blob)
{
	struct fdt_property property;
	uint64_t address, size;
	uint32_t value;
	struct fdt fdt;

	if (!fdt_open(&fdt, blob))
		return;
	for (fdt_node node = -1; node < (fdt_node)fdt.structure_size + 8; node += node < 0 ? 1 : 4) {
		fdt_first_child(&fdt, node);
		fdt_next_sibling(&fdt, node);
		fdt_parent(&fdt, node);
		fdt_get(&fdt, node, "reg", &property);
		fdt_get_u32(&fdt, node, "phandle", &value);
		fdt_get_string(&fdt, node, "status");
		fdt_is_compatible(&fdt, node, "ns16550a");
		fdt_get_reg(&fdt, node, 1, &address, &size);
	}
	fdt_find_path(&fdt, "/soc/serial");
	fdt_find_phandle(&fdt, 7);
	fdt_find_compatible(&fdt, FDT_NONE, "ns16550a");
	for (unsigned i = 0; fdt_get_reservation(&fdt, i, &address, &size); i++)
		;
}

// --- Damage

// The total size stays: it is all that the reader has to believe.
static void damage(uint8_t *blob, uint32_t offset, uint8_t value)
{
	if (offset < 4 || offset >= 8)
		blob[offset] = value;
}

static void check_damaged(const uint8_t *good, uint32_t size)
{
	static const uint8_t values[] = {0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff};
	uint8_t *blob = malloc(size);

	for (uint32_t offset = 0; offset < size; offset++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			memcpy(blob, good, size);
			damage(blob, offset, values[i]);
			read_all(blob);
		}
	}
	// Lengths and offsets that wrap around.
	for (uint32_t offset = 8; offset + 4 <= size; offset += 4) {
		for (uint32_t back = 1; back < 256; back += back < 16 ? 1 : 4) {
			memcpy(blob, good, size);
			put_u32(blob + offset, 0 - back);
			read_all(blob);
		}
	}
	srand(1);
	for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
		memcpy(blob, good, size);
		for (int left = 1 + rand() % 6; left > 0; left--)
			damage(blob, (uint32_t)rand() % (rand() % 4 ? size : 40), (uint8_t)rand());
		read_all(blob);
	}
	free(blob);
}

// Cut off at any length, the blob is refused: its end token or its strings are missing.
static void check_truncated(const uint8_t *good, uint32_t size)
{
	for (uint32_t length = 40; length < size; length++) {
		uint8_t *blob = malloc(length);
		struct fdt fdt;

		memcpy(blob, good, length);
		put_u32(blob + 4, length);
		CHECK(!fdt_open(&fdt, blob));
		free(blob);
	}
}

static void check_depth(void)
{
	for (unsigned depth = 1; depth < 100; depth++) {
		uint32_t size;
		struct fdt fdt;
		uint8_t *blob;

		structure_size = strings_size = 0;
		for (unsigned i = 0; i < depth; i++)
			begin("n");
		for (unsigned i = 0; i < depth; i++)
			end();
		token(END);
		blob = make_blob(&size);
		CHECK(fdt_open(&fdt, blob) == (depth <= 32));
		read_all(blob);
		free(blob);
	}
}

int main(void)
{
	struct fdt fdt;
	uint32_t size;
	uint8_t *blob;

	make_structure();
	blob = make_blob(&size);
	CHECK(fdt_open(&fdt, blob));
	if (!failures) {
		check_nodes(&fdt);
		check_properties(&fdt);
		check_addresses(&fdt);
	}
	check_damaged(blob, size);
	check_truncated(blob, size);
	free(blob);
	check_depth();
	return failures != 0;
}
