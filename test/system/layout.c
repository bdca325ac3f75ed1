// SPDX-License-Identifier: MIT
//
// Tells where it is: addresses of its code, of a local variable, of memory from malloc, and of a page from mmap. Built as a
// native program and as one of Linux.

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(void)
{
	int local = 0;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	printf("%p %p %p %p\n", (void *)main, (void *)&local, malloc(16), page);
	return page == MAP_FAILED;
}
