// SPDX-License-Identifier: MIT
//
// A reader of flattened device trees (Devicetree Specification v0.4, chapter 5).
//
// fdt_open walks the whole structure block once: what it accepts is well-formed and at most FDT_DEPTH_LIMIT
// nodes deep. A node given by the caller is nevertheless checked again by read_token, which is the only code
// that looks into the structure block.

#include <kernel/fdt.h>

#define FDT_MAGIC      0xd00dfeed
#define FDT_VERSION    17 // the one that this reads; newer ones say that they are compatible with it
#define FDT_COMPATIBLE 16

#define FDT_DEPTH_LIMIT      32
#define FDT_ADDRESS_CELLS    2 // where a node does not say (section 2.3.5)
#define FDT_SIZE_CELLS       1
#define FDT_CELLS_LIMIT      4
#define FDT_RESERVATION_SIZE 16

enum fdt_header {
	HEADER_MAGIC = 0,
	HEADER_TOTAL_SIZE = 4,
	HEADER_STRUCTURE = 8,
	HEADER_STRINGS = 12,
	HEADER_RESERVATIONS = 16,
	HEADER_VERSION = 20,
	HEADER_COMPATIBLE = 24,
	HEADER_STRINGS_SIZE = 32,
	HEADER_STRUCTURE_SIZE = 36,
	HEADER_SIZE = 40,
};

