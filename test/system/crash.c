// SPDX-License-Identifier: MIT
//
// A native program that dies with a call stack worth looking at.

#include <stdio.h>

int fall(volatile int *where);
int stumble(volatile int *where);

__attribute__((noinline)) int fall(volatile int *where)
{
	puts("falling");
	*where = 1;
	return puts("still here");
}

__attribute__((noinline)) int stumble(volatile int *where)
{
	return fall(where) + 1;
}

int main(void)
{
	return stumble(NULL) + 1;
}
