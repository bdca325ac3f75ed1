// SPDX-License-Identifier: MIT
//
// The ranks of the kernel's locks. Programs that show their statistics take the names from lock_ranks.def.

#ifndef TERN_LOCK_RANK_H
#define TERN_LOCK_RANK_H

enum lock_rank {
#define LOCK_RANK(name, text) RANK_##name,
#include <tern/lock_ranks.def>
#undef LOCK_RANK
	RANK_COUNT,
};

#endif
