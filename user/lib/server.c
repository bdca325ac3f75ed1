// SPDX-License-Identifier: MIT
//
// The loop of a server.

#include <runtime/server.h>
#include <string.h>

static void take_request(struct request *request, const struct message *message)
{
	*request = (struct request){
		.label = message_label(message->info),
		.badge = message->badge,
		.length = message_length(message->info),
		.capability_count = message_capabilities(message->info),
	};
	size_t words = request->length < MESSAGE_WIDE_WORDS ? request->length : MESSAGE_WIDE_WORDS;
	memcpy(request->words, message->words, words * sizeof(uint64_t));
	memcpy(request->capabilities, message_buffer()->capabilities,
		request->capability_count * sizeof(handle_t));
}

static void close_left_over(const struct request *request)
{
	for (size_t i = 0; i < request->capability_count; i++)
		if (request->capabilities[i] != HANDLE_NONE)
			handle_close(request->capabilities[i]);
}

// Makes the answer that the handler asked for.
static void make_answer(const struct request *request, enum error error, struct message *answer)
{
	size_t capabilities = request->answer_capability != HANDLE_NONE;
	answer->info = MESSAGE_INFO(error, request->answer_length, capabilities);
	memcpy(answer->words, request->words, sizeof(answer->words));
	message_buffer()->capabilities[0] = request->answer_capability;
}

// Answers and receives the next message; without an answer to give, only receives.
static enum error next_message(
	const struct server *server, struct message *message, bool answer, handle_t *sent)
{
	enum error error = ERR_OK;
	if (answer) {
		error = endpoint_reply_receive(server->endpoint, message);
	} else {
		*message = (struct message){0};
		error = endpoint_receive(server->endpoint, message);
	}
	if (*sent != HANDLE_NONE) {
		handle_close(*sent);
		*sent = HANDLE_NONE;
	}
	return error;
}

enum error server_run(const struct server *server)
{
	struct message message;
	struct request request;
	handle_t sent = HANDLE_NONE;
	bool answer = false;
	for (;;) {
		enum error error = next_message(server, &message, answer, &sent);
		if (error == ERR_CANCELLED) {
			answer = false;
			continue;
		}
		if (error != ERR_OK)
			return error;
		answer = (message.info & (MESSAGE_CALL | MESSAGE_FAULT)) == MESSAGE_CALL;
		if (message.info & MESSAGE_NOTIFICATION) {
			server->notification(message.words[0]);
			continue;
		}
		take_request(&request, &message);
		if (answer) {
			error = server->request(&request);
			answer = error != SERVER_LATER;
			make_answer(&request, error, &message);
			sent = request.answer_capability;
		}
		close_left_over(&request);
	}
}

void request_answer(handle_t reply, enum error error, uint64_t word)
{
	struct message message = {.info = MESSAGE_INFO(error, 1, 0), .words = {word}};
	if (endpoint_reply(reply, &message) != ERR_OK)
		handle_close(reply);
}
