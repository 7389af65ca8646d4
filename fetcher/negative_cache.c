/* SPDX-License-Identifier: ISC */
/* Keys that the origin doesn't know or has revoked. */
#include "fetcher/negative_cache.h"

#include <stdlib.h>
#include <string.h>

struct negative_cache *negative_cache_new(void)
{
	struct negative_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL || siphash_draw_seed(cache->seed) == 0)
		return cache;
	free(cache);
	return NULL;
}

void negative_cache_watch(struct negative_cache *cache, struct cache_watcher watcher)
{
	cache->watcher = watcher;
}

void negative_cache_clear(struct negative_cache *cache)
{
	memset(cache->sets, 0, sizeof(cache->sets));
}

static size_t set_of(const struct negative_cache *cache, const uint8_t *key)
{
	return siphash(cache->seed, key, WIREGUARD_KEY_BYTES) % NEGATIVE_CACHE_SETS;
}

/* The key's own entry, else the one that expires first (a free one before all). */
static struct negative_entry *entry_for(struct negative_cache *cache, const uint8_t *key)
{
	struct negative_entry *set = cache->sets[set_of(cache, key)];
	struct negative_entry *first = &set[0];

	for (size_t i = 0; i < NEGATIVE_CACHE_WAYS; i++) {
		if (set[i].expires_ms != 0 && memcmp(set[i].key, key, WIREGUARD_KEY_BYTES) == 0)
			return &set[i];
		if (set[i].expires_ms < first->expires_ms)
			first = &set[i];
	}
	return first;
}

static void forget(struct negative_cache *cache, const uint8_t *key)
{
	struct negative_entry *entry = entry_for(cache, key);

	if (memcmp(entry->key, key, WIREGUARD_KEY_BYTES) != 0)
		return;
	cache_watcher_tell(&cache->watcher, key, true);
	memset(entry, 0, sizeof(*entry));
}

void negative_cache_put(struct negative_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES],
	enum peer_answer answer, uint32_t valid_ms, int64_t now_ms)
{
	struct negative_entry *entry;

	if (valid_ms == 0) {
		forget(cache, key);
		return;
	}
	entry = entry_for(cache, key);
	if (entry->expires_ms != 0 && memcmp(entry->key, key, WIREGUARD_KEY_BYTES) != 0)
		cache_watcher_tell(&cache->watcher, entry->key, true);
	memcpy(entry->key, key, WIREGUARD_KEY_BYTES);
	entry->answer = answer;
	entry->expires_ms = now_ms + valid_ms;
	cache_watcher_tell(&cache->watcher, key, false);
}

uint32_t negative_cache_get(const struct negative_cache *cache,
	const uint8_t key[static WIREGUARD_KEY_BYTES], enum peer_answer *answer, int64_t now_ms)
{
	const struct negative_entry *set = cache->sets[set_of(cache, key)];

	for (size_t i = 0; i < NEGATIVE_CACHE_WAYS; i++) {
		if (memcmp(set[i].key, key, WIREGUARD_KEY_BYTES) != 0 ||
			set[i].expires_ms <= now_ms)
			continue;
		*answer = set[i].answer;
		return (uint32_t)(set[i].expires_ms - now_ms);
	}
	return 0;
}
