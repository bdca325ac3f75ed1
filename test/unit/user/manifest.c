// SPDX-License-Identifier: MIT
//
// The manifest: what it says is what comes out, wrong lines are named, and no text is too strange.

#include "../../../user/servers/init/manifest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_ROUNDS 50000

static struct manifest manifest;
static int failures;

#define CHECK(condition)                                          \
	do {                                                      \
		if (!(condition)) {                               \
			printf("%d: %s\n", __LINE__, #condition); \
			failures++;                               \
		}                                                 \
	} while (0)

static unsigned read_text(const char *text)
{
	return manifest_read(text, strlen(text), 1000, &manifest);
}

static void test_good(void)
{
	static const char text[] =
		"# comment\n\nserver a # the first\n\timage bin/a\n  memory 25%\nobjects 7\n"
		"give log archive\ndevice x y\nuse b\nprovide c d\nrestart\nserver b\r\nmemory 3M";
	CHECK(read_text(text) == 0 && manifest.count == 2);
	const struct manifest_server *a = &manifest.servers[0];
	CHECK(strcmp(a->name, "a") == 0 && strcmp(a->image, "bin/a") == 0 && a->pages == 250 &&
		a->objects == 7);
	CHECK(a->gifts == (GIVE_LOG | GIVE_ARCHIVE) && a->restart && a->devices.count == 2);
	CHECK(manifest_names_has(&a->used, "b") && !manifest_names_has(&a->used, "c"));
	CHECK(manifest_names_has(&a->provided, "d") && strcmp(manifest.servers[1].name, "b") == 0);
	CHECK(manifest.servers[1].pages == 3 * 256 && !manifest.servers[1].restart);
}

static void test_wrong(void)
{
	CHECK(read_text("image x\n") == 1);
	CHECK(read_text("server a\nserver\n") == 2);
	CHECK(read_text("server a\nnonsense\n") == 2);
	CHECK(read_text("server a\nmemory 101%\n") == 2);
	CHECK(read_text("server a\nmemory 5\n") == 2);
	CHECK(read_text("server a\nmemory 99999999999999999999M\n") == 2);
	CHECK(read_text("server a\nobjects 0\n") == 2);
	CHECK(read_text("server a\ngive everything\n") == 2);
	CHECK(read_text("server a\n\nuse 0123456789012345678901234567890123456789\n") == 3);
	CHECK(read_text("server a\nuse 1 2 3 4 5 6 7 8 9\n") == 2);
}

static void test_random(void)
{
	static const char *const words[] = {"server", "image", "memory", "objects", "give", "use", "device",
		"restart", "log", "\n", "\n", "\n", " ", "\t", "#", "1", "%", "M", "x",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
		char *text = calloc(1, 4096);
		size_t length = 0;
		for (int i = rand() % 60; i > 0; i--) {
			const char *word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
			length += (size_t)sprintf(text + length, "%s%s", word, rand() % 2 ? " " : "");
		}
		char *exact = malloc(length > 0 ? length : 1);
		memcpy(exact, text, length);
		manifest_read(exact, length, 1000, &manifest);
		CHECK(manifest.count <= MANIFEST_SERVERS);
		free(exact);
		free(text);
	}
}

int main(void)
{
	srand(1);
	test_good();
	test_wrong();
	test_random();
	return failures > 0;
}
