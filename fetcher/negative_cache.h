/* SPDX-License-Identifier: ISC */
/*
 * Keys that the origin said it doesn't know (404) or has revoked (410), for as long as that answer
 * may be relied on. Bounded, and apart from anything positive, so that made-up keys can push out
 * nothing but each other.
 */
#ifndef PULLGATE_FETCHER_NEGATIVE_CACHE_H
#define PULLGATE_FETCHER_NEGATIVE_CACHE_H

#include <stdint.h>

#include "common/message.h"
#include "common/siphash.h"
#include "fetcher/cache_watcher.h"

#define NEGATIVE_CACHE_SETS 2048
#define NEGATIVE_CACHE_WAYS 8 /* entries that share a hash; a new one takes the soonest to expire */

struct negative_entry {
	uint8_t key[WIREGUARD_KEY_BYTES];
	int64_t expires_ms; /* clock_ms(); 0: free */
	enum peer_answer answer;
};

struct negative_cache {
	uint8_t seed[SIPHASH_SEED_BYTES];
	struct cache_watcher watcher;
	struct negative_entry sets[NEGATIVE_CACHE_SETS][NEGATIVE_CACHE_WAYS];
};

/* NULL without memory or randomness. Freed with free(3). */
struct negative_cache *negative_cache_new(void);

/* Has one watcher told of each key from here on. */
void negative_cache_watch(struct negative_cache *cache, struct cache_watcher watcher);

/* Forgets all, for another origin. The watcher isn't told. */
void negative_cache_clear(struct negative_cache *cache);

/* Keeps answer (PEER_ABSENT or PEER_REVOKED) for valid_ms; 0 forgets the key. */
void negative_cache_put(struct negative_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES],
	enum peer_answer answer, uint32_t valid_ms, int64_t now_ms);

/* Milliseconds for which *answer still holds, or 0 when nothing is known of the key. */
uint32_t negative_cache_get(const struct negative_cache *cache,
	const uint8_t key[static WIREGUARD_KEY_BYTES], enum peer_answer *answer, int64_t now_ms);

#endif
