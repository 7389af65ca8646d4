/* SPDX-License-Identifier: ISC */
/*
 * The connector at work: takes CONNECTs, answers each with CONNECTED and the socket or with
 * CONNECT_FAILED. A CONNECT names no destination: it can only be the configured origin.
 */
#ifndef PULLGATE_CONNECTOR_DISPATCH_H
#define PULLGATE_CONNECTOR_DISPATCH_H

#include "common/process.h"
#include "connector/addresses.h"
#include "connector/attempt.h"

#define CONNECTOR_ATTEMPTS 64 /* at once; more CONNECTs fail */

struct connector {
	struct process process;
	struct message_connector_settings settings;
	struct addresses addresses;
	struct attempt attempts[CONNECTOR_ATTEMPTS];
	size_t attempt_count;
};

/* Takes START and the settings from the supervisor. Fatal on anything that doesn't fit. */
void connector_open(struct connector *connector);

/* The Unix socket that is the origin, or NULL. */
const char *connector_socket_path(const struct connector *connector);

/* One turn: waits for something to happen, and does all that is to be done then. */
void connector_turn(struct connector *connector);

#endif
