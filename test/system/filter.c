// SPDX-License-Identifier: MIT
//
// A native program for pipelines: writes its input in capitals, then its arguments, each on a line. With --file NAME it
// writes to that file; with --spin it computes for ever; with --status NUMBER it ends with that status.

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int copy_in_capitals(FILE *output)
{
	int byte;

	while ((byte = getchar()) != EOF)
		if (putc(toupper(byte), output) == EOF)
			return 1;
	return 0;
}

int main(int argument_count, char **arguments)
{
	FILE *output = stdout;
	int status = 0, next = 1;

	for (; next + 1 < argument_count && strncmp(arguments[next], "--", 2) == 0; next += 2) {
		if (strcmp(arguments[next], "--file") == 0)
			output = fopen(arguments[next + 1], "w");
		else if (strcmp(arguments[next], "--status") == 0)
			status = atoi(arguments[next + 1]);
		else
			for (volatile int spin = 0;; spin++)
				;
	}
	if (output == NULL) {
		perror("fopen");
		return 1;
	}
	if (copy_in_capitals(output) != 0)
		return 1;
	for (; next < argument_count; next++)
		fprintf(output, "%s\n", arguments[next]);
	return fclose(output) == 0 ? status : 1;
}