enum fdt_token_kind {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROPERTY = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

struct fdt_token {
	uint32_t kind;
	uint32_t next;    // offset of the token after it
	const char *name; // of a node or property
	struct fdt_property property;
};

static uint32_t read_u32(const void *data)
{
	const uint8_t *bytes = data;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint64_t read_u64(const void *data)
{
	return (uint64_t)read_u32(data) << 32 | read_u32((const uint8_t *)data + 4);
}

// The length of the string at `text` that must end within `limit` bytes; `limit` if it does not.
static uint32_t string_length(const char *text, uint32_t limit)
{
	uint32_t length = 0;

	while (length < limit && text[length] != '\0')
		length++;
	return length;
}

static bool string_equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool inside(uint32_t offset, uint32_t length, uint32_t total)
{
	return offset <= total && length <= total - offset;
}

static bool read_token(const struct fdt *fdt, uint32_t offset, struct fdt_token *token)
{
	const uint8_t *structure = fdt->structure;
	uint32_t size = fdt->structure_size;
	uint32_t length, name;

	if (offset % 4 != 0 || !inside(offset, 4, size))
		return false;
	token->kind = read_u32(structure + offset);
	token->name = NULL;
	offset += 4;

	switch (token->kind) {
	case FDT_BEGIN_NODE:
		token->name = (const char *)structure + offset;
		length = string_length(token->name, size - offset);
		if (length == size - offset)
			return false;
		offset += length + 1;
		break;
	case FDT_PROPERTY:
		if (!inside(offset, 8, size))
			return false;
		length = read_u32(structure + offset);
		name = read_u32(structure + offset + 4);
		offset += 8;
		if (!inside(offset, length, size) || name >= fdt->strings_size ||
			string_length(fdt->strings + name, fdt->strings_size - name) ==
				fdt->strings_size - name)
			return false;
		token->name = fdt->strings + name;
		token->property.data = structure + offset;
		token->property.length = length;
		offset += length;
		break;
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		break;
	default:
		return false;
	}
	token->next = (offset + 3) & ~(uint32_t)3;
	return true;
}

// One root node, every node closed, FDT_END after it.
static bool structure_is_sound(const struct fdt *fdt)
{
	struct fdt_token token;
	unsigned depth = 0;
	bool root_seen = false;

	for (uint32_t offset = 0; read_token(fdt, offset, &token); offset = token.next) {
		switch (token.kind) {
		case FDT_BEGIN_NODE:
			if ((depth == 0 && root_seen) || depth == FDT_DEPTH_LIMIT)
				return false;
			root_seen = true;
			depth++;
			break;
		case FDT_END_NODE:
			if (depth == 0)
				return false;
			depth--;
			break;
		case FDT_PROPERTY:
			if (depth == 0)
				return false;
			break;
		case FDT_END:
			return depth == 0 && root_seen;
		default:
			break;
		}
	}
	return false;
}

bool fdt_open(struct fdt *fdt, const void *blob)
{
	const uint8_t *header = blob;
	uint32_t total, structure, strings;

	if (read_u32(header + HEADER_MAGIC) != FDT_MAGIC || read_u32(header + HEADER_VERSION) < FDT_VERSION ||
		read_u32(header + HEADER_COMPATIBLE) > FDT_COMPATIBLE)
		return false;

	total = read_u32(header + HEADER_TOTAL_SIZE);
	structure = read_u32(header + HEADER_STRUCTURE);
	strings = read_u32(header + HEADER_STRINGS);
	fdt->structure_size = read_u32(header + HEADER_STRUCTURE_SIZE);
	fdt->strings_size = read_u32(header + HEADER_STRINGS_SIZE);
	if (total < HEADER_SIZE || total > FDT_SIZE_LIMIT || !inside(structure, fdt->structure_size, total) ||
		!inside(strings, fdt->strings_size, total))
		return false;

	fdt->blob = header;
	fdt->total_size = total;
	fdt->structure = header + structure;
	fdt->strings = (const char *)header + strings;
	return structure_is_sound(fdt);
}

// The first node at or after `offset`; *closed counts the nodes that end before it.
static fdt_node next_node(const struct fdt *fdt, uint32_t offset, unsigned *closed)
{
	struct fdt_token token;

	*closed = 0;
	for (; read_token(fdt, offset, &token) && token.kind != FDT_END; offset = token.next) {
		if (token.kind == FDT_BEGIN_NODE)
			return (fdt_node)offset;
		if (token.kind == FDT_END_NODE)
			(*closed)++;
	}
	return FDT_NONE;
}

static bool read_node(const struct fdt *fdt, fdt_node node, struct fdt_token *token)
{
	return node >= 0 && read_token(fdt, (uint32_t)node, token) && token->kind == FDT_BEGIN_NODE;
}

// The node after `node` in depth-first order; *closed as next_node says: 0, it is a child.
static fdt_node following_node(const struct fdt *fdt, fdt_node node, unsigned *closed)
{
	struct fdt_token token;

	return read_node(fdt, node, &token) ? next_node(fdt, token.next, closed) : FDT_NONE;
}

fdt_node fdt_root(const struct fdt *fdt)
{
	unsigned closed;

	return next_node(fdt, 0, &closed);
}

fdt_node fdt_first_child(const struct fdt *fdt, fdt_node node)
{
	unsigned closed;
	fdt_node child = following_node(fdt, node, &closed);

	return child != FDT_NONE && closed == 0 ? child : FDT_NONE;
}

fdt_node fdt_next_sibling(const struct fdt *fdt, fdt_node node)
{
	unsigned depth = 1; // of the node reached, with `node` at 1 and its parent at 0
	unsigned closed;

	for (;;) {
		node = following_node(fdt, node, &closed);
		if (node == FDT_NONE || closed > depth)
			return FDT_NONE;
		depth = depth + 1 - closed;
		if (depth == 1)
			return node;
	}
}

fdt_node fdt_parent(const struct fdt *fdt, fdt_node node)
{
	fdt_node path[FDT_DEPTH_LIMIT];
	unsigned depth = 0; // of `at`, the root's being 0
	unsigned closed;

	for (fdt_node at = fdt_root(fdt); at != FDT_NONE && at <= node;) {
		if (at == node)
			return depth == 0 ? FDT_NONE : path[depth - 1];
		path[depth] = at;
		at = following_node(fdt, at, &closed);
		if (at == FDT_NONE || closed > depth || depth + 1 - closed >= FDT_DEPTH_LIMIT)
			break;
		depth = depth + 1 - closed;
	}
	return FDT_NONE;
}

// Whether a node's name is the path component of `length` bytes, which may leave the unit address out.
static bool name_matches(const char *name, const char *component, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		if (name[i] == '\0' || name[i] != component[i])
			return false;
	}
	return name[length] == '\0' || name[length] == '@';
}

fdt_node fdt_find_path(const struct fdt *fdt, const char *path)
{
	fdt_node node = fdt_root(fdt);

	if (*path != '/')
		return FDT_NONE;
	while (node != FDT_NONE) {
		uint32_t length = 0;

		while (*path == '/')
			path++;
		if (*path == '\0')
			break;
		while (path[length] != '\0' && path[length] != '/')
			length++;
		node = fdt_first_child(fdt, node);
		while (node != FDT_NONE && !name_matches(fdt_name(fdt, node), path, length))
			node = fdt_next_sibling(fdt, node);
		path += length;
	}
	return node;
}

fdt_node fdt_find_phandle(const struct fdt *fdt, uint32_t phandle)
{
	uint32_t value;
	unsigned closed;

	for (fdt_node node = fdt_root(fdt); node != FDT_NONE; node = following_node(fdt, node, &closed)) {
		if (fdt_get_u32(fdt, node, "phandle", &value) && value == phandle)
			return node;
	}
	return FDT_NONE;
}

fdt_node fdt_find_compatible(const struct fdt *fdt, fdt_node previous, const char *compatible)
{
	unsigned closed;
	fdt_node node = previous == FDT_NONE ? fdt_root(fdt) : following_node(fdt, previous, &closed);

	while (node != FDT_NONE && !fdt_is_compatible(fdt, node, compatible))
		node = following_node(fdt, node, &closed);
	return node;
}

const char *fdt_name(const struct fdt *fdt, fdt_node node)
{
	struct fdt_token token;

	return read_node(fdt, node, &token) ? token.name : "";
}

bool fdt_get(const struct fdt *fdt, fdt_node node, const char *name, struct fdt_property *property)
{
	struct fdt_token token;

	if (!read_node(fdt, node, &token))
		return false;
	while (read_token(fdt, token.next, &token) && (token.kind == FDT_PROPERTY || token.kind == FDT_NOP)) {
		if (token.kind == FDT_PROPERTY && string_equal(token.name, name)) {
			*property = token.property;
			return true;
		}
	}
	return false;
}

bool fdt_get_u32(const struct fdt *fdt, fdt_node node, const char *name, uint32_t *value)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) || property.length != 4)
		return false;
	*value = read_u32(property.data);
	return true;
}

