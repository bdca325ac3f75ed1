// SPDX-License-Identifier: MIT
//
// The calls about users and groups. The superuser may become anybody, others only what they are already.

#include <linux/calls/calls.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>

#define KEEP UINT32_MAX

// The three ids of a kind, user or group.
struct ids {
	uint32_t *real, *effective, *saved;
};

static struct ids users_of(struct thread *thread)
{
	struct credentials *credentials = &thread->process->credentials;

	return (struct ids){&credentials->real_user, &credentials->effective_user, &credentials->saved_user};
}

static struct ids groups_of(struct thread *thread)
{
	struct credentials *credentials = &thread->process->credentials;

	return (struct ids){
		&credentials->real_group, &credentials->effective_group, &credentials->saved_group};
}

static bool is_superuser(const struct thread *thread)
{
	return thread->process->credentials.effective_user == 0;
}

static bool may_become(const struct thread *thread, const struct ids *ids, uint32_t id)
{
	return id == KEEP || is_superuser(thread) || id == *ids->real || id == *ids->effective ||
		id == *ids->saved;
}

static int64_t set_all(
	struct thread *thread, struct ids ids, uint32_t real, uint32_t effective, uint32_t saved)
{
	if (!may_become(thread, &ids, real) || !may_become(thread, &ids, effective) ||
		!may_become(thread, &ids, saved))
		return -LINUX_EPERM;
	if (real != KEEP)
		*ids.real = real;
	if (effective != KEEP)
		*ids.effective = effective;
	if (saved != KEEP)
		*ids.saved = saved;
	return 0;
}

// The superuser gives up all three at once.
static int64_t set_one(struct thread *thread, struct ids ids, uint32_t id)
{
	if (id == KEEP)
		return -LINUX_EINVAL;
	return is_superuser(thread) ? set_all(thread, ids, id, id, id) : set_all(thread, ids, KEEP, id, KEEP);
}

// The saved id follows the effective one, where the real one is set or the effective one becomes another than
// it.
static int64_t set_two(struct thread *thread, struct ids ids, uint32_t real, uint32_t effective)
{
	bool follows = real != KEEP || (effective != KEEP && effective != *ids.real);
	int64_t error = set_all(thread, ids, real, effective, KEEP);

	if (!error && follows)
		*ids.saved = *ids.effective;
	return error;
}

static int64_t give_all(struct thread *thread, struct ids ids, guest_address_t real,
	guest_address_t effective, guest_address_t saved)
{
	if (copy_to_guest(thread, real, ids.real, sizeof(*ids.real)) ||
		copy_to_guest(thread, effective, ids.effective, sizeof(*ids.effective)) ||
		copy_to_guest(thread, saved, ids.saved, sizeof(*ids.saved)))
		return -LINUX_EFAULT;
	return 0;
}

int64_t linux_getuid(struct thread *thread)
{
	return thread->process->credentials.real_user;
}

int64_t linux_geteuid(struct thread *thread)
{
	return thread->process->credentials.effective_user;
}

int64_t linux_getgid(struct thread *thread)
{
	return thread->process->credentials.real_group;
}

int64_t linux_getegid(struct thread *thread)
{
	return thread->process->credentials.effective_group;
}

int64_t linux_setuid(struct thread *thread, uint32_t user)
{
	return set_one(thread, users_of(thread), user);
}

int64_t linux_setgid(struct thread *thread, uint32_t group)
{
	return set_one(thread, groups_of(thread), group);
}

int64_t linux_setreuid(struct thread *thread, uint32_t real, uint32_t effective)
{
	return set_two(thread, users_of(thread), real, effective);
}

int64_t linux_setregid(struct thread *thread, uint32_t real, uint32_t effective)
{
	return set_two(thread, groups_of(thread), real, effective);
}

int64_t linux_setresuid(struct thread *thread, uint32_t real, uint32_t effective, uint32_t saved)
{
	return set_all(thread, users_of(thread), real, effective, saved);
}

int64_t linux_setresgid(struct thread *thread, uint32_t real, uint32_t effective, uint32_t saved)
{
	return set_all(thread, groups_of(thread), real, effective, saved);
}

int64_t linux_getresuid(
	struct thread *thread, guest_address_t real, guest_address_t effective, guest_address_t saved)
{
	return give_all(thread, users_of(thread), real, effective, saved);
}

int64_t linux_getresgid(
	struct thread *thread, guest_address_t real, guest_address_t effective, guest_address_t saved)
{
	return give_all(thread, groups_of(thread), real, effective, saved);
}

// The only supplementary group is the effective one.
int64_t linux_getgroups(struct thread *thread, int32_t count, guest_address_t groups)
{
	const struct credentials *credentials = &thread->process->credentials;

	if (count == 0)
		return 1;
	if (count < 0)
		return -LINUX_EINVAL;
	return copy_to_guest(
		       thread, groups, &credentials->effective_group, sizeof(credentials->effective_group))
		? -LINUX_EFAULT
		: 1;
}

int64_t linux_setgroups(struct thread *thread, int32_t count, guest_address_t groups)
{
	uint32_t group;

	if (!is_superuser(thread))
		return -LINUX_EPERM;
	if (count < 0)
		return -LINUX_EINVAL;
	return count > 0 ? copy_from_guest(thread, &group, groups, sizeof(group)) : 0;
}
