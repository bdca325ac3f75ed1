// SPDX-License-Identifier: MIT
//
// Scripts.

#include <linux/loader/script.h>

#include <linux/files/path.h>
#include <linux/interface/errors.h>

#include <stdlib.h>
#include <string.h>

bool script_recognise(const char *start, size_t length)
{
	return length > 2 && start[0] == '#' && start[1] == '!';
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

// The interpreter and its argument (NULL: none), cut out of a line.
static bool split_line(char *line, char **interpreter, char **argument)
{
	char *end = line + strlen(line);

	while (end > line && is_blank(end[-1]))
		*--end = 0;
	while (is_blank(*line))
		line++;
	*interpreter = line;
	*argument = NULL;
	while (*line && !is_blank(*line))
		line++;
	if (*line) {
		*line++ = 0;
		while (is_blank(*line))
			line++;
		*argument = line;
	}
	return **interpreter;
}

static int64_t add(struct strings *strings, const char *text)
{
	return strings_add(strings, text, strlen(text));
}

static int64_t rewrite_arguments(
	struct strings *arguments, const char *interpreter, const char *argument, const char *script)
{
	struct strings rewritten = {0};
	const char *text = arguments->bytes;
	int64_t error = add(&rewritten, interpreter);

	if (!error && argument)
		error = add(&rewritten, argument);
	if (!error)
		error = add(&rewritten, script);
	for (size_t index = 0; index < arguments->count && !error; index++) {
		if (index > 0)
			error = add(&rewritten, text);
		text += strlen(text) + 1;
	}
	if (error) {
		free(rewritten.bytes);
		return error;
	}
	free(arguments->bytes);
	*arguments = rewritten;
	return 0;
}

int64_t script_redirect(struct thread *thread, const char *start, size_t length, struct path *path,
	struct arguments *arguments)
{
	char line[SCRIPT_LINE_MAX + 1];
	char *interpreter, *argument;
	const char *newline = memchr(start, '\n', length);

	length = newline ? (size_t)(newline - start) : length;
	memcpy(line, start + 2, length - 2);
	line[length - 2] = 0;
	if (!split_line(line, &interpreter, &argument))
		return -LINUX_ENOEXEC;
	int64_t error = rewrite_arguments(&arguments->arguments, interpreter, argument, path->text);
	if (error)
		return error;
	path_release(path);
	return path_set(thread, interpreter, path);
}
