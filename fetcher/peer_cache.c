/* SPDX-License-Identifier: ISC */
/* Found peers, as a private HTTP cache keeps them. */
#include "fetcher/peer_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/siphash.h"

struct cached_peer {
	uint8_t key[WIREGUARD_KEY_BYTES];
	struct cached_peer *next_in_bucket;
	struct cached_peer *newer, *older; /* by last use */
	int64_t fresh_until_ms;
	int64_t stale_if_error_until_ms, stale_while_revalidate_until_ms;
	struct cache_control control;
	uint8_t preshared_key[WIREGUARD_KEY_BYTES];
	bool has_preshared_key;
	uint16_t persistent_keepalive;
	uint8_t origin; /* of the validators */
	uint32_t size;  /* of all this */
	uint32_t prefix_count;
	struct prefix prefixes[]; /* then the two validators, each with its zero byte */
};

struct peer_cache {
	uint8_t seed[SIPHASH_SEED_BYTES];
	uint32_t capacity, count;
	size_t bytes; /* of the entries */
	struct cache_watcher watcher;
	uint32_t bucket_mask; /* their number is a power of two */
	struct cached_peer *newest, *oldest;
	struct cached_peer *buckets[];
};

struct peer_cache *peer_cache_new(uint32_t capacity)
{
	struct peer_cache *cache;
	uint32_t buckets = 1;

	while (buckets < capacity)
		buckets *= 2;
	cache = calloc(1, sizeof(*cache) + buckets * sizeof(struct cached_peer *));
	if (cache == NULL || siphash_draw_seed(cache->seed) != 0) {
		free(cache);
		return NULL;
	}
	cache->capacity = capacity;
	cache->bucket_mask = buckets - 1;
	return cache;
}

void peer_cache_watch(struct peer_cache *cache, struct cache_watcher watcher)
{
	cache->watcher = watcher;
}

static size_t bucket_of(const struct peer_cache *cache, const uint8_t *key)
{
	return siphash(cache->seed, key, WIREGUARD_KEY_BYTES) & cache->bucket_mask;
}

/* What points to the key's entry, or to NULL at the end of its bucket. */
static struct cached_peer **link_to(struct peer_cache *cache, const uint8_t *key)
{
	struct cached_peer **link = &cache->buckets[bucket_of(cache, key)];

	while (*link != NULL && memcmp((*link)->key, key, WIREGUARD_KEY_BYTES) != 0)
		link = &(*link)->next_in_bucket;
	return link;
}

static void chain(struct peer_cache *cache, struct cached_peer *cached)
{
	cached->newer = NULL;
	cached->older = cache->newest;
	if (cache->newest != NULL)
		cache->newest->newer = cached;
	else
		cache->oldest = cached;
	cache->newest = cached;
}

static void unchain(struct peer_cache *cache, struct cached_peer *cached)
{
	if (cached->newer != NULL)
		cached->newer->older = cached->older;
	else
		cache->newest = cached->older;
	if (cached->older != NULL)
		cached->older->newer = cached->newer;
	else
		cache->oldest = cached->newer;
}

static void drop(struct peer_cache *cache, const uint8_t *key)
{
	struct cached_peer **link = link_to(cache, key);
	struct cached_peer *cached = *link;

	if (cached == NULL)
		return;
	*link = cached->next_in_bucket;
	unchain(cache, cached);
	cache->count--;
	cache->bytes -= cached->size;
	explicit_bzero(cached, cached->size);
	free(cached);
}

void peer_cache_remove(struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	cache_watcher_tell(&cache->watcher, key, true);
	drop(cache, key);
}

void peer_cache_clear(struct peer_cache *cache)
{
	while (cache->oldest != NULL)
		drop(cache, cache->oldest->key);
}

void peer_cache_free(struct peer_cache *cache)
{
	if (cache == NULL)
		return;
	peer_cache_clear(cache);
	free(cache);
}

const struct cached_peer *peer_cache_find(
	struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	struct cached_peer *cached = *link_to(cache, key);

	if (cached == NULL)
		return NULL;
	unchain(cache, cached);
	chain(cache, cached);
	return cached;
}

const struct cached_peer *peer_cache_peek(
	const struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	const struct cached_peer *cached = cache->buckets[bucket_of(cache, key)];

	while (cached != NULL && memcmp(cached->key, key, WIREGUARD_KEY_BYTES) != 0)
		cached = cached->next_in_bucket;
	return cached;
}

static void set_times(struct cached_peer *cached, const struct cache_control *control,
	const struct freshness *freshness, int64_t now_ms)
{
	cached->control = *control;
	cached->fresh_until_ms = now_ms + freshness->fresh_ms;
	cached->stale_if_error_until_ms = cached->fresh_until_ms + freshness->stale_if_error_ms;
	cached->stale_while_revalidate_until_ms =
		cached->fresh_until_ms + freshness->stale_while_revalidate_ms;
}

