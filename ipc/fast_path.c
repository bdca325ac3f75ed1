// SPDX-License-Identifier: MIT
//
// The fast path: a call to a receiver that waits, and an answer to a caller by a server that goes on waiting, in one
// step from user mode to user mode, without the scheduler. It has the cases that matter: words in registers, both
// on this CPU, nothing else to do. Everything is looked at first; what does not fit goes the general way with
// nothing changed.
//
// The current thread's registers are in its frame, but for the message words, which the ISA keeps for the other
// thread. Whoever else wants one of the two threads finds it as the general way would have left it: blocked in
// that wait, or running.

#include <arch/direct_switch.h>
#include <kernel/cpu.h>
#include <kernel/direct_call.h>
#include <kernel/fast_path.h>
#include <kernel/process.h>

#define COLD _Noreturn __attribute__((noinline, cold))
// With everything that it calls inside it.
#define WHOLE __attribute__((flatten))

// What a function called from here does not preserve. Such calls are made in functions of their own, which neither have arguments nor
// return, so that the ways that matter need no stack.
struct message {
	uint64_t word[MESSAGE_REGISTER_WORDS];
	uint64_t handle, info, badge;
};

INLINE struct message keep_message(void)
{
	return (struct message){
		{message_word_0, message_word_1, message_word_2, message_word_3},
		message_handle,
		message_info,
		message_badge,
	};
}

INLINE void restore_message(const struct message *message)
{
	message_word_0 = message->word[0];
	message_word_1 = message->word[1];
	message_word_2 = message->word[2];
	message_word_3 = message->word[3];
	message_handle = message->handle;
	message_badge = message->badge;
	message_info = message->info;
}

// Whether the message is words in registers and nothing else. What carries no word of a shorter one does not travel, nor does
// MESSAGE_WIDE. The general way would find the info in `self` as well.
INLINE bool has_only_words(struct thread *self)
{
	self->message_info = message_info;
	if (!RARE((uint32_t)message_info != MESSAGE_REGISTER_WORDS))
		return true;
	if ((uint32_t)message_info == 0) {
		arch_zero_message_words();
		return true;
	}
	message_info &= ~MESSAGE_WIDE;
	if ((uint32_t)message_info > MESSAGE_REGISTER_WORDS)
		return false;
	switch ((uint32_t)message_info) {
	case 0:
		message_word_0 = 0;
		// fallthrough
	case 1:
		message_word_1 = 0;
		// fallthrough
	case 2:
		message_word_2 = 0;
		// fallthrough
	case 3:
		message_word_3 = 0;
	}
	return true;
}

// Everything is as it was, but for the info.
INLINE _Noreturn void slow_call(void)
{
	message_info = thread_current()->message_info;
	arch_jump(arch_slow_endpoint_call);
}

INLINE _Noreturn void slow_reply_receive(void)
{
	message_info = thread_current()->message_info;
	arch_jump(arch_slow_endpoint_reply_receive);
}

static COLD void call_another(void)
{
	struct thread *self = thread_current();

	if (!direct_find(&self->call_target, message_handle, OBJECT_ENDPOINT, RIGHT_SEND))
		slow_call();
	message_info = self->message_info;
	arch_jump(arch_endpoint_call);
}

static COLD void reply_receive_another(void)
{
	struct thread *self = thread_current();

	if (!direct_find(&self->receive_target, message_handle, OBJECT_ENDPOINT, RIGHT_RECEIVE))
		slow_reply_receive();
	message_info = self->message_info;
	arch_jump(arch_endpoint_reply_receive);
}

static COLD void switch_slowly(void)
{
	struct message message = keep_message();
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->previous;

	cpu->previous = NULL;
	address_space_load(cpu, cpu->current->space);
	arch_fpu_switch_directly(&cpu->arch, &self->arch, &cpu->current->arch);
	restore_message(&message);
	arch_switch_directly(&self->arch, &cpu->current->arch);
}

