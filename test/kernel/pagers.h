// SPDX-License-Identifier: MIT
//
// A pager for tests: it serves a pattern.

#ifndef PAGERS_H
#define PAGERS_H

#include "test.h"

#define PAGER_BADGE     0x7000
#define PAGER_STOP      77 // label of the message that ends a pager
#define PAGER_NO_OFFSET UINT64_MAX

// Each word of what it serves is its offset plus the badge it was asked with.
struct pager {
	handle_t endpoint, asking; // the second with a badge
	handle_t source;           // one page
	struct worker worker;
	uint64_t refused; // offset of a page that it refuses
	atomic_uint asked;
	struct pager_message last;
};

// Makes the endpoint and the source; the worker is started by pager_start.
bool pager_prepare(struct pager *pager);
bool pager_start(struct pager *pager);
void pager_close(struct pager *pager);
void pager_stop(struct pager *pager);

// What a pager's thread does.
uint64_t pager_serve(void *pager);
enum error pager_supply(handle_t source, handle_t memory, uint64_t offset, uint64_t badge);
bool pager_is_pattern(const uint64_t *words, uint64_t offset, uint64_t badge);

uint64_t *pager_map(handle_t space, handle_t memory, uint64_t length, uint64_t flags);
void pager_unmap(const uint64_t *address, uint64_t length);
const uint64_t *pager_page(const uint64_t *base, unsigned page);

#endif
