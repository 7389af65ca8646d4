/* SPDX-License-Identifier: ISC */
/*
 * Found peers, as a private HTTP cache keeps them (RFC 9111): the configuration, what the response
 * said of its freshness, and what a later request can be made conditional with. Bounded in number
 * and in bytes: those that were used longest ago give way. Only what the origin answered 200 for comes in here, so
 * made-up keys push nothing out.
 *
 * An entry that is stale beyond any use is still worth its place: its validator spares the origin a
 * body, and its key is known to be somebody's.
 */
#ifndef PULLGATE_FETCHER_PEER_CACHE_H
#define PULLGATE_FETCHER_PEER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "fetcher/cache_watcher.h"
#include "fetcher/freshness.h"

/* Enough for 2^20 peers with two allowed IPs and nginx's validators (243 MiB, measured). */
#define PEER_CACHE_BYTES_MAX ((size_t)384 << 20)

enum cached_use {
	CACHED_FRESH,            /* answers by itself */
	CACHED_WHILE_REVALIDATE, /* answers, and the origin is asked in the background */
	CACHED_IF_ERROR,         /* answers only while the origin fails */
	CACHED_STALE,            /* answers nothing: only its validators are of use */
};

/* What a response is told apart by; "" where it has none, or one that can't be kept. They mean
 * something to the origin that gave them, and to no other. */
struct validators {
	unsigned origin; /* its place among the origins */
	char etag[HTTP_VALIDATOR_BYTES], last_modified[HTTP_VALIDATOR_BYTES];
};

struct cached_peer;
struct peer_cache;

/* capacity is at least 1. NULL without memory or randomness. */
struct peer_cache *peer_cache_new(uint32_t capacity);

/* Has one watcher told of each key from here on. */
void peer_cache_watch(struct peer_cache *cache, struct cache_watcher watcher);

/* Forgets all, for another origin; secrets are wiped. The watcher isn't told. */
void peer_cache_clear(struct peer_cache *cache);
void peer_cache_free(struct peer_cache *cache);

/* The key's entry, which counts as used now, or NULL. It stays valid until the next change of the
 * cache. */
const struct cached_peer *peer_cache_find(
	struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* The same, but it doesn't count as used. */
const struct cached_peer *peer_cache_peek(
	const struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* Keeps a found peer in place of what there was. 0, or -ENOMEM with nothing kept of that key. */
int peer_cache_put(struct peer_cache *cache, const struct message_peer *peer,
	const struct cache_control *control, const struct freshness *freshness,
	const struct validators *validators, int64_t now_ms);

/* The same peer has been confirmed (RFC 9111 section 4.3.4). False when the key isn't there. */
bool peer_cache_renew(struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const struct cache_control *control, const struct freshness *freshness, int64_t now_ms);

/* The watcher is told of a key that isn't there too: it may be elsewhere. */
void peer_cache_remove(struct peer_cache *cache, const uint8_t key[static WIREGUARD_KEY_BYTES]);

uint32_t peer_cache_count(const struct peer_cache *cache);

/* Whether another one would make one give way. */
bool peer_cache_is_full(const struct peer_cache *cache);

/* Of an entry */
enum cached_use cached_peer_use(const struct cached_peer *cached, int64_t now_ms);
uint32_t cached_peer_while_revalidate_ms(const struct cached_peer *cached, int64_t now_ms);
const struct cache_control *cached_peer_control(const struct cached_peer *cached);
unsigned cached_peer_origin(const struct cached_peer *cached);
const char *cached_peer_etag(const struct cached_peer *cached);
const char *cached_peer_last_modified(const struct cached_peer *cached);

/* The peer as a found answer, its id left 0, with what is left of its times. The caller wipes it. */
void cached_peer_read(struct message_peer *peer, const struct cached_peer *cached, int64_t now_ms);

#endif
