// SPDX-License-Identifier: MIT
//
// Every handle argument of every system call: handles that were never given, are stale or belong to another process, objects
// of wrong types, and each right missing in turn. Nothing happens then, and nothing is left behind.

#include "cases.h"

static char bytes[64];
static struct message message;
static struct registers registers;
static struct {
	struct handle_info handle;
	struct account_info account;
	struct process_info process;
	struct thread_info thread;
	struct scheduling_context_info context;
	struct memory_info memory;
	struct mapping_info mapping;
	struct system_info system;
	struct process_record record;
	struct cpu_info cpu;
	struct object_type_info object_type;
} info;

#define ATTRIBUTES(...)                                                           \
	&(struct thread_attributes)                                               \
	{                                                                         \
		.entry = (uintptr_t)bytes, .flags = THREAD_SUSPENDED, __VA_ARGS__ \
	}
#define MAPPING(access, ...)                                      \
	&(struct map_request)                                     \
	{                                                         \
		.length = PAGE_SIZE, .flags = access, __VA_ARGS__ \
	}
#define WORD ((uintptr_t)&yielded)

HANDLE_CASE(handle_close, handle, ANY, 0, handle);
HANDLE_CASE(handle_duplicate, handle, ANY, RIGHT_DUPLICATE, handle, 0, &made);
HANDLE_CASE(handle_mint, handle, ANY, RIGHT_DUPLICATE, handle, 0, 1, &made);
HANDLE_CASE(handle_info, handle, ANY, 0, handle, &info.handle);
HANDLE_CASE(handle_grant, process, PROCESS, RIGHT_GRANT, handle, AN(TIMER), 0, &made);
HANDLE_CASE(handle_grant, handle, ANY, RIGHT_TRANSFER, AN(PROCESS), handle, 0, &made);
HANDLE_CASE(handle_revoke, handle, ANY, 0, handle);

HANDLE_CASE(account_create, parent, ACCOUNT, RIGHT_CREATE, handle, 1, 1, &made);
HANDLE_CASE(account_info, account, ACCOUNT, RIGHT_READ, handle, &info.account);

HANDLE_CASE(process_create, account, ACCOUNT, RIGHT_GRANT, handle, "none", &made);
HANDLE_CASE(process_address_space, process, PROCESS, RIGHT_CONTROL, handle, &made);
HANDLE_CASE(process_kill, process, PROCESS, RIGHT_KILL, handle, 0);
HANDLE_CASE(process_info, process, PROCESS, RIGHT_READ, handle, &info.process);
HANDLE_CASE(process_watch, process, PROCESS, RIGHT_BIND, handle, AN(NOTIFICATION), 1);
OPTIONAL_HANDLE_CASE(process_watch, notification, NOTIFICATION, RIGHT_SEND, AN(PROCESS), handle, 1);

HANDLE_CASE(thread_create, process, PROCESS, RIGHT_CONTROL, handle, ATTRIBUTES(), &made);
OPTIONAL_HANDLE_CASE(thread_create, fault_endpoint, ENDPOINT, RIGHT_SEND, HANDLE_SELF,
	ATTRIBUTES(.fault_endpoint = handle), &made);
HANDLE_CASE(thread_kill, thread, THREAD, RIGHT_KILL, handle, 0);
HANDLE_CASE(thread_join, thread, THREAD, RIGHT_READ, handle, 0, &yielded);
HANDLE_CASE(thread_detach, thread, THREAD, RIGHT_CONTROL, handle);
HANDLE_CASE(thread_suspend, thread, THREAD, RIGHT_CONTROL, handle);
HANDLE_CASE(thread_resume, thread, THREAD, RIGHT_CONTROL, handle);
HANDLE_CASE(thread_info, thread, THREAD, RIGHT_READ, handle, &info.thread);
HANDLE_CASE(thread_set_priority, thread, THREAD, RIGHT_CONTROL, handle, 1);
HANDLE_CASE(thread_set_affinity, thread, THREAD, RIGHT_CONTROL, handle, 1);
HANDLE_CASE(thread_set_tls, thread, THREAD, RIGHT_CONTROL, handle, 0);
HANDLE_CASE(thread_read_registers, thread, THREAD, RIGHT_READ, handle, &registers);
HANDLE_CASE(thread_write_registers, thread, THREAD, RIGHT_CONTROL, handle, &registers);
HANDLE_CASE(thread_watch, thread, THREAD, RIGHT_BIND, handle, AN(NOTIFICATION), 1);
OPTIONAL_HANDLE_CASE(thread_watch, notification, NOTIFICATION, RIGHT_SEND, AN(THREAD), handle, 1);

