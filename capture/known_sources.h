/* SPDX-License-Identifier: ISC */
/*
 * Where clients of the fleet last came from: under a flood, packets from there go first.
 *
 * A source becomes known by a proven initiation of a key that the kernel holds, or that was just
 * installed; the caller holds to that. A key has one source at a time, its latest. So neither
 * spoofed sources nor self-made keys get in, and a member of the fleet who sends from many sources
 * takes no room but his own. When there are more keys than room, the one among eight that came
 * longest ago gives way; a source is forgotten when it was not seen for keep_ms.
 *
 * Known is no proof: whoever forges packets from a client's address is taken for it until the curve
 * work is done. What he can have done in its name is what source_limit.h allows it.
 *
 * Fixed size; SipHash-2-4 with a random key, so that nobody can choose what collides.
 */
#ifndef PULLGATE_KNOWN_SOURCES_H
#define PULLGATE_KNOWN_SOURCES_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/source_prefix.h"
#include "common/wireguard.h"

struct known_source {
	uint64_t owner;              /* the key's hash */
	struct source_prefix prefix; /* family 0: free */
	uint32_t older, newer;       /* of the same bucket */
	int64_t seen_ms;
};

struct known_sources {
	struct known_source *entries; /* sets of eight, by key */
	uint32_t *buckets;            /* the newest entry of each, by source */
	size_t sets, bucket_count;    /* powers of two */
	int64_t keep_ms;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

/* Room for at least `keys` keys. -EINVAL: no keys, 2^28 or more, or keep_ms isn't positive; -ENOMEM. */
int known_sources_init(struct known_sources *known, size_t keys, int64_t keep_ms);
void known_sources_free(struct known_sources *known);

/* The key's client is at that source now, and no longer where it was. */
void known_sources_note(struct known_sources *known, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const struct address *source, int64_t now_ms);

/* Whether a client was there lately. Forgets entries whose time is over on the way. */
bool known_sources_check(struct known_sources *known, const struct address *source, int64_t now_ms);

#endif
