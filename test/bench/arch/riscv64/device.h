// SPDX-License-Identifier: MIT
//
// The device of the interrupt benchmark: where QEMU's virt machine has its PCI bus, and the line of slot 1.

#ifndef DEVICE_H
#define DEVICE_H

#define DEVICE_LINE   33
#define DEVICE_FLAGS  0
#define CONFIGURATION 0x30000000
#define WINDOW        0x40000000

#include <edu.h>

#endif