HANDLE_CASE(scheduling_context_configure, context, SCHEDULING_CONTEXT, RIGHT_CONTROL, handle, 0, 0, 0);
OPTIONAL_HANDLE_CASE(scheduling_context_bind, context, SCHEDULING_CONTEXT, RIGHT_BIND, handle, AN(THREAD));
HANDLE_CASE(scheduling_context_bind, thread, THREAD, RIGHT_CONTROL, AN(SCHEDULING_CONTEXT), handle);
HANDLE_CASE(scheduling_context_info, context, SCHEDULING_CONTEXT, RIGHT_READ, handle, &info.context);

HANDLE_CASE(memory_create_physical, resource, RESOURCE, RIGHT_CREATE, handle, 0, PAGE_SIZE, &made);
HANDLE_CASE(memory_clone, memory, MEMORY, RIGHT_READ | RIGHT_DUPLICATE, handle, 0, PAGE_SIZE, &made);
HANDLE_CASE(memory_read, memory, MEMORY, RIGHT_READ, handle, 0, bytes, 1);
HANDLE_CASE(memory_write, memory, MEMORY, RIGHT_WRITE, handle, 0, bytes, 1);
HANDLE_CASE(memory_create_paged, endpoint, ENDPOINT, RIGHT_SEND, handle, PAGE_SIZE, &made);
// A reply will do as well for the memory; what it lacks is tried elsewhere.
OPTIONAL_HANDLE_CASE(memory_supply, memory, ANY, 0, handle, 0, AN(MEMORY), 0, PAGE_SIZE);
HANDLE_CASE(memory_supply, source, MEMORY, RIGHT_READ | RIGHT_DUPLICATE, AN(MEMORY), 0, handle, 0, PAGE_SIZE);
HANDLE_CASE(memory_decommit, memory, MEMORY, RIGHT_WRITE, handle, 0, PAGE_SIZE);
HANDLE_CASE(memory_info, memory, MEMORY, RIGHT_READ, handle, &info.memory);

HANDLE_CASE(
	address_space_map, address_space, ADDRESS_SPACE, RIGHT_MAP, handle, MAPPING(MAPPING_READ), &yielded);
OPTIONAL_HANDLE_CASE(address_space_map, memory, MEMORY, RIGHT_MAP | RIGHT_READ | RIGHT_WRITE,
	AN(ADDRESS_SPACE), MAPPING(MAPPING_READ | MAPPING_WRITE, .memory = handle), &yielded);
OPTIONAL_HANDLE_CASE(address_space_map, memory_of_code, MEMORY, RIGHT_MAP | RIGHT_READ | RIGHT_EXECUTE,
	AN(ADDRESS_SPACE), MAPPING(MAPPING_READ | MAPPING_EXECUTE, .memory = handle), &yielded);
HANDLE_CASE(address_space_unmap, address_space, ADDRESS_SPACE, RIGHT_MAP, handle, PAGE_SIZE, PAGE_SIZE);
HANDLE_CASE(address_space_protect, address_space, ADDRESS_SPACE, RIGHT_MAP, handle, PAGE_SIZE, PAGE_SIZE,
	MAPPING_READ);
