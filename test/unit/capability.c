// SPDX-License-Identifier: MIT
//
// Capability tables against a model that is a plain list of what each handle means: random duplicates, mints,
// grants, closes and look-ups, with handles that are good, stale, of another table or made up, while memory
// comes and goes.

#include "core_machine.h"
#include <kernel/account.h>
#include <kernel/cpu.h>
#include <kernel/syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES  3
#define ENTRIES 3000
#define STALE   256
#define STEPS   1000000
#define PHASE   100000

struct entry {
	handle_t handle; // HANDLE_NONE: the entry is free
	struct test_object *object;
	rights_t rights;
	uint64_t badge;
};

struct model {
	struct process process;
	handle_t handle_in[TABLES]; // of this process, in the tables
	struct entry entries[ENTRIES];
	unsigned count;
	handle_t stale[STALE];
};

static struct model models[TABLES];
static struct thread actor;

static void act_in(struct model *model)
{
	actor.process = &model->process;
	host_cpu->current = &actor;
}

static struct entry *free_entry(struct model *model)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (model->entries[i].handle == HANDLE_NONE)
			return &model->entries[i];
	return NULL;
}

static struct entry *random_entry(struct model *model)
{
	struct entry *entry = &model->entries[random_below(ENTRIES)];

	return entry->handle ? entry : NULL;
}

static void add(
	struct model *model, handle_t handle, struct test_object *object, rights_t rights, uint64_t badge)
{
	struct entry *entry = free_entry(model);

	for (unsigned i = 0; i < ENTRIES; i++)
		CHECK(model->entries[i].handle != handle);
	*entry = (struct entry){handle, object, rights, badge};
	model->count++;
}

static bool failed_for_memory(struct syscall_result result)
{
	return result.error == ERR_NO_MEMORY && frames_left == 0;
}

static void create(struct model *model)
{
	static const enum object_type types[] = {
		OBJECT_ENDPOINT, OBJECT_NOTIFICATION, OBJECT_MEMORY, OBJECT_TIMER};
	struct test_object *object = make_object(types[random_below(4)], &root_account);
	rights_t rights = RIGHTS_ALL & (rights_t)random_below(RIGHTS_ALL + 1);
	handle_t handle;
	enum error error;

	CHECK(object != NULL);
	error = capability_install_new(&object->object, rights | RIGHT_TRANSFER, &handle);
	if (error == ERR_OK)
		add(model, handle, object, rights | RIGHT_TRANSFER, 0);
	else
		CHECK(failed_for_memory(SYSCALL_ERROR(error)));
}

static void duplicate(struct model *model, struct entry *entry)
{
	rights_t rights = random_below(2) ? RIGHTS_SAME : (rights_t)random_below(RIGHTS_ALL + 1);
	rights_t got = rights == RIGHTS_SAME ? entry->rights : rights;
	struct syscall_result result = sys_handle_duplicate(entry->handle, rights);

	if (!(entry->rights & RIGHT_DUPLICATE) || (got & ~entry->rights))
		CHECK(result.error == ERR_NO_RIGHTS);
	else if (!failed_for_memory(result))
		add(model, result.value, entry->object, got, entry->badge);
}

static bool can_have_badge(const struct entry *entry)
{
	return entry->object->object.type == OBJECT_ENDPOINT ||
		entry->object->object.type == OBJECT_NOTIFICATION;
}

static void mint(struct model *model, struct entry *entry)
{
	uint64_t badge = random_below(4);
	struct syscall_result result = sys_handle_mint(entry->handle, RIGHTS_SAME, badge);

	if (!can_have_badge(entry))
		CHECK(result.error == ERR_WRONG_TYPE);
	else if (!(entry->rights & RIGHT_DUPLICATE))
		CHECK(result.error == ERR_NO_RIGHTS);
	else if (badge == 0)
		CHECK(result.error == ERR_INVALID_ARGUMENT);
	else if (entry->badge != 0)
		CHECK(result.error == ERR_BAD_STATE);
	else if (!failed_for_memory(result))
		add(model, result.value, entry->object, entry->rights, badge);
}

