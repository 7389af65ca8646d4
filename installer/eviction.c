/* SPDX-License-Identifier: ISC */
/* Which installed peers go by themselves, and which yield to newcomers. */
#include "installer/eviction.h"

#include <string.h>

static bool may_be_judged(const struct peer *peer)
{
	return peer->state == KNOWN_INSTALLED && !peer->is_intent;
}

const char *eviction_reason(
	const struct eviction *eviction, const struct peer *peer, int64_t dump_ms)
{
	if (!may_be_judged(peer))
		return NULL;
	if (!peer->is_confirmed)
		return dump_ms - peer->installed_ms >= eviction->unconfirmed_after_ms
			       ? "unconfirmed"
			       : NULL;
	if (eviction->idle_after_ms == 0)
		return NULL;
	return dump_ms - peer->active_ms >= eviction->idle_after_ms ? "idle" : NULL;
}

static bool yields(const struct eviction *eviction, const struct peer *peer, int64_t dump_ms)
{
	int64_t session_ms = EVICTION_SESSION_MS;

	if (!may_be_judged(peer))
		return false;
	if (!peer->is_confirmed)
		return dump_ms - peer->installed_ms >= EVICTION_HANDSHAKE_MS;
	if (eviction->idle_after_ms != 0 && eviction->idle_after_ms < session_ms)
		session_ms = eviction->idle_after_ms;
	return dump_ms - peer->active_ms >= session_ms;
}

static bool goes_before(const struct eviction_candidate *a, const struct eviction_candidate *b)
{
	if (a->is_confirmed != b->is_confirmed)
		return b->is_confirmed;
	return a->active_ms < b->active_ms;
}

void eviction_offer(struct eviction_candidates *candidates, const struct eviction *eviction,
	const struct peers *peers, uint32_t slot, int64_t dump_ms)
{
	const struct peer *peer = &peers->items[slot];
	struct eviction_candidate offered = {.slot = slot,
		.installed_ms = peer->installed_ms,
		.active_ms = peer->active_ms,
		.is_confirmed = peer->is_confirmed};
	uint32_t place = 0;

	if (!yields(eviction, peer, dump_ms))
		return;
	while (place < candidates->count && goes_before(&offered, &candidates->item[place]))
		place++;
	if (candidates->count == EVICTION_CANDIDATES_MAX) {
		if (place == 0)
			return;
		place--; /* the one that would have gone last makes room */
		memmove(&candidates->item[0], &candidates->item[1], place * sizeof(offered));
	} else {
		memmove(&candidates->item[place + 1], &candidates->item[place],
			(candidates->count - place) * sizeof(offered));
		candidates->count++;
	}
	candidates->item[place] = offered;
}

static bool is_as_offered(const struct peers *peers, const struct eviction_candidate *candidate)
{
	const struct peer *peer = &peers->items[candidate->slot];

	return key_index_holds(&peers->index, candidate->slot) && may_be_judged(peer) &&
	       peer->installed_ms == candidate->installed_ms &&
	       peer->active_ms == candidate->active_ms &&
	       peer->is_confirmed == candidate->is_confirmed;
}

uint32_t eviction_take_unconfirmed(
	struct eviction_candidates *candidates, const struct peers *peers)
{
	while (candidates->count > 0 && !candidates->item[candidates->count - 1].is_confirmed) {
		const struct eviction_candidate *last = &candidates->item[--candidates->count];

		if (is_as_offered(peers, last))
			return last->slot;
	}
	return KEY_INDEX_NONE;
}

uint32_t eviction_take(struct eviction_candidates *candidates, const struct peers *peers)
{
	while (candidates->count > 0) {
		const struct eviction_candidate *last = &candidates->item[--candidates->count];

		if (is_as_offered(peers, last))
			return last->slot;
	}
	return KEY_INDEX_NONE;
}
