/* SPDX-License-Identifier: ISC */
/*
 * The caches of found peers and of refusals, kept on disk as well: in an SQLite database behind two
 * descriptors (cache_file.h), a row a key (cache_record.h). What it holds is what the caches hold,
 * some hundred milliseconds later: it is told of each key that changes, and then writes what the
 * caches have of that key, or takes the row away.
 *
 * A commit is on the disk at once when it takes something back: a row that goes, a refusal. What
 * is found is there within CACHE_STORE_SYNC_MS. Time for writing is bounded as a share of all; one
 * write can take as long as the disk does.
 *
 * What can't be written is not left behind as it was: the database is emptied, which needs no room,
 * one line says why, and after a while it begins anew. Meanwhile all goes on in memory.
 */
#ifndef PULLGATE_FETCHER_CACHE_STORE_H
#define PULLGATE_FETCHER_CACHE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "fetcher/negative_cache.h"
#include "fetcher/peer_cache.h"

/* The interface and the origins, each with the Unix socket or the directory that it is behind. */
#define CACHE_STORE_OWNER_BYTES 5120

/* Between commits, and how many keys one is for. */
#define CACHE_STORE_WRITE_MS  250
#define CACHE_STORE_KEYS_EACH 128

/* Rows that are read at a time, and the patience of whoever starts us (some hundred thousand). */
#define CACHE_STORE_ROWS_EACH 512
#define CACHE_STORE_READ_MS   5000

/* Writing takes up to one part in so many of the time. */
#define CACHE_STORE_SHARE 5

/* What is found may be lost by a power cut for so long. */
#define CACHE_STORE_SYNC_MS 5000

/* Keys that changed and are not yet written. When there are more, one commit is made at once. */
#define CACHE_STORE_NOTES_MAX 65536

/* A refusal for less is over before a restarted gateway could use it. */
#define CACHE_STORE_REFUSAL_MS 10000

/* After a failure the database begins anew; the time doubles up to the greatest. */
#define CACHE_STORE_RETRY_MS     60000
#define CACHE_STORE_RETRY_MAX_MS 3600000

struct cache_store;

/* For these caches, which live as long; SQLite is installed (cache_file.h). NULL without memory. */
struct cache_store *cache_store_new(struct peer_cache *peers, struct negative_cache *negatives);
void cache_store_free(struct cache_store *store);

/*
 * Reads the database behind the two descriptors into the caches, and keeps it in step with them
 * from here on. Whoever starts us waits for this: what takes longer than patience_ms is left to
 * cache_store_write(). owner says whose answers they are: a database of another one is emptied, as is one
 * that is damaged, or of another version of pullgate. A file that never was a cache is left as it
 * is, and nothing is kept. All of it is logged; nothing of it is fatal.
 */
void cache_store_open(struct cache_store *store, const char *owner, bool keep_preshared_keys,
	int64_t patience_ms);

/* Another owner: nothing of the former one stays, here. The caches are the caller's to clear. */
void cache_store_forget(struct cache_store *store, const char *owner);

/* Whether peers with a preshared key are kept at all. Never without it. */
void cache_store_keep_preshared_keys(struct cache_store *store, bool keep);

/* Writes what is due, and reads on. */
void cache_store_write(struct cache_store *store, int64_t now_ms);

/* When something is due; 0 when nothing is. */
int64_t cache_store_due_ms(const struct cache_store *store);

#endif
