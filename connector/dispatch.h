/* SPDX-License-Identifier: ISC */
/*
 * The connector at work: takes CONNECTs, answers each with CONNECTED and the socket or with
 * CONNECT_FAILED. A CONNECT names no destination but the place of an origin in the configuration.
 */
#ifndef PULLGATE_CONNECTOR_DISPATCH_H
#define PULLGATE_CONNECTOR_DISPATCH_H

#include "common/process.h"
#include "connector/attempt.h"
#include "connector/origins.h"
#include "sandbox/root.h"

#define CONNECTOR_ATTEMPTS 64 /* at once; more CONNECTs fail */

/* How often it starts afresh for a Unix socket's directory that was missing: not so soon that the
 * supervisor would take it for ill (10 s). */
#define CONNECTOR_LOOK_MS 11000

struct connector {
	struct process process;
	struct message_connector_settings settings;
	struct origins origins;
	int64_t opened_ms;
	struct attempt attempts[CONNECTOR_ATTEMPTS];
	size_t attempt_count;
};

/* Takes START, the origins and the settings from the supervisor. Fatal on anything that doesn't fit. */
void connector_open(struct connector *connector);

/* What the origins need in the root; the texts are the connector's. */
struct root_needs connector_root_needs(const struct connector *connector);

/* One turn: waits for something to happen, and does all that is to be done then. */
void connector_turn(struct connector *connector);

#endif
