/* SPDX-License-Identifier: ISC */
/*
 * The keys asked for and not yet answered: one entry a key, however many LOOKUPs ask (collapsed),
 * queued until a request can go out.
 *
 * The newest is served first. While the origin keeps up the queue is empty and order is nothing;
 * when it doesn't, the oldest have the least left of their client's patience (a retry comes after
 * 5 s), so serving them first would serve everybody too late. For the same reason the oldest gives
 * its place when the table is full. A newer LOOKUP for a queued key makes it the newest again.
 */
#ifndef PULLGATE_FETCHER_LOOKUP_TABLE_H
#define PULLGATE_FETCHER_LOOKUP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wireguard.h"

/* More than FETCHER_SETTINGS' greatest concurrency, so that a place is always queued or free. */
#define LOOKUP_CAPACITY 4096

/* Ids that wait for one key; beyond them the oldest is forgotten, for capture has newer ones. */
#define LOOKUP_IDS 4

struct lookup {
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint64_t ids[LOOKUP_IDS]; /* oldest first */
	unsigned id_count;
	int64_t asked_ms;             /* when the newest id came */
	bool active;                  /* a request is under way, else queued */
	bool retried;                 /* for the caller: the one immediate retry was used */
	struct lookup *newer, *older; /* in the queue */
	struct lookup *next_in_bucket;
};

enum lookup_added {
	LOOKUP_NEW,
	LOOKUP_COLLAPSED, /* the key is asked for already: its answer goes to this id too */
	LOOKUP_SAME,      /* and by this very id, sent again */
};

struct lookup_table;

/* NULL without memory or randomness. */
struct lookup_table *lookup_table_new(void);
void lookup_table_free(struct lookup_table *table);

/*
 * Adds an id for a key and says what became of it. When a place had to be made, *displaced is the
 * entry that lost it, otherwise NULL; the caller answers its ids and passes it to
 * lookup_table_remove() before the next call.
 */
enum lookup_added lookup_table_add(struct lookup_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint64_t id, int64_t now_ms,
	struct lookup **displaced);

/* The next to serve, and the first to expire; NULL when nothing is queued. */
struct lookup *lookup_table_newest(const struct lookup_table *table);
struct lookup *lookup_table_oldest(const struct lookup_table *table);

size_t lookup_table_queued(const struct lookup_table *table);
size_t lookup_table_active(const struct lookup_table *table);

/* A queued one becomes active; an active one goes back, to be served next. */
void lookup_table_start(struct lookup_table *table, struct lookup *lookup);
void lookup_table_requeue(struct lookup_table *table, struct lookup *lookup);

/* Ends an entry, queued or active. */
void lookup_table_remove(struct lookup_table *table, struct lookup *lookup);

/* The id that came last. */
uint64_t lookup_newest_id(const struct lookup *lookup);

#endif
