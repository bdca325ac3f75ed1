// SPDX-License-Identifier: MIT
//
// Derivation and revocation against a model that is plain: a list of capabilities, each with the one it comes
// from, and a list of what is kept on behalf of some. Random sequences of create, duplicate, mint, transfer, keep, close,
// revoke and ends of tables; after each revocation, and now and then, every handle there ever was means what the model says.
//
// The seed is printed; another one may be given as argument.

#include "core_machine.h"
#include <kernel/account.h>
#include <kernel/cpu.h>
#include <kernel/syscall.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLES    4
#define NODES     600
#define KEPT      200
#define STALE     256
#define STEPS     2000000
#define CHECK_ALL 5000 // steps between checks of everything

struct node {
	bool used;
	unsigned table;
	handle_t handle;
	struct test_object *object;
	rights_t rights;
	uint64_t badge;
	struct node *parent; // NULL: derived from none
};

struct kept {
	struct test_object *object; // NULL: free
	struct node *above;         // what it goes with when that is revoked; NULL: nothing
	struct derivation derivation;
};

static struct process processes[TABLES];
static handle_t handle_of[TABLES][TABLES]; // of process [second] in the table of [first]
static struct node nodes[NODES];
static struct kept kept[KEPT];
static struct {
	unsigned table;
	handle_t handle;
} stale[STALE];
static struct thread actor;
static uint64_t revoked, closed, derived, tables_ended, kept_revoked;

static void act_in(unsigned table)
{
	actor.process = &processes[table];
	host_cpu->current = &actor;
}

// --- The model

static struct node *free_node(void)
{
	for (unsigned i = 0; i < NODES; i++)
		if (!nodes[i].used)
			return &nodes[i];
	return NULL;
}

static void forget(struct node *node)
{
	unsigned place = (unsigned)random_below(STALE);

	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i].used && nodes[i].parent == node)
			nodes[i].parent = node->parent;
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].above == node)
			kept[i].above = node->parent;
	stale[place].table = node->table;
	stale[place].handle = node->handle;
	node->used = false;
}

static bool comes_from(const struct node *node, const struct node *ancestor)
{
	for (node = node->parent; node; node = node->parent)
		if (node == ancestor)
			return true;
	return false;
}

static unsigned count_of(const struct test_object *object, rights_t rights)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NODES; i++)
		count += nodes[i].used && nodes[i].object == object && (nodes[i].rights & rights) == rights;
	return count;
}

static void check_node(const struct node *node)
{
	struct capability found;

	CHECK(capability_lookup_in(&processes[node->table].table, node->handle, OBJECT_NONE, 0, &found) ==
		ERR_OK);
	CHECK(found.object == &node->object->object && found.rights == node->rights &&
		found.badge == node->badge);
	CHECK(node->object->capabilities == (int)count_of(node->object, 0));
	CHECK(node->object->with_receive == (int)count_of(node->object, RIGHT_RECEIVE));
}

static bool is_stale(unsigned table, handle_t handle)
{
	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i].used && nodes[i].table == table && nodes[i].handle == handle)
			return false;
	for (unsigned i = 0; i < TABLES; i++)
		if (handle_of[table][i] == handle)
			return false;
	return true;
}

static void check_all(void)
{
	unsigned used[TABLES] = {0};
	struct capability found;

	for (unsigned i = 0; i < NODES; i++) {
		if (!nodes[i].used)
			continue;
		check_node(&nodes[i]);
		used[nodes[i].table]++;
	}
	for (unsigned i = 0; i < TABLES; i++)
		CHECK(processes[i].table.used == used[i] + TABLES);
	for (unsigned i = 0; i < STALE; i++)
		if (is_stale(stale[i].table, stale[i].handle))
			CHECK(capability_lookup_in(&processes[stale[i].table].table, stale[i].handle,
				      OBJECT_NONE, 0, &found) == ERR_BAD_HANDLE);
}

static void add(unsigned table, handle_t handle, struct test_object *object, rights_t rights, uint64_t badge,
	struct node *parent)
{
	*free_node() = (struct node){true, table, handle, object, rights, badge, parent};
}

// --- Operations

static void create(unsigned table)
{
	struct test_object *object = make_object(
		random_below(2) ? OBJECT_ENDPOINT : OBJECT_MEMORY, &root_account);
	handle_t handle;

	CHECK(object != NULL);
	CHECK(capability_install_new(&object->object, RIGHTS_ALL, &handle) == ERR_OK);
	add(table, handle, object, RIGHTS_ALL, 0, NULL);
}

static rights_t random_rights(const struct node *node)
{
	return random_below(4) ? node->rights : (rights_t)(node->rights & random_below(RIGHTS_ALL + 1));
}

