// SPDX-License-Identifier: MIT
//
// Accounts: limits on pages and objects, in a tree.

#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/syscall.h>

static struct object_cache account_cache = OBJECT_CACHE_INITIALIZER(account_cache, "account", struct account);

struct account root_account = {
	.object = {.references = 1,
		.type = OBJECT_ACCOUNT,
		.id = 1,
		.derivation_lock = SPINLOCK_INITIALIZER(RANK_DERIVATION)},
	.pages_limit = UINT64_MAX,
	.objects_limit = UINT64_MAX,
};

static bool charge(_Atomic uint64_t *used, uint64_t limit, uint64_t amount)
{
	uint64_t before = atomic_load_explicit(used, memory_order_relaxed);

	do {
		if (before > limit || amount > limit - before)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		used, &before, before + amount, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void uncharge(_Atomic uint64_t *used, uint64_t amount)
{
	uint64_t before = atomic_fetch_sub_explicit(used, amount, memory_order_relaxed);

	assert(before >= amount);
	(void)before;
}

bool account_charge_pages(struct account *account, uint64_t pages)
{
	for (struct account *each = account; each; each = each->parent) {
		if (charge(&each->pages_used, each->pages_limit, pages))
			continue;
		for (struct account *done = account; done != each; done = done->parent)
			uncharge(&done->pages_used, pages);
		return false;
	}
	return true;
}

void account_uncharge_pages(struct account *account, uint64_t pages)
{
	for (; account; account = account->parent)
		uncharge(&account->pages_used, pages);
}

bool account_charge_object(struct account *account)
{
	for (struct account *each = account; each; each = each->parent) {
		if (charge(&each->objects_used, each->objects_limit, 1))
			continue;
		for (struct account *done = account; done != each; done = done->parent)
			uncharge(&done->objects_used, 1);
		return false;
	}
	return true;
}

void account_uncharge_object(struct account *account)
{
	for (; account; account = account->parent)
		uncharge(&account->objects_used, 1);
}

struct syscall_result sys_account_create(handle_t parent, uint64_t pages_limit, uint64_t objects_limit)
{
	struct capability capability;
	struct account *account;
	handle_t handle;
	enum error error = capability_lookup(parent, OBJECT_ACCOUNT, RIGHT_CREATE, &capability);

	if (!error && (pages_limit == 0 || objects_limit == 0))
		error = ERR_INVALID_ARGUMENT;
	if (error)
		return SYSCALL_ERROR(error);
	account = object_create(OBJECT_ACCOUNT, container_of(capability.object, struct account, object));
	if (account == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	account->parent = account->object.account;
	account->pages_limit = pages_limit;
	account->objects_limit = objects_limit;
	error = capability_install_new(&account->object, RIGHTS_ALL, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

struct account_info account_describe(const struct account *account)
{
	return (struct account_info){
		.pages_limit = account->pages_limit,
		.pages_used = atomic_load_explicit(&account->pages_used, memory_order_relaxed),
		.objects_limit = account->objects_limit,
		.objects_used = atomic_load_explicit(&account->objects_used, memory_order_relaxed),
	};
}

struct syscall_result sys_account_info(handle_t handle, struct account_info __user *info)
{
	struct capability capability;
	struct account_info result;
	enum error error = capability_lookup(handle, OBJECT_ACCOUNT, RIGHT_READ, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	result = account_describe(container_of(capability.object, struct account, object));
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

static void destroy(struct object *object)
{
	struct account *account = container_of(object, struct account, object);

	assert(account->pages_used == 0 && account->objects_used == 0);
	(void)account;
}

const struct object_operations account_operations = {
	.name = "account",
	.cache = &account_cache,
	.destroy = destroy,
};