HANDLE_CASE(address_space_clone, address_space, ADDRESS_SPACE, RIGHT_READ | RIGHT_MAP, handle, &made);
HANDLE_CASE(
	address_space_read, address_space, ADDRESS_SPACE, RIGHT_READ, handle, PAGE_SIZE, bytes, 1, &yielded);
HANDLE_CASE(address_space_write, address_space, ADDRESS_SPACE, RIGHT_WRITE, handle, PAGE_SIZE, bytes, 1,
	&yielded);
HANDLE_CASE(address_space_query, address_space, ADDRESS_SPACE, RIGHT_READ, handle, 0, &info.mapping);
HANDLE_CASE(address_space_sync_code, address_space, ADDRESS_SPACE, RIGHT_MAP, handle, PAGE_SIZE, PAGE_SIZE);

// A message with one capability, or that offers a buffer of an address space.
static struct message *with_capability(handle_t handle)
{
	message_buffer()->capabilities[0] = handle;
	message.info = MESSAGE_INFO(0, 0, 1) | MESSAGE_TRY;
	return &message;
}

static struct message *with_offer(handle_t handle)
{
	message_offer(0, bytes, sizeof(bytes), OFFER_READ | OFFER_WRITE);
	message_buffer()->offered[0].address_space = handle;
	message.info = MESSAGE_BUFFERS | MESSAGE_TRY;
	return &message;
}

static struct message *trying(void)
{
	message.info = MESSAGE_TRY;
	return &message;
}

HANDLE_CASE(endpoint_call, handle, ENDPOINT, RIGHT_SEND, handle, trying());
HANDLE_CASE(endpoint_call, capability, ANY, RIGHT_TRANSFER, AN(ENDPOINT), with_capability(handle));
HANDLE_CASE(
	endpoint_call, offered, ADDRESS_SPACE, RIGHT_READ | RIGHT_WRITE, AN(ENDPOINT), with_offer(handle));
HANDLE_CASE(endpoint_send, handle, ENDPOINT, RIGHT_SEND, handle, trying());
HANDLE_CASE(endpoint_send, capability, ANY, RIGHT_TRANSFER, AN(ENDPOINT), with_capability(handle));
HANDLE_CASE(endpoint_receive, handle, ENDPOINT, RIGHT_RECEIVE, handle, trying());
HANDLE_CASE(endpoint_reply_receive, handle, ENDPOINT, RIGHT_RECEIVE, handle, trying());
HANDLE_CASE(endpoint_reply_receive, capability, ANY, RIGHT_TRANSFER, AN(ENDPOINT), with_capability(handle));
// What a reply lacks is tried in ipc_refused.c: nobody may duplicate it.
OPTIONAL_HANDLE_CASE(endpoint_reply, handle, REPLY, 0, handle, &(struct message){0});
HANDLE_CASE(endpoint_reply, capability, ANY, RIGHT_TRANSFER, AN(REPLY),
	(with_capability(handle), message.info &= ~MESSAGE_TRY, &message));
OPTIONAL_HANDLE_CASE(reply_read, reply, REPLY, 0, handle, 0, 0, bytes, 1, &yielded);
OPTIONAL_HANDLE_CASE(reply_write, reply, REPLY, 0, handle, 0, 0, bytes, 1, &yielded);
OPTIONAL_HANDLE_CASE(reply_watch, reply, REPLY, 0, handle, AN(NOTIFICATION), 1);
OPTIONAL_HANDLE_CASE(reply_watch, notification, NOTIFICATION, RIGHT_SEND, AN(REPLY), handle, 1);
HANDLE_CASE(endpoint_bind, endpoint, ENDPOINT, RIGHT_RECEIVE | RIGHT_BIND, handle, AN(NOTIFICATION));
OPTIONAL_HANDLE_CASE(endpoint_bind, notification, NOTIFICATION, RIGHT_RECEIVE, AN(ENDPOINT), handle);

