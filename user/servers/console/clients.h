// SPDX-License-Identifier: MIT
//
// Clients that wait: for input, for room for their output, for all output to have left. All waiting is a
// saved reply.

#ifndef CONSOLE_CLIENTS_H
#define CONSOLE_CLIENTS_H

#include <runtime/server.h>

// The notification's bits say that clients have gone that waited: clients_remove_gone.
void clients_open(handle_t notification, uint64_t bits);
void clients_remove_gone(void);

// Requests of protocol/console.h; each returns the label of the answer, or SERVER_LATER.
enum error client_write(struct request *request);
enum error client_read(struct request *request);
enum error client_watch_input(struct request *request);
enum error client_drain(void);
enum error client_finish(uint64_t status);

// Goes on with those who wait, as far as the line allows now.
void clients_work(void);

// When clients_work is to be called at the latest, whatever else happens: a deadline, or DEADLINE_NEVER.
uint64_t clients_deadline(void);

// Tells the watches that input has arrived.
void clients_signal_input(void);

#endif