static void grant(struct model *model, struct entry *entry)
{
	unsigned to = (unsigned)random_below(TABLES);
	struct syscall_result result;

	if (models[to].count == ENTRIES)
		return;
	result = sys_handle_grant(model->handle_in[to], entry->handle, RIGHTS_SAME);
	if (!(entry->rights & RIGHT_TRANSFER))
		CHECK(result.error == ERR_NO_RIGHTS);
	else if (!failed_for_memory(result))
		add(&models[to], result.value, entry->object, entry->rights, entry->badge);
}

static void close(struct model *model, struct entry *entry)
{
	CHECK(sys_handle_close(entry->handle).error == ERR_OK);
	CHECK(sys_handle_close(entry->handle).error == ERR_BAD_HANDLE);
	model->stale[random_below(STALE)] = entry->handle;
	entry->handle = HANDLE_NONE;
	model->count--;
	object_reap();
}

static void look_up(struct entry *entry)
{
	enum object_type type = random_below(2) ? (enum object_type)entry->object->object.type : OBJECT_NONE;
	rights_t needed = (rights_t)1 << random_below(13);
	struct capability found;
	enum error error = capability_lookup(entry->handle, type, needed, &found);

	CHECK(error == ((entry->rights & needed) ? ERR_OK : ERR_NO_RIGHTS));
	CHECK(found.object == &entry->object->object && found.rights == entry->rights &&
		found.badge == entry->badge);
	CHECK(capability_lookup(entry->handle, OBJECT_PROCESS, 0, &found) == ERR_WRONG_TYPE);
}

static bool is_known(const struct model *model, handle_t handle)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (model->entries[i].handle == handle)
			return true;
	for (unsigned i = 0; i < TABLES; i++)
		if (model->handle_in[i] == handle)
			return true;
	return false;
}

// Handles that mean nothing here.
static void try_bad_handle(struct model *model)
{
	struct model *other = &models[random_below(TABLES)];
	handle_t handles[] = {HANDLE_NONE, HANDLE_SELF, random_below(UINT64_MAX),
		(random_below(3) << 32) | random_below(70000), model->stale[random_below(STALE)],
		other->entries[random_below(ENTRIES)].handle};
	handle_t handle = handles[random_below(6)];
	struct capability found;

	if (is_known(model, handle))
		return;
	CHECK(capability_lookup(handle, OBJECT_NONE, 0, &found) == ERR_BAD_HANDLE);
	CHECK(sys_handle_close(handle).error == ERR_BAD_HANDLE);
	CHECK(sys_handle_duplicate(handle, RIGHTS_SAME).error == ERR_BAD_HANDLE);
}

// A slot set aside and given back, or whose handle is tried before it means anything.
static void reserve_and_cancel(struct model *model)
{
	struct capability found;
	handle_t handle;
	enum error error = capability_reserve(&model->process.table, &handle);

	if (error) {
		CHECK(failed_for_memory(SYSCALL_ERROR(error)));
		return;
	}
	CHECK(!is_known(model, handle));
	CHECK(capability_lookup(handle, OBJECT_NONE, 0, &found) == ERR_BAD_HANDLE);
	CHECK(capability_close(&model->process.table, handle) == ERR_BAD_HANDLE);
	capability_cancel(&model->process.table, handle);
}

// Times of growing and of shrinking take turns.
static void step(bool growing)
{
	struct model *model = &models[random_below(TABLES)];
	struct entry *entry = random_entry(model);
	uint64_t action = growing ? random_below(8) : 4 + random_below(5);

	act_in(model);
	frames_left = random_below(50) ? UINT64_MAX / 2 : 0;
	CHECK(model->process.table.used == model->count + TABLES);
	switch (action) {
	case 0:
		if (model->count < ENTRIES)
			create(model);
		break;
	case 1:
		if (entry && model->count < ENTRIES)
			duplicate(model, entry);
		break;
	case 2:
		if (entry && model->count < ENTRIES)
			mint(model, entry);
		break;
	case 3:
		if (entry)
			grant(model, entry);
		break;
	case 4:
		if (entry)
			close(model, entry);
		break;
	case 5:
		try_bad_handle(model);
		break;
	case 6:
		reserve_and_cancel(model);
		break;
	case 7:
		if (entry)
			look_up(entry);
		break;
	default:
		if (entry)
			grant(model, entry);
		break;
	}
}

