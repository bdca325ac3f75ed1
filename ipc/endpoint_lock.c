// SPDX-License-Identifier: MIT
//
// An endpoint's lock, and the receiver that waits alone: whoever takes the lock finds it in the list.

#include <kernel/assert.h>
#include <kernel/endpoint.h>

// The receiver that waited alone does so in the list from now on. If it has just entered itself its CPU is about to say where.
static void put_in_list(struct endpoint *endpoint, struct thread *receiver)
{
	while (atomic_load(&receiver->alone_at) != endpoint)
		spin_wait();
	assert(list_is_empty(&endpoint->receivers));
	list_push_back(&endpoint->receivers, &receiver->wait_link);
	thread_state_wait(receiver, &ipc_receive_wait, endpoint);
	// Whoever does not find this any more finds the state.
	atomic_store(&receiver->alone_at, NULL);
}

void endpoint_lock(struct endpoint *endpoint)
{
	struct thread *alone;

	spin_lock(&endpoint->lock);
	alone = atomic_load(&endpoint->alone);
	while (alone == ENDPOINT_HELD ||
		!atomic_compare_exchange_strong(&endpoint->alone, &alone, ENDPOINT_CLOSED)) {
		spin_wait();
		alone = atomic_load(&endpoint->alone);
	}
	if (alone != NULL && alone != ENDPOINT_CLOSED)
		put_in_list(endpoint, alone);
}

// Signals to the bound notification take the lock.
static bool is_signalled(struct notification *notification)
{
	bool signalled;

	spin_lock(&notification->lock);
	signalled = notification->word != 0;
	spin_unlock(&notification->lock);
	return signalled;
}

// An endpoint that ends has no capabilities any more; when the last one to receive went the lock was taken.
bool endpoint_is_quiet(const struct endpoint *endpoint)
{
	return list_is_empty(&endpoint->receivers) && endpoint->senders == NULL &&
		atomic_load(&endpoint->receive_capabilities) != 0 &&
		(endpoint->notification == NULL || !is_signalled(endpoint->notification));
}

void endpoint_unlock(struct endpoint *endpoint)
{
	if (atomic_load(&endpoint->alone) == ENDPOINT_CLOSED && endpoint_is_quiet(endpoint))
		atomic_store_explicit(&endpoint->alone, NULL, memory_order_release);
	spin_unlock(&endpoint->lock);
}

void ipc_wait_in_list(struct thread *thread)
{
	// What it was a moment ago is still memory of an endpoint, which empties it before it ends.
	struct endpoint *endpoint = atomic_load(&thread->alone_at);

	if (endpoint == NULL)
		return;
	endpoint_lock(endpoint);
	endpoint_unlock(endpoint);
}