// The other thread goes on at once, on the same time: in what is left of the slice, and paid by whoever pays now.
INLINE _Noreturn void pass_on(struct thread *self, struct thread *next)
{
	struct address_space *space = next->space;

	message_cpu->current = next;
	if ((message_cpu->address_space != space && RARE(!direct_load(message_cpu, space))) ||
		RARE(!arch_fpu_try_switch(&message_cpu->arch, &self->arch, &next->arch))) {
		message_cpu->previous = self;
		arch_jump(switch_slowly);
	}
	arch_switch_directly(&self->arch, &next->arch);
}

WHOLE void arch_endpoint_call(void)
{
	struct thread *self = arch_message_begin()->current, *server;
	struct endpoint *endpoint;
	uint64_t loans;

	if (RARE(!has_only_words(self)))
		slow_call();
	endpoint = self->call_target.endpoint;
	if (RARE(!direct_is_target(&self->call_target, message_handle)))
		arch_jump(call_another);
	server = direct_hold_receiver(endpoint);
	if (RARE(server == NULL))
		slow_call();
	loans = self->caller.loans;
	if (RARE(!direct_follows(server, self)) || RARE(loans & LOAN_CHAIN_MAX)) {
		if (!direct_is_unhindered(server, message_cpu) || loans == LOAN_CHAIN_MAX) {
			direct_put_back(endpoint, server);
			slow_call();
		}
		direct_lend_priority(server, self);
	}
	direct_take_receiver(endpoint, server);
	direct_wait_for_answer(self, server, loans);
	message_info |= MESSAGE_CALL;
	message_badge = self->call_target.badge;
	pass_on(self, server);
}

// The client's wait has ended just before it was answered, and the server waits already.
static COLD void wait_after_nobody(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *client = cpu->previous;

	cpu->previous = NULL;
	cpu->blocked = true;
	cpu_set_reschedule(cpu);
	atomic_store(&cpu->current->alone_at, cpu->current->receive_target.endpoint);
	object_put(&client->object);
	trap_exit();
	arch_enter_user(&thread_current()->arch);
}

INLINE _Noreturn void reply_receive(struct thread *self, uint64_t loans)
{
	struct thread *client = self->caller.thread;
	uint64_t wait = self->caller.wait_number;
	struct endpoint *endpoint;

	if (RARE(!direct_follows(client, self)) &&
		(!direct_is_unhindered(client, message_cpu) || direct_comes_later(client, self, message_cpu)))
		slow_reply_receive();
	endpoint = self->receive_target.endpoint;
	if (RARE(!direct_is_target(&self->receive_target, message_handle)))
		arch_jump(reply_receive_another);
	// Whoever comes once it is entered may give it another caller.
	self->caller.thread = NULL;
	self->caller.loans = 0;
	if (RARE(!direct_exchange_alone(endpoint, NULL, self))) {
		self->caller.thread = client;
		self->caller.loans = loans;
		slow_reply_receive();
	}
	if (RARE(!direct_claim(client, wait))) {
		message_cpu->previous = client;
		arch_jump(wait_after_nobody);
	}
	atomic_store(&self->alone_at, endpoint);
	message_badge = 0;
	pass_on(self, client);
}

// A client that works on a loan itself may have lost that; the general way finds out what it has now.
static COLD void reply_receive_in_chain(void)
{
	struct message message = keep_message();
	struct thread *self = thread_current(), *client = self->caller.thread;
	bool good = self->caller.loans != 0 && !direct_has_lost_loan(client);

	restore_message(&message);
	if (good)
		reply_receive(self, self->caller.loans);
	slow_reply_receive();
}

WHOLE void arch_endpoint_reply_receive(void)
{
	struct thread *self = arch_message_begin()->current;

	if (RARE(!has_only_words(self)))
		slow_reply_receive();
	// It has a caller with a loan, and so has not that one.
	if (RARE(self->caller.loans != 1))
		arch_jump(reply_receive_in_chain);
	reply_receive(self, 1);
}

void ipc_fast_path_work(struct arch_thread *previous)
{
	struct thread *thread = container_of(previous, struct thread, arch);

	// It may have been loaded without the last look of a switch.
	address_space_load(cpu_self(), thread_current()->space);
	// Whoever killed or kicked it before it waited could not end the wait.
	if (atomic_load(&thread->killed))
		thread_abort_wait(thread, ERR_CANCELLED);
	else
		guest_check_kick(thread);
	trap_exit();
}
