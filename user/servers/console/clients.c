// SPDX-License-Identifier: MIT
//
// Clients that wait, each kind in a queue in order of arrival.

#include "clients.h"
#include "kernel_log.h"
#include "line.h"
#include <protocol/console.h>
#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <string.h>

#define QUEUE_SIZE     64
#define CHUNK          4096
#define DRAIN_INTERVAL ((uint64_t)1000 * 1000) // between looks at whether the device is idle, in nanoseconds

struct waiting {
	handle_t reply;
	enum line_channel channel; // of a writer; CHANNEL_STATUS: a status to be reported
	size_t length;             // bytes to write, or room for input; the status
	uint64_t deadline;         // of a reader
};

struct queue {
	struct waiting entry[QUEUE_SIZE];
	size_t count;
};

struct watch {
	uint64_t badge;
	handle_t notification; // HANDLE_NONE: free
	uint64_t bits;
};

static struct queue writers, readers, drainers;
static struct watch watches[CONSOLE_WATCHERS];
static handle_t gone_notification;
static uint64_t gone_bits;

// --- Queues

static void remove_at(struct queue *queue, size_t index)
{
	queue->count--;
	memmove(&queue->entry[index], &queue->entry[index + 1],
		(queue->count - index) * sizeof(queue->entry[0]));
}

// Whose caller has gone is told when somebody tries to use its buffer.
static void remove_gone(struct queue *queue)
{
	uint64_t copied;
	uint8_t nothing;
	for (size_t i = queue->count; i > 0; i--) {
		handle_t reply = queue->entry[i - 1].reply;
		if (reply_read(reply, 0, 0, &nothing, 0, &copied) == ERR_GONE) {
			handle_close(reply);
			remove_at(queue, i - 1);
		}
	}
}

// Saves the current caller at the end of a queue.
static enum error enter(struct queue *queue, struct waiting waiting)
{
	if (queue->count == QUEUE_SIZE)
		return ERR_BUSY;
	enum error error = reply_save(&waiting.reply);
	if (error != ERR_OK)
		return error;
	reply_watch(waiting.reply, gone_notification, gone_bits);
	queue->entry[queue->count++] = waiting;
	return SERVER_LATER;
}

static void answer(struct queue *queue, size_t index, enum error error, uint64_t word)
{
	request_answer(queue->entry[index].reply, error, word);
	remove_at(queue, index);
}

// --- Writing

// Takes as much of a writer's bytes as there is room for. `reply` is HANDLE_NONE for the current caller.
static enum error take_output(handle_t reply, enum line_channel channel, size_t length, size_t *taken)
{
	static uint8_t chunk[CHUNK];
	size_t room = line_room();
	length = length < room ? length : room;
	for (*taken = 0; *taken < length;) {
		size_t piece = length - *taken < CHUNK ? length - *taken : CHUNK;
		uint64_t copied = 0;
		enum error error = reply_read(reply, 0, *taken, chunk, piece, &copied);
		if (error != ERR_OK)
			return *taken > 0 ? ERR_OK : error;
		line_append(channel, chunk, copied);
		*taken += copied;
		if (copied < piece)
			break;
	}
	return ERR_OK;
}

static void work_for_writers(void)
{
	while (writers.count > 0) {
		const struct waiting *first = &writers.entry[0];
		size_t taken;
		enum error error = take_output(first->reply, first->channel, first->length, &taken);
		if (error == ERR_OK && taken == 0)
			break;
		answer(&writers, 0, error, taken);
	}
}

enum error client_write(struct request *request)
{
	bool to_error = request->words[0] == CONSOLE_ERROR;
	enum line_channel channel = to_error ? CHANNEL_ERROR : CHANNEL_OUTPUT;
	size_t length = request->words[1], taken = 0;
	enum error error = ERR_OK;
	if (!to_error && request->words[0] != CONSOLE_OUTPUT)
		return ERR_INVALID_ARGUMENT;
	if (writers.count == 0)
		error = take_output(HANDLE_NONE, channel, length, &taken);
	if (error == ERR_OK && taken == 0 && length > 0)
		return enter(&writers, (struct waiting){.channel = channel, .length = length});
	request->words[0] = taken;
	request->answer_length = 1;
	return error;
}

// --- Reading

// Copies input to a reader and takes it out of the ring. There is some.
static enum error give_input(handle_t reply, size_t room, size_t *given)
{
	const uint8_t *bytes;
	*given = 0;
	while (*given < room) {
		size_t run = line_input_run(&bytes);
		uint64_t copied = 0;
		run = run < room - *given ? run : room - *given;
		if (run == 0)
			break;
		enum error error = reply_write(reply, 0, *given, bytes, run, &copied);
		if (error != ERR_OK)
			return *given > 0 ? ERR_OK : error;
		line_input_drop(copied);
		*given += copied;
		if (copied < run)
			break;
	}
	return ERR_OK;
}

