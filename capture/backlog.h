/* SPDX-License-Identifier: ISC */
/*
 * Initiations that wait, the newest arrival first. While capture keeps up none waits for long and
 * order is nothing; when it doesn't, the oldest have the least left of their clients' patience (a
 * retry comes after 5 s, and makes the initiation before it worthless), so taking them first would
 * serve everybody too late. For the same reason the oldest gives its place when all are taken, and
 * those older than BACKLOG_KEEP_MS are forgotten.
 */
#ifndef PULLGATE_BACKLOG_H
#define PULLGATE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/initiation.h"
#include "capture/packet.h"

enum {
	BACKLOG_KEEP_MS = 5000, /* a client's retry: REKEY_TIMEOUT, WireGuard paper section 6.1 */
	/* What a fleet sends at once after an outage; of a flood it is more than ever has its turn. */
	BACKLOG_PLACES = 4096,
};

struct waiting {
	struct packet packet;
	uint64_t number; /* of its arrival: the greater is the newer */
	int64_t since_ms;
	/* What the packet has proven, once its curve work is done. */
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint8_t timestamp[TIMESTAMP_BYTES];
};

/* Zeroed at first. */
struct backlog {
	struct waiting places[BACKLOG_PLACES]; /* a ring */
	size_t next;                           /* the place for the next; before it is the newest */
	size_t count;
	uint64_t lost; /* forgotten, for want of room or of time */
};

/*
 * Takes a copy. One that is older than the newest counts as older than all of them: it was judged
 * when there was time to spare for it, in the order that backlog_take gives.
 */
void backlog_add(struct backlog *backlog, const struct waiting *waiting);

/* Whether one waits; forgets those on top that are too old. */
bool backlog_has(struct backlog *backlog, int64_t now_ms);

/* Takes out the newest. NULL without one; else valid until the next backlog_add. */
struct waiting *backlog_take(struct backlog *backlog, int64_t now_ms);

#endif
