// SPDX-License-Identifier: MIT
//
// A mutex for the runtime's own use, on a futex. Programs may prefer <pthread.h>.

#ifndef RUNTIME_MUTEX_H
#define RUNTIME_MUTEX_H

#include <stdatomic.h>
#include <stdint.h>

#define MUTEX_INITIAL \
	{             \
		0     \
	}

struct mutex {
	_Atomic uint32_t state; // 0: free; 1: held; 2: held, and someone may wait
};

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

#endif
