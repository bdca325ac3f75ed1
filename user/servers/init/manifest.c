// SPDX-License-Identifier: MIT
//
// Reads the manifest: one directive a line, words separated by blanks.

#include "manifest.h"
#include <string.h>

#define WORDS           16
#define OBJECTS_DEFAULT 1024
#define PAGES_DEFAULT   1024

struct line {
	char word[WORDS][MANIFEST_PATH];
	size_t count;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r';
}

// Splits a line into words; a word that begins with # ends it. False: too many words or too long ones.
static bool split(const char *text, size_t length, struct line *line)
{
	size_t position = 0;
	line->count = 0;
	for (;;) {
		while (position < length && is_blank(text[position]))
			position++;
		if (position == length || text[position] == '#')
			return true;
		size_t start = position;
		while (position < length && !is_blank(text[position]))
			position++;
		if (line->count == WORDS || position - start >= MANIFEST_PATH)
			return false;
		memcpy(line->word[line->count], text + start, position - start);
		line->word[line->count++][position - start] = '\0';
	}
}

// A decimal number; `*rest` is what follows it.
static bool read_number(const char *word, uint64_t *number, const char **rest)
{
	*number = 0;
	*rest = word;
	for (; **rest >= '0' && **rest <= '9'; (*rest)++) {
		if (*number > UINT32_MAX)
			return false;
		*number = *number * 10 + (uint64_t)(**rest - '0');
	}
	return *rest != word && *number > 0;
}

static bool read_size(const char *word, uint64_t total_pages, uint64_t *pages)
{
	uint64_t number;
	const char *unit;
	if (!read_number(word, &number, &unit))
		return false;
	if (strcmp(unit, "%") == 0) {
		*pages = total_pages * number / 100;
		return number <= 100;
	}
	*pages = number << 20 >> PAGE_SHIFT;
	return strcmp(unit, "M") == 0;
}

static bool read_names(const struct line *line, struct manifest_names *names)
{
	for (size_t i = 1; i < line->count; i++) {
		size_t length = strlen(line->word[i]);
		if (names->count == MANIFEST_NAMES || length >= NAME_LENGTH)
			return false;
		memcpy(names->name[names->count++], line->word[i], length + 1);
	}
	return line->count > 1;
}

static bool read_gifts(const struct line *line, unsigned *gifts)
{
	static const struct {
		const char *word;
		enum manifest_gift gift;
	} known[] = {
		{"log", GIVE_LOG},
		{"log-control", GIVE_LOG_CONTROL},
		{"archive", GIVE_ARCHIVE},
		{"console", GIVE_CONSOLE},
		{"root", GIVE_ROOT},
		{"inspection", GIVE_INSPECTION},
	};
	for (size_t i = 1; i < line->count; i++) {
		size_t k = 0;
		while (k < sizeof(known) / sizeof(known[0]) && strcmp(known[k].word, line->word[i]) != 0)
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			return false;
		*gifts |= known[k].gift;
	}
	return true;
}

static bool begin_server(const struct line *line, struct manifest *manifest)
{
	size_t length = strlen(line->word[1]);
	if (line->count != 2 || manifest->count == MANIFEST_SERVERS || length >= NAME_LENGTH)
		return false;
	struct manifest_server *server = &manifest->servers[manifest->count++];
	*server = (struct manifest_server){.pages = PAGES_DEFAULT, .objects = OBJECTS_DEFAULT};
	memcpy(server->name, line->word[1], length + 1);
	return true;
}

static bool read_directive(const struct line *line, uint64_t total_pages, struct manifest_server *server)
{
	const char *directive = line->word[0], *rest = "";
	if (strcmp(directive, "image") == 0 && line->count == 2) {
		memcpy(server->image, line->word[1], MANIFEST_PATH);
		return true;
	}
	if (strcmp(directive, "memory") == 0 && line->count == 2)
		return read_size(line->word[1], total_pages, &server->pages);
	if (strcmp(directive, "objects") == 0 && line->count == 2)
		return read_number(line->word[1], &server->objects, &rest) && *rest == '\0';
	if (strcmp(directive, "restart") == 0) {
		server->restart = true;
		return line->count == 1;
	}
	if (strcmp(directive, "give") == 0)
		return read_gifts(line, &server->gifts);
	if (strcmp(directive, "device") == 0)
		return read_names(line, &server->devices);
	if (strcmp(directive, "use") == 0)
		return read_names(line, &server->used);
	return strcmp(directive, "provide") == 0 && read_names(line, &server->provided);
}

static bool read_line(const struct line *line, uint64_t total_pages, struct manifest *manifest)
{
	if (line->count == 0)
		return true;
	if (strcmp(line->word[0], "server") == 0)
		return begin_server(line, manifest);
	return manifest->count > 0 &&
		read_directive(line, total_pages, &manifest->servers[manifest->count - 1]);
}

unsigned manifest_read(const char *text, size_t length, uint64_t total_pages, struct manifest *manifest)
{
	static struct line line;
	size_t start = 0;
	manifest->count = 0;
	for (unsigned number = 1; start < length; number++) {
		const char *newline = memchr(text + start, '\n', length - start);
		size_t end = newline != NULL ? (size_t)(newline - text) : length;
		if (!split(text + start, end - start, &line) || !read_line(&line, total_pages, manifest))
			return number;
		start = end + 1;
	}
	return 0;
}

bool manifest_names_has(const struct manifest_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}
