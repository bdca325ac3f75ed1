// SPDX-License-Identifier: MIT
//
// Accounts: limits on pages and objects, in a tree. A charge is made to an account and all its ancestors, or
// to none.

#ifndef KERNEL_ACCOUNT_H
#define KERNEL_ACCOUNT_H

#include <kernel/object.h>
#include <tern/info.h>

struct account {
	struct object object;
	struct account *parent; // object.account, which is counted; NULL: the root
	uint64_t pages_limit;
	uint64_t objects_limit;
	_Atomic uint64_t pages_used;
	_Atomic uint64_t objects_used;
};

extern struct account root_account; // statically there: charged by the kernel for the first process

// Each false: a limit would be passed; nothing was charged.
bool account_charge_pages(struct account *account, uint64_t pages);
void account_uncharge_pages(struct account *account, uint64_t pages);
bool account_charge_object(struct account *account);
void account_uncharge_object(struct account *account);

// What account_info tells of it.
struct account_info account_describe(const struct account *account);

#endif
