/* SPDX-License-Identifier: ISC */
/*
 * Which installed peers go by themselves, and which yield to newcomers when the table is full. Each
 * is judged by a dump that showed it, never by guesses of what happened since. Times belong to one
 * installation. Static peers are never judged.
 */
#ifndef PULLGATE_INSTALLER_EVICTION_H
#define PULLGATE_INSTALLER_EVICTION_H

#include <stdbool.h>
#include <stdint.h>

#include "installer/peers.h"

/*
 * A session can live for 180 s after its handshake (REJECT_AFTER_TIME, WireGuard paper, section
 * 6.1): nobody who was active within it yields to a newcomer, unless idle_after is shorter.
 */
#define EVICTION_SESSION_MS 180000
/* So long a client that can finish its handshake at all is given to do so, one retry included. */
#define EVICTION_HANDSHAKE_MS 6000

struct eviction {
	int64_t idle_after_ms; /* 0: never */
	int64_t unconfirmed_after_ms;
};

/* Why a peer that the dump begun at dump_ms showed must go now: "unconfirmed", "idle"; or NULL. */
const char *eviction_reason(
	const struct eviction *eviction, const struct peer *peer, int64_t dump_ms);

#define EVICTION_CANDIDATES_MAX 64

/* Those that yield when the table is full: unconfirmed ones first, then the longest idle. */
struct eviction_candidates {
	uint32_t count;
	struct eviction_candidate {
		uint32_t slot;
		int64_t installed_ms, active_ms;
		bool is_confirmed;
	} item[EVICTION_CANDIDATES_MAX]; /* the first to go is the last */
};

/* Takes the peer in if it yields and belongs to the first. */
void eviction_offer(struct eviction_candidates *candidates, const struct eviction *eviction,
	const struct peers *peers, uint32_t slot, int64_t dump_ms);

/* Takes out the first to go that is still as it was when offered, or KEY_INDEX_NONE. */
uint32_t eviction_take(struct eviction_candidates *candidates, const struct peers *peers);
/* The same among unconfirmed ones alone: confirmed ones stay candidates. */
uint32_t eviction_take_unconfirmed(
	struct eviction_candidates *candidates, const struct peers *peers);

#endif
