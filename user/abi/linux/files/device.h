// SPDX-License-Identifier: MIT
//
// Character devices: what the device number of a node in the file server stands for.

#ifndef FILES_DEVICE_H
#define FILES_DEVICE_H

#include <linux/memory/span.h>

struct open_file;
struct thread;

// Opens the device of a number in Linux's encoding. Takes over the node's file capability, in any case. 0,
// -LINUX_ENXIO: there is no such device, or another negated error.
int64_t device_open(
	struct thread *thread, uint64_t number, uint32_t flags, handle_t node, struct open_file **file);

// Fills a span with unpredictable bytes, or a part of it where the thread has to end; how many, or a negated error.
int64_t device_random(struct thread *thread, struct span to);

// Makes the nodes that are missing in the directory /dev.
void device_make_nodes(handle_t root);

#endif
