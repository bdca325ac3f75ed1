// SPDX-License-Identifier: MIT
//
// A reader of flattened device trees (Devicetree Specification v0.4, chapter 5). Every offset in the blob is
// checked.

#ifndef KERNEL_FDT_H
#define KERNEL_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_SIZE_LIMIT (2u << 20) // of a blob: what the AArch64 boot protocol allows

struct fdt {
	const uint8_t *structure;
	const char *strings;
	uint32_t structure_size;
	uint32_t strings_size;
	const uint8_t *blob;
	uint32_t total_size;
};

// A node: the offset of its FDT_BEGIN_NODE token. FDT_NONE: none.
typedef int32_t fdt_node;
#define FDT_NONE ((fdt_node)-1)

struct fdt_property {
	const void *data;
	uint32_t length;
};

bool fdt_open(struct fdt *fdt, const void *blob);
fdt_node fdt_root(const struct fdt *fdt);
fdt_node fdt_first_child(const struct fdt *fdt, fdt_node node);
fdt_node fdt_next_sibling(const struct fdt *fdt, fdt_node node);
fdt_node fdt_parent(const struct fdt *fdt, fdt_node node);
// By absolute path, unit addresses optional ("/cpus", "/memory"); aliases are not resolved.
fdt_node fdt_find_path(const struct fdt *fdt, const char *path);
fdt_node fdt_find_phandle(const struct fdt *fdt, uint32_t phandle);
// The next node after `previous` (FDT_NONE: from the start), in depth-first order, one of whose "compatible"
// strings is `compatible`.
fdt_node fdt_find_compatible(const struct fdt *fdt, fdt_node previous, const char *compatible);
const char *fdt_name(const struct fdt *fdt, fdt_node node);
bool fdt_get(const struct fdt *fdt, fdt_node node, const char *name, struct fdt_property *property);
bool fdt_get_u32(const struct fdt *fdt, fdt_node node, const char *name, uint32_t *value);
const char *fdt_get_string(
	const struct fdt *fdt, fdt_node node, const char *name); // NULL: none, or not terminated
bool fdt_is_compatible(const struct fdt *fdt, fdt_node node, const char *compatible);
// Entry `index` of "reg", by the parent's #address-cells and #size-cells, translated through "ranges" of the
// buses above.
bool fdt_get_reg(const struct fdt *fdt, fdt_node node, unsigned index, uint64_t *address, uint64_t *size);
// Entry `index` of the memory reservation block.
bool fdt_get_reservation(const struct fdt *fdt, unsigned index, uint64_t *address, uint64_t *size);
uint32_t fdt_cells_u32(const struct fdt_property *property, unsigned cell); // 0 past the end

#endif