HANDLE_CASE(notification_signal, notification, NOTIFICATION, RIGHT_SEND, handle, 1);
HANDLE_CASE(notification_wait, notification, NOTIFICATION, RIGHT_RECEIVE, handle, 0, &yielded);
HANDLE_CASE(notification_poll, notification, NOTIFICATION, RIGHT_RECEIVE, handle, &yielded);
HANDLE_CASE(interrupt_create, resource, RESOURCE, RIGHT_CREATE, handle, 1, 0, &made);
HANDLE_CASE(interrupt_bind, interrupt, INTERRUPT, RIGHT_BIND, handle, AN(NOTIFICATION), 1);
HANDLE_CASE(interrupt_bind, notification, NOTIFICATION, RIGHT_SEND, AN(INTERRUPT), handle, 1);
HANDLE_CASE(interrupt_acknowledge, interrupt, INTERRUPT, RIGHT_CONTROL, handle);
HANDLE_CASE(timer_object_create, notification, NOTIFICATION, RIGHT_SEND, handle, 1, &made);
HANDLE_CASE(timer_set, timer, TIMER, RIGHT_CONTROL, handle, 0, 0);
HANDLE_CASE(timer_cancel, timer, TIMER, RIGHT_CONTROL, handle);

HANDLE_CASE(futex_wait, address_space, ADDRESS_SPACE, RIGHT_READ, handle, WORD, 0, 0);
HANDLE_CASE(futex_wake, address_space, ADDRESS_SPACE, RIGHT_READ, handle, WORD, 1, &yielded);
HANDLE_CASE(futex_requeue, address_space, ADDRESS_SPACE, RIGHT_READ, handle, WORD, 0, 1, WORD, 1, &yielded);
HANDLE_CASE(futex_exchange, address_space, ADDRESS_SPACE, RIGHT_READ | RIGHT_WRITE, handle, WORD, 0, 0);
HANDLE_CASE(futex_wait_owned, address_space, ADDRESS_SPACE, RIGHT_READ, handle, WORD, 0, AN(THREAD), 1, 0);
OPTIONAL_HANDLE_CASE(futex_wait_owned, owner, THREAD, RIGHT_CONTROL, HANDLE_SELF, WORD, 0, handle, 1, 0);
HANDLE_CASE(futex_hand_over, address_space, ADDRESS_SPACE, RIGHT_READ | RIGHT_WRITE, handle, WORD, 0, 0,
	&yielded);

OPTIONAL_HANDLE_CASE(guest_bind, address_space, ADDRESS_SPACE, RIGHT_MAP, handle, PAGE_SIZE);
HANDLE_CASE(guest_kick, thread, THREAD, RIGHT_CONTROL, handle);

HANDLE_CASE(resource_create, resource, RESOURCE, RIGHT_CREATE, handle, 0, 1, &made);
HANDLE_CASE(io_port_read, resource, RESOURCE, RIGHT_READ, handle, 0x80, 1, &yielded);
HANDLE_CASE(io_port_write, resource, RESOURCE, RIGHT_WRITE, handle, 0x80, 1, 0);
HANDLE_CASE(io_port_write_bytes, resource, RESOURCE, RIGHT_WRITE, handle, 0x80, bytes, 1);
HANDLE_CASE(log_write, log, RESOURCE, RIGHT_WRITE, handle, LOG_DEBUG, bytes, 1);
HANDLE_CASE(log_read, log, RESOURCE, RIGHT_READ, handle, 0, bytes, 1, &yielded, &yielded);
HANDLE_CASE(log_watch, log, RESOURCE, RIGHT_CONTROL, handle, AN(NOTIFICATION), 1);
OPTIONAL_HANDLE_CASE(log_watch, notification, NOTIFICATION, RIGHT_SEND, start_handle(START_LOG), handle, 1);
HANDLE_CASE(system_power, system, RESOURCE, RIGHT_CONTROL, handle, POWER_OFF);
HANDLE_CASE(system_info, system, RESOURCE, RIGHT_READ, handle, &info.system);
HANDLE_CASE(system_process, system, RESOURCE, RIGHT_READ, handle, 0, &info.record);
HANDLE_CASE(system_thread, system, RESOURCE, RIGHT_READ, handle, 1, 0, &info.thread);
HANDLE_CASE(system_cpu, system, RESOURCE, RIGHT_READ, handle, 0, &info.cpu);
HANDLE_CASE(system_object_type, system, RESOURCE, RIGHT_READ, handle, OBJECT_THREAD, &info.object_type);