const char *fdt_get_string(const struct fdt *fdt, fdt_node node, const char *name)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) ||
		string_length(property.data, property.length) == property.length)
		return NULL;
	return property.data;
}

bool fdt_is_compatible(const struct fdt *fdt, fdt_node node, const char *compatible)
{
	struct fdt_property property;
	uint32_t length;

	if (!fdt_get(fdt, node, "compatible", &property))
		return false;
	for (uint32_t offset = 0; offset < property.length; offset += length + 1) {
		const char *text = (const char *)property.data + offset;

		length = string_length(text, property.length - offset);
		if (length == property.length - offset)
			return false;
		if (string_equal(text, compatible))
			return true;
	}
	return false;
}

uint32_t fdt_cells_u32(const struct fdt_property *property, unsigned cell)
{
	return cell < property->length / 4 ? read_u32((const uint8_t *)property->data + 4 * (size_t)cell) : 0;
}

// A number of `count` cells (0 to 2, or more where the upper ones are 0) at *cell, which moves past it.
static bool read_cells(const struct fdt_property *property, unsigned *cell, unsigned count, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < count; i++) {
		if (*value >> 32 != 0)
			return false;
		*value = *value << 32 | fdt_cells_u32(property, (*cell)++);
	}
	return true;
}

// The numbers of cells that addresses and sizes of a bus's children have.
static bool bus_cells(const struct fdt *fdt, fdt_node bus, uint32_t *address_cells, uint32_t *size_cells)
{
	if (!fdt_get_u32(fdt, bus, "#address-cells", address_cells))
		*address_cells = FDT_ADDRESS_CELLS;
	if (!fdt_get_u32(fdt, bus, "#size-cells", size_cells))
		*size_cells = FDT_SIZE_CELLS;
	return *address_cells >= 1 && *address_cells <= FDT_CELLS_LIMIT && *size_cells <= FDT_CELLS_LIMIT;
}

// Turns an address on `bus` into one on the bus above it (section 2.3.8).
static bool translate(const struct fdt *fdt, fdt_node bus, fdt_node above, uint64_t *address, uint64_t size)
{
	uint32_t child_cells, child_sizes, parent_cells, parent_sizes;
	struct fdt_property ranges;
	unsigned cell = 0;

	if (!fdt_get(fdt, bus, "ranges", &ranges) || !bus_cells(fdt, bus, &child_cells, &child_sizes) ||
		!bus_cells(fdt, above, &parent_cells, &parent_sizes))
		return false;
	if (ranges.length == 0)
		return true;
	while (cell + child_cells + parent_cells + child_sizes <= ranges.length / 4) {
		uint64_t child, parent, length;
		unsigned next = cell + child_cells + parent_cells + child_sizes;

		if (read_cells(&ranges, &cell, child_cells, &child) &&
			read_cells(&ranges, &cell, parent_cells, &parent) &&
			read_cells(&ranges, &cell, child_sizes, &length) && *address >= child &&
			*address - child <= length && size <= length - (*address - child)) {
			*address = parent + (*address - child);
			return *address >= parent;
		}
		cell = next;
	}
	return false;
}

bool fdt_get_reg(const struct fdt *fdt, fdt_node node, unsigned index, uint64_t *address, uint64_t *size)
{
	fdt_node bus = fdt_parent(fdt, node);
	uint32_t address_cells, size_cells;
	struct fdt_property reg;
	uint64_t where, length;
	unsigned cell;

	if (bus == FDT_NONE || !fdt_get(fdt, node, "reg", &reg) ||
		!bus_cells(fdt, bus, &address_cells, &size_cells) ||
		index >= reg.length / 4 / (address_cells + size_cells))
		return false;
	cell = index * (address_cells + size_cells);
	if (!read_cells(&reg, &cell, address_cells, &where) || !read_cells(&reg, &cell, size_cells, &length))
		return false;

	for (fdt_node above = fdt_parent(fdt, bus); above != FDT_NONE; above = fdt_parent(fdt, bus)) {
		if (!translate(fdt, bus, above, &where, length))
			return false;
		bus = above;
	}
	if (length > UINT64_MAX - where)
		return false;
	*address = where;
	*size = length;
	return true;
}

bool fdt_get_reservation(const struct fdt *fdt, unsigned index, uint64_t *address, uint64_t *size)
{
	uint32_t block = read_u32(fdt->blob + HEADER_RESERVATIONS);

	if (index >= fdt->total_size / FDT_RESERVATION_SIZE ||
		!inside(block, (index + 1) * FDT_RESERVATION_SIZE, fdt->total_size))
		return false;
	*address = read_u64(fdt->blob + block + index * FDT_RESERVATION_SIZE);
	*size = read_u64(fdt->blob + block + index * FDT_RESERVATION_SIZE + 8);
	return *address != 0 || *size != 0;
}