// --- A table at its limits

static void fill_and_empty(void)
{
	struct capability_table table;
	struct test_object *object = make_object(OBJECT_MEMORY, &root_account);
	uint64_t limit = CAPABILITY_TABLE_PAGES * (PAGE_SIZE / sizeof(struct capability)), count = 0;
	handle_t handle;
	enum error error;

	memset(&table, 0, sizeof(table));
	frames_left = UINT64_MAX / 2;
	CHECK(capability_table_init(&table, &root_account));
	while ((error = capability_reserve(&table, &handle)) == ERR_OK) {
		capability_install(&table, handle, &object->object, RIGHTS_ALL);
		count++;
	}
	CHECK(error == ERR_NO_SLOTS && count == limit);
	CHECK(object->capabilities == (int)limit);
	CHECK(capability_close(&table, handle) == ERR_OK);
	CHECK(capability_reserve(&table, &handle) == ERR_OK);
	capability_table_destroy(&table);
	// A slot was set aside: what is installed now must not stay.
	capability_install(&table, handle, &object->object, RIGHTS_ALL);
	CHECK(object->capabilities == 0);
	CHECK(capability_reserve(&table, &handle) == ERR_BAD_STATE);
	object_put(&object->object);
	object_reap();
}

static void retire_slot(void)
{
	struct capability_table table;
	handle_t first, second;

	memset(&table, 0, sizeof(table));
	CHECK(capability_table_init(&table, &root_account));
	CHECK(capability_reserve(&table, &first) == ERR_OK);
	capability_cancel(&table, first);
	table.pages[0][(uint32_t)first].generation = UINT32_MAX - 1;
	CHECK(capability_reserve(&table, &first) == ERR_OK);
	CHECK(first >> 32 == UINT32_MAX - 1);
	capability_cancel(&table, first);
	CHECK(capability_reserve(&table, &second) == ERR_OK);
	CHECK((uint32_t)second != (uint32_t)first);
	capability_cancel(&table, second);
	capability_table_destroy(&table);
}

static void start_models(void)
{
	for (unsigned i = 0; i < TABLES; i++) {
		CHECK(capability_table_init(&models[i].process.table, &root_account));
		models[i].process.object.references = 1;
		models[i].process.object.type = OBJECT_PROCESS;
		spin_init(&models[i].process.lock, RANK_PROCESS);
	}
	for (unsigned i = 0; i < TABLES; i++)
		for (unsigned to = 0; to < TABLES; to++) {
			handle_t *handle = &models[i].handle_in[to];

			CHECK(capability_reserve(&models[i].process.table, handle) == ERR_OK);
			object_get(&models[to].process.object);
			models[to].process.object.references++;
			models[i].process.object.id = i;
			capability_install(
				&models[i].process.table, *handle, &models[to].process.object, RIGHT_GRANT);
		}
}

int main(void)
{
	uint64_t pages, objects;

	core_machine_start(1);
	pages = root_account.pages_used;
	objects = root_account.objects_used;
	fill_and_empty();
	retire_slot();
	CHECK(root_account.pages_used == pages && root_account.objects_used == objects &&
		test_objects_alive == 0);

	random_seed(20);
	start_models();
	for (unsigned i = 0; i < STEPS; i++)
		step(i % PHASE < PHASE / 2);
	printf("handles at the end: %u %u %u\n", models[0].count, models[1].count, models[2].count);
	for (unsigned i = 0; i < TABLES; i++)
		capability_table_destroy(&models[i].process.table);
	object_reap();
	CHECK(test_objects_alive == 0);
	CHECK(root_account.pages_used == pages && root_account.objects_used == objects);
	return 0;
}