static void duplicate(struct node *node)
{
	rights_t rights = random_rights(node);
	struct syscall_result result = sys_handle_duplicate(node->handle, rights);

	if (!(node->rights & RIGHT_DUPLICATE)) {
		CHECK(result.error == ERR_NO_RIGHTS);
		return;
	}
	CHECK(result.error == ERR_OK);
	add(node->table, result.value, node->object, rights, node->badge, node);
	derived++;
}

static void mint(struct node *node)
{
	uint64_t badge = 1 + random_below(UINT64_MAX - 1);
	struct syscall_result result = sys_handle_mint(node->handle, RIGHTS_SAME, badge);

	if (node->object->object.type != OBJECT_ENDPOINT) {
		CHECK(result.error == ERR_WRONG_TYPE);
		return;
	}
	if (!(node->rights & RIGHT_DUPLICATE) || node->badge) {
		CHECK(result.error == (node->rights & RIGHT_DUPLICATE ? ERR_BAD_STATE : ERR_NO_RIGHTS));
		return;
	}
	CHECK(result.error == ERR_OK);
	add(node->table, result.value, node->object, node->rights, badge, node);
	derived++;
}

static void grant(struct node *node)
{
	unsigned to = (unsigned)random_below(TABLES);
	rights_t rights = random_rights(node);
	struct syscall_result result = sys_handle_grant(handle_of[node->table][to], node->handle, rights);

	if (!(node->rights & RIGHT_TRANSFER)) {
		CHECK(result.error == ERR_NO_RIGHTS);
		return;
	}
	CHECK(result.error == ERR_OK);
	add(to, result.value, node->object, rights, node->badge, node);
	derived++;
}

static void forget_kept(struct kept *one)
{
	object_put(&one->object->object);
	*one = (struct kept){0};
}

// Keeps something on behalf of a capability, or takes away what was kept.
static void keep(struct node *node)
{
	struct kept *one = &kept[random_below(KEPT)];
	struct capability source;

	if (one->object) {
		spin_lock(&one->object->object.derivation_lock);
		derivation_remove(&one->derivation);
		spin_unlock(&one->object->object.derivation_lock);
		forget_kept(one);
		return;
	}
	CHECK(capability_lookup(node->handle, OBJECT_NONE, 0, &source) == ERR_OK);
	capability_locate(&source, &processes[node->table].table, node->handle);
	CHECK(capability_attach(&source, &one->derivation, NULL));
	object_get(&node->object->object);
	one->object = node->object;
	one->above = node->parent;
}

// What is kept below the node has been taken away, and nothing else.
static void check_kept(const struct node *node)
{
	for (unsigned i = 0; i < KEPT; i++) {
		bool doomed = kept[i].above && (kept[i].above == node || comes_from(kept[i].above, node));

		if (kept[i].object == NULL)
			continue;
		CHECK(list_is_empty(&kept[i].derivation.open) == doomed);
		if (doomed)
			forget_kept(&kept[i]);
		kept_revoked += doomed;
	}
}

// A transfer as messages do it: prepared, and finished or given up after something else has happened.
static void transfer(struct node *node)
{
	struct capability_table *from = &processes[node->table].table;
	unsigned to = (unsigned)random_below(TABLES);
	struct capability source;
	handle_t handle, old = node->handle;
	bool gone = random_below(8) == 0;

	CHECK(capability_lookup_in(from, old, OBJECT_NONE, 0, &source) == ERR_OK);
	CHECK(capability_hold(from, old, &source) == ERR_OK);
	CHECK(capability_reserve(&processes[to].table, &handle) == ERR_OK);
	if (gone) {
		forget(node);
		CHECK(capability_close(from, old) == ERR_OK);
	}
	if (!gone && random_below(8) == 0) {
		capability_cancel(&processes[to].table, handle);
	} else {
		CHECK(capability_derive(&processes[to].table, handle, &source, source.rights, source.badge) ==
			!gone);
		if (!gone)
			add(to, handle, node->object, node->rights, node->badge, node);
		derived += !gone;
	}
	object_put(source.object);
}

static void close(struct node *node)
{
	CHECK(sys_handle_close(node->handle).error == ERR_OK);
	CHECK(sys_handle_close(node->handle).error == ERR_BAD_HANDLE);
	forget(node);
	closed++;
}