extern const struct handle_case __start_handle_cases[], __stop_handle_cases[];

#define FOR_EACH_CASE(each) \
	for (const struct handle_case *each = __start_handle_cases; each < __stop_handle_cases; each++)

static void expect(
	const struct handle_case *tried, handle_t handle, enum error wanted, const char *what, unsigned which)
{
	enum error error = tried->call(handle);

	if (error != wanted)
		test_fail(__FILE__, __LINE__, "%s: %s %#x gives error %d, not %d", tried->name, what, which,
			error, wanted);
}

static uint64_t handles_now(void)
{
	struct process_info process = {0};

	EXPECT_OK(process_info(HANDLE_SELF, &process));
	return process.handle_count;
}

// A handle of the process in the table that means nothing here.
static handle_t make_foreign(void)
{
	handle_t foreign;

	do {
		if (handle_grant(AN(PROCESS), AN(NOTIFICATION), RIGHTS_SAME, &foreign) != ERR_OK)
			return HANDLE_NONE;
	} while (handle_info(foreign, &info.handle) == ERR_OK);
	return foreign;
}

static handle_t make_stale(void)
{
	handle_t stale = without(AN(NOTIFICATION), 0);

	handle_close(stale);
	return stale;
}

TEST(every_handle_argument_bad_handles)
{
	handle_t bad[] = {0, 0, 1, UINT32_MAX, (handle_t)1 << 63, (handle_t)0xffff << 32, HANDLE_SELF - 1,
		(handle_t)1 << 32 | 32767, (handle_t)1 << 32 | 32768, HANDLE_NONE};
	unsigned count = sizeof(bad) / sizeof(bad[0]);
	uint64_t before;

	REQUIRE(objects_make());
	bad[0] = make_foreign();
	bad[1] = make_stale();
	REQUIRE(bad[0] != HANDLE_NONE);
	before = handles_now();
	FOR_EACH_CASE(tried)
	for (unsigned i = 0; i < count - tried->optional; i++)
		expect(tried, bad[i], ERR_BAD_HANDLE, "bad handle", i);
	EXPECT_EQUAL(handles_now(), before);
	objects_close();
}

TEST(every_handle_argument_wrong_types)
{
	uint64_t before;

	REQUIRE(objects_make());
	before = handles_now();
	FOR_EACH_CASE(tried)
	for (unsigned type = 1; type < OBJECT_TYPE_COUNT && tried->type != OBJECT_ANY; type++)
		if (type != tried->type)
			expect(tried, objects[type], ERR_WRONG_TYPE, "an object of type", type);
	EXPECT_EQUAL(handles_now(), before);
	objects_close();
}

TEST(every_handle_argument_missing_rights)
{
	uint64_t before;

	REQUIRE(objects_make());
	before = handles_now();
	FOR_EACH_CASE(tried)
	{
		enum object_type type = tried->type == OBJECT_ANY ? OBJECT_NOTIFICATION : tried->type;

		for (rights_t right = 1; right <= RIGHTS_ALL; right <<= 1) {
			handle_t fewer = tried->rights & right ? without(objects[type], right) : HANDLE_NONE;

			if (fewer == HANDLE_NONE)
				continue;
			expect(tried, fewer, ERR_NO_RIGHTS, "missing right", right);
			EXPECT_OK(handle_close(fewer));
		}
	}
	EXPECT_EQUAL(handles_now(), before);
	objects_close();
}