/* NULL without memory. */
static struct cached_peer *make(
	const struct message_peer *peer, const struct validators *validators)
{
	size_t etag = strlen(validators->etag) + 1, date = strlen(validators->last_modified) + 1;
	size_t prefixes = peer->allowed_ips.count * sizeof(struct prefix);
	size_t size = sizeof(struct cached_peer) + prefixes + etag + date;
	struct cached_peer *cached = malloc(size);

	if (cached == NULL)
		return NULL;
	memset(cached, 0, sizeof(*cached));
	memcpy(cached->key, peer->key, sizeof(cached->key));
	memcpy(cached->preshared_key, peer->preshared_key, sizeof(cached->preshared_key));
	cached->has_preshared_key = peer->has_preshared_key != 0;
	cached->persistent_keepalive = (uint16_t)peer->persistent_keepalive;
	cached->origin = (uint8_t)validators->origin;
	cached->size = (uint32_t)size;
	cached->prefix_count = peer->allowed_ips.count;
	memcpy(cached->prefixes, peer->allowed_ips.item, prefixes);
	memcpy((char *)cached->prefixes + prefixes, validators->etag, etag);
	memcpy((char *)cached->prefixes + prefixes + etag, validators->last_modified, date);
	return cached;
}

int peer_cache_put(struct peer_cache *cache, const struct message_peer *peer,
	const struct cache_control *control, const struct freshness *freshness,
	const struct validators *validators, int64_t now_ms)
{
	struct cached_peer *cached = make(peer, validators), **bucket;

	if (cached == NULL) {
		peer_cache_remove(cache, peer->key);
		return -ENOMEM;
	}
	drop(cache, peer->key);
	while (cache->count == cache->capacity ||
		(cache->count > 0 && cache->bytes + cached->size > PEER_CACHE_BYTES_MAX))
		peer_cache_remove(cache, cache->oldest->key);
	set_times(cached, control, freshness, now_ms);
	bucket = &cache->buckets[bucket_of(cache, cached->key)];
	cached->next_in_bucket = *bucket;
	*bucket = cached;
	chain(cache, cached);
	cache->count++;
	cache->bytes += cached->size;
	cache_watcher_tell(&cache->watcher, peer->key, false);
	return 0;
}

bool peer_cache_renew(struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const struct cache_control *control, const struct freshness *freshness, int64_t now_ms)
{
	struct cached_peer *cached = *link_to(cache, key);

	if (cached == NULL)
		return false;
	set_times(cached, control, freshness, now_ms);
	cache_watcher_tell(&cache->watcher, key, false);
	return true;
}

uint32_t peer_cache_count(const struct peer_cache *cache)
{
	return cache->count;
}

bool peer_cache_is_full(const struct peer_cache *cache)
{
	return cache->count == cache->capacity || cache->bytes >= PEER_CACHE_BYTES_MAX;
}

enum cached_use cached_peer_use(const struct cached_peer *cached, int64_t now_ms)
{
	if (now_ms < cached->fresh_until_ms)
		return CACHED_FRESH;
	if (now_ms < cached->stale_while_revalidate_until_ms)
		return CACHED_WHILE_REVALIDATE;
	return now_ms < cached->stale_if_error_until_ms ? CACHED_IF_ERROR : CACHED_STALE;
}

const struct cache_control *cached_peer_control(const struct cached_peer *cached)
{
	return &cached->control;
}

unsigned cached_peer_origin(const struct cached_peer *cached)
{
	return cached->origin;
}

const char *cached_peer_etag(const struct cached_peer *cached)
{
	return (const char *)(cached->prefixes + cached->prefix_count);
}

const char *cached_peer_last_modified(const struct cached_peer *cached)
{
	const char *etag = cached_peer_etag(cached);

	return etag + strlen(etag) + 1;
}

static uint64_t left_ms(int64_t until_ms, int64_t from_ms)
{
	return until_ms > from_ms ? (uint64_t)(until_ms - from_ms) : 0;
}

void cached_peer_read(struct message_peer *peer, const struct cached_peer *cached, int64_t now_ms)
{
	int64_t stale_from_ms = now_ms > cached->fresh_until_ms ? now_ms : cached->fresh_until_ms;

	memset(peer, 0, sizeof(*peer));
	memcpy(peer->key, cached->key, sizeof(peer->key));
	peer->answer = PEER_FOUND;
	peer->valid_ms = left_ms(cached->fresh_until_ms, now_ms);
	peer->stale_ms = left_ms(cached->stale_if_error_until_ms, stale_from_ms);
	memcpy(peer->public_key, cached->key, sizeof(peer->public_key));
	peer->allowed_ips.count = cached->prefix_count;
	memcpy(peer->allowed_ips.item, cached->prefixes,
		cached->prefix_count * sizeof(struct prefix));
	peer->has_preshared_key = cached->has_preshared_key;
	memcpy(peer->preshared_key, cached->preshared_key, sizeof(peer->preshared_key));
	peer->persistent_keepalive = cached->persistent_keepalive;
}

uint32_t cached_peer_while_revalidate_ms(const struct cached_peer *cached, int64_t now_ms)
{
	int64_t from_ms = now_ms > cached->fresh_until_ms ? now_ms : cached->fresh_until_ms;

	return (uint32_t)left_ms(cached->stale_while_revalidate_until_ms, from_ms);
}
