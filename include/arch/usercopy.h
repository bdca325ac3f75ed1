// SPDX-License-Identifier: MIT
//
// The HAL contract: copies between the kernel and the current address space's user memory.
//
// The only code that touches user pages. Under SMAP, PAN and SUM it opens the window and closes it. A fault
// inside goes to vm_kernel_fault; where that cannot help, a fix-up table ends the copy. No lock is held. The
// caller has checked that the range is below ARCH_USER_END.

#ifndef ARCH_USERCOPY_H
#define ARCH_USERCOPY_H

#include <arch/types.h>

// Both return the number of bytes that were not copied; 0 is success.
size_t arch_copy_from_user(void *destination, uintptr_t source, size_t length);
size_t arch_copy_to_user(uintptr_t destination, const void *source, size_t length);

#endif