static void work_for_readers(void)
{
	uint64_t now;
	if (readers.count == 0)
		return;
	while (readers.count > 0 && line_input_count() > 0) {
		size_t given;
		enum error error = give_input(readers.entry[0].reply, readers.entry[0].length, &given);
		answer(&readers, 0, error, given);
	}
	clock_get(&now);
	for (size_t i = readers.count; i > 0; i--)
		if (readers.entry[i - 1].deadline <= now)
			answer(&readers, i - 1, ERR_TIMED_OUT, 0);
}

enum error client_read(struct request *request)
{
	size_t room = request->words[0], given;
	uint64_t deadline = request->words[1];
	if (room == 0)
		return ERR_INVALID_ARGUMENT;
	if (readers.count > 0 || line_input_count() == 0) {
		struct waiting waiting = {.length = room, .deadline = deadline};
		return deadline == 0 ? ERR_WOULD_BLOCK : enter(&readers, waiting);
	}
	enum error error = give_input(HANDLE_NONE, room, &given);
	request->words[0] = given;
	request->answer_length = 1;
	return error;
}

// --- Watching input

static struct watch *find_watch(uint64_t badge)
{
	struct watch *free = NULL;
	for (size_t i = 0; i < CONSOLE_WATCHERS; i++)
		if (watches[i].notification == HANDLE_NONE)
			free = &watches[i];
		else if (watches[i].badge == badge)
			return &watches[i];
	return free;
}

enum error client_watch_input(struct request *request)
{
	struct watch *watch = find_watch(request->badge);
	struct handle_info info = {0};
	if (request->capability_count > 0) {
		handle_info(request->capabilities[0], &info);
		if (info.type != OBJECT_NOTIFICATION)
			return ERR_WRONG_TYPE;
		if (request->words[0] == 0)
			return ERR_INVALID_ARGUMENT;
	}
	if (watch == NULL)
		return ERR_BUSY;
	if (watch->notification != HANDLE_NONE) {
		handle_close(watch->notification);
		watch->notification = HANDLE_NONE;
	}
	if (request->capability_count > 0) {
		*watch = (struct watch){
			.badge = request->badge,
			.notification = request->capabilities[0],
			.bits = request->words[0],
		};
		request->capabilities[0] = HANDLE_NONE;
		if (line_input_count() > 0)
			notification_signal(watch->notification, watch->bits);
	}
	return ERR_OK;
}

void clients_signal_input(void)
{
	for (size_t i = 0; i < CONSOLE_WATCHERS; i++)
		if (watches[i].notification != HANDLE_NONE)
			notification_signal(watches[i].notification, watches[i].bits);
}

// --- Draining

static bool all_is_out(void)
{
	return writers.count == 0 && !kernel_log_is_behind() && line_is_drained();
}

enum error client_drain(void)
{
	return all_is_out() ? ERR_OK : enter(&drainers, (struct waiting){.deadline = DEADLINE_NEVER});
}

enum error client_finish(uint64_t status)
{
	struct waiting waiting = {.channel = CHANNEL_STATUS, .length = status};
	return status > 255 ? ERR_INVALID_ARGUMENT : enter(&drainers, waiting);
}

// Appends the status behind all that was written before. False: there is no room yet.
static bool report_status(struct waiting *waiting)
{
	char text[8];
	if (writers.count > 0 || kernel_log_is_behind() || line_room() < sizeof(text))
		return false;
	size_t length = format_text(text, sizeof(text), "%zu", waiting->length);
	line_append(CHANNEL_STATUS, (const uint8_t *)text, length);
	waiting->channel = CHANNEL_NONE;
	return true;
}

static void work_for_drainers(void)
{
	while (drainers.count > 0) {
		struct waiting *first = &drainers.entry[0];
		if (first->channel == CHANNEL_STATUS ? !report_status(first) : !all_is_out())
			break;
		if (all_is_out())
			answer(&drainers, 0, ERR_OK, 0);
	}
}

// --- All

void clients_open(handle_t notification, uint64_t bits)
{
	gone_notification = notification;
	gone_bits = bits;
}

void clients_remove_gone(void)
{
	remove_gone(&writers);
	remove_gone(&readers);
	remove_gone(&drainers);
}

void clients_work(void)
{
	work_for_readers();
	work_for_writers();
	work_for_drainers();
}

uint64_t clients_deadline(void)
{
	uint64_t deadline = DEADLINE_NEVER;
	if (drainers.count > 0) {
		clock_get(&deadline);
		deadline += DRAIN_INTERVAL;
	}
	for (size_t i = 0; i < readers.count; i++)
		deadline = readers.entry[i].deadline < deadline ? readers.entry[i].deadline : deadline;
	return deadline;
}
