/* SPDX-License-Identifier: ISC */
/*
 * The keys asked for and not yet answered: one entry a key, however many LOOKUPs and REVALIDATEs ask
 * (collapsed), queued until a request can go out.
 *
 * Keys that the origin once answered 200 for go first, so that a flood of made-up ones delays none
 * of the fleet; then the renewals of installed peers, which the installer paces; then the rest.
 * Of demands the newest is served first. While the origin keeps up the queue is empty and order is
 * nothing; when it doesn't, the oldest have the least left of their client's patience (a retry comes
 * after 5 s), so serving them first would serve everybody too late. Nobody waits for a renewal, so
 * they are served in their order. When the table is full the oldest of the last rank gives its
 * place. A newer LOOKUP for a queued key makes it the newest again.
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

/* Ids of REVALIDATE have it, those of LOOKUP don't (message_table.h). */
#define LOOKUP_RENEWAL_BIT ((uint64_t)1 << 63)

/* Whom it is for; the first are served first. */
enum lookup_rank { LOOKUP_KNOWN, LOOKUP_RENEWAL, LOOKUP_UNKNOWN, LOOKUP_RANKS };

enum lookup_state {
	LOOKUP_QUEUED,
	LOOKUP_ACTIVE,  /* a request is under way */
	LOOKUP_WAITING, /* it failed, and is tried again at retry_ms */
};

struct lookup {
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint64_t ids[LOOKUP_IDS]; /* oldest first */
	unsigned id_count;        /* 0: the origin is asked for the cache's sake alone */
	enum lookup_rank rank;
	enum lookup_state state;
	int64_t asked_ms; /* when the newest id came */
	int64_t retry_ms; /* of a waiting one */
	unsigned retries; /* that it has had */
	unsigned origin;  /* of the request under way: its place */
	unsigned tried;   /* origins that failed it since they were all worth trying: a bit each */
	bool reconnected; /* the one immediate retry after a closed connection was used */
	bool end_to_end;  /* no cache on the way may answer */
	bool is_conditional;          /* the request under way is */
	bool unconditionally;         /* the next one must not be */
	struct lookup *newer, *older; /* in its list */
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
 * Adds an id for a key and says what became of it; *lookup is the key's entry. Of two ranks the
 * first counts. When a place had to be made, *displaced is the entry that lost it, otherwise NULL;
 * the caller answers its ids and passes it to lookup_table_remove() before the next call.
 */
enum lookup_added lookup_table_add(struct lookup_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint64_t id, enum lookup_rank rank,
	int64_t now_ms, struct lookup **lookup, struct lookup **displaced);

/* The key's entry, or NULL. */
struct lookup *lookup_table_find(
	struct lookup_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* The next to serve; NULL when nothing is queued. */
struct lookup *lookup_table_next(const struct lookup_table *table);

/* All entries one after the other, from NULL to NULL; the one given may have been removed. */
struct lookup *lookup_table_walk(struct lookup_table *table, const struct lookup *lookup);

size_t lookup_table_queued(const struct lookup_table *table);
size_t lookup_table_active(const struct lookup_table *table);
size_t lookup_table_count(const struct lookup_table *table);

/* A queued one becomes active; an active or waiting one goes back, to be served next. */
void lookup_table_start(struct lookup_table *table, struct lookup *lookup);
void lookup_table_requeue(struct lookup_table *table, struct lookup *lookup);

/* An active or queued one waits until retry_ms. */
void lookup_table_wait(struct lookup_table *table, struct lookup *lookup, int64_t retry_ms);

/* Whoever waited by these ids has had his answer, and the entry goes on as a renewal: drops the
 * ids of LOOKUPs, keeps those of REVALIDATEs. */
void lookup_table_make_renewal(struct lookup_table *table, struct lookup *lookup);

/* Ends an entry in whatever state. */
void lookup_table_remove(struct lookup_table *table, struct lookup *lookup);

/* The id that came last; 0 without any. */
uint64_t lookup_newest_id(const struct lookup *lookup);

#endif