static void revoke(struct node *node)
{
	bool doomed[NODES];

	for (unsigned i = 0; i < NODES; i++)
		doomed[i] = nodes[i].used && comes_from(&nodes[i], node);
	CHECK(sys_handle_revoke(node->handle).error == ERR_OK);
	check_kept(node);
	for (unsigned i = 0; i < NODES; i++) {
		struct capability found;

		if (!doomed[i])
			continue;
		CHECK(capability_lookup_in(&processes[nodes[i].table].table, nodes[i].handle, OBJECT_NONE, 0,
			      &found) == ERR_BAD_HANDLE);
		forget(&nodes[i]);
		revoked++;
	}
	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i].used && nodes[i].object == node->object)
			check_node(&nodes[i]);
}

static void try_while_revoked(struct node *node)
{
	node->object->object.revocations++;
	if (node->rights & RIGHT_DUPLICATE)
		CHECK(sys_handle_duplicate(node->handle, RIGHTS_SAME).error == ERR_BUSY);
	if (node->rights & RIGHT_TRANSFER)
		CHECK(sys_handle_grant(handle_of[node->table][0], node->handle, RIGHTS_SAME).error ==
			ERR_BUSY);
	node->object->object.revocations--;
}

static void try_stale(void)
{
	unsigned i = (unsigned)random_below(STALE);

	if (!is_stale(stale[i].table, stale[i].handle))
		return;
	act_in(stale[i].table);
	CHECK(sys_handle_revoke(stale[i].handle).error == ERR_BAD_HANDLE);
	CHECK(sys_handle_duplicate(stale[i].handle, RIGHTS_SAME).error == ERR_BAD_HANDLE);
	CHECK(sys_handle_close(stale[i].handle).error == ERR_BAD_HANDLE);
}

// --- Tables begin and end

static void begin_table(unsigned table)
{
	processes[table].table = (struct capability_table){0};
	CHECK(capability_table_init(&processes[table].table, &root_account));
	for (unsigned to = 0; to < TABLES; to++) {
		CHECK(capability_reserve(&processes[table].table, &handle_of[table][to]) == ERR_OK);
		capability_install(
			&processes[table].table, handle_of[table][to], &processes[to].object, RIGHT_GRANT);
	}
}

static void end_table(unsigned table)
{
	capability_table_destroy(&processes[table].table);
	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i].used && nodes[i].table == table)
			forget(&nodes[i]);
	for (unsigned i = 0; i < STALE; i++)
		if (stale[i].table == table)
			stale[i].handle = HANDLE_NONE;
	tables_ended++;
}

static void start(void)
{
	for (unsigned i = 0; i < TABLES; i++) {
		struct object *object = &processes[i].object;

		object->type = OBJECT_PROCESS;
		object->references = 1;
		spin_init(&object->derivation_lock, RANK_DERIVATION);
	}
	for (unsigned i = 0; i < TABLES; i++)
		begin_table(i);
}

static void step(void)
{
	struct node *node = &nodes[random_below(NODES)];
	unsigned action = (unsigned)random_below(1000);
	bool room = free_node() != NULL;

	if (action == 0) {
		unsigned table = (unsigned)random_below(TABLES);

		end_table(table);
		begin_table(table);
		return;
	}
	if (!node->used) {
		act_in((unsigned)random_below(TABLES));
		if (room && action < 30)
			create((unsigned)(actor.process - processes));
		else
			try_stale();
		return;
	}
	act_in(node->table);
	if (action < 250 && room)
		duplicate(node);
	else if (action < 400 && room)
		mint(node);
	else if (action < 600 && room)
		grant(node);
	else if (action < 700 && room)
		transfer(node);
	else if (action < 800)
		keep(node);
	else if (action < 950)
		close(node);
	else if (action < 975)
		try_while_revoked(node);
	else
		revoke(node);
	object_reap();
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 11, pages, objects;

	core_machine_start(1);
	pages = root_account.pages_used;
	objects = root_account.objects_used;
	printf("seed %llu\n", (unsigned long long)seed);
	random_seed(seed);
	start();
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		if (i % CHECK_ALL == 0)
			check_all();
	}
	check_all();
	printf("%u operations: %llu derived, %llu closed, %llu revoked and %llu kept for them, %llu tables "
	       "ended\n",
		STEPS, (unsigned long long)derived, (unsigned long long)closed, (unsigned long long)revoked,
		(unsigned long long)kept_revoked, (unsigned long long)tables_ended);
	CHECK(revoked > STEPS / 100 && closed > STEPS / 100 && kept_revoked > STEPS / 1000);
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].object)
			forget_kept(&kept[i]);
	for (unsigned i = 0; i < TABLES; i++)
		end_table(i);
	object_reap();
	CHECK(test_objects_alive == 0);
	CHECK(root_account.pages_used == pages && root_account.objects_used == objects);
	return 0;
}
