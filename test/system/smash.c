// SPDX-License-Identifier: MIT
//
// A native program that tells its canary, the word that guards return addresses, and then writes beyond a local array.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern uintptr_t __stack_chk_guard;

int smash(size_t length);

__attribute__((noinline)) int smash(size_t length)
{
	char letters[16];

	memset(letters, 'x', length);
	return puts(letters);
}

int main(int argument_count, char **arguments)
{
	(void)arguments;
	printf("%lx\n", (unsigned long)__stack_chk_guard);
	return smash((size_t)argument_count * 64);
}
