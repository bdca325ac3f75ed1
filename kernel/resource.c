// SPDX-License-Identifier: MIT
//
// Resources: authority over a range of what the machine has one of. The root ones are the first process's;
// parts are made of them.

#include <kernel/cache.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/syscall.h>

static struct object_cache resource_cache = OBJECT_CACHE_INITIALIZER(
	resource_cache, "resource", struct resource);

static bool contains(const struct resource *resource, uint64_t base, uint64_t length)
{
	return length <= resource->length && base >= resource->base &&
		base - resource->base <= resource->length - length;
}

struct resource *resource_create(
	struct account *account, enum resource_kind kind, uint64_t base, uint64_t length)
{
	struct resource *resource = object_create(OBJECT_RESOURCE, account);

	if (resource) {
		resource->kind = kind;
		resource->base = base;
		resource->length = length;
	}
	return resource;
}

enum error resource_lookup(handle_t handle, enum resource_kind kind, rights_t needed, uint64_t base,
	uint64_t length, struct resource **found)
{
	struct capability capability;
	struct resource *resource;
	enum error error = capability_lookup(handle, OBJECT_RESOURCE, needed, &capability);

	if (error)
		return error;
	resource = container_of(capability.object, struct resource, object);
	if (resource->kind != kind)
		return ERR_WRONG_TYPE;
	if (!contains(resource, base, length))
		return ERR_INVALID_ARGUMENT;
	*found = resource;
	return ERR_OK;
}

struct syscall_result sys_resource_create(handle_t handle, uint64_t base, uint64_t length)
{
	struct resource *whole, *part;
	struct capability capability;
	handle_t created;
	enum error error = capability_lookup(handle, OBJECT_RESOURCE, RIGHT_CREATE, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	whole = container_of(capability.object, struct resource, object);
	if (length == 0 || !contains(whole, base, length))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	part = resource_create(thread_current()->process->account, whole->kind, base, length);
	if (part == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	error = capability_install_new(&part->object, capability.rights, &created);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(created);
}

static void destroy(struct object *object)
{
	(void)object;
}

const struct object_operations resource_operations = {
	.name = "resource",
	.cache = &resource_cache,
	.destroy = destroy,
};
