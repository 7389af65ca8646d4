/* SPDX-License-Identifier: ISC */
/* The keys asked for and not yet answered. */
#include "fetcher/lookup_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/siphash.h"

#define BUCKETS 4096

struct list {
	struct lookup *newest, *oldest;
	size_t count;
};

struct lookup_table {
	uint8_t seed[SIPHASH_SEED_BYTES];
	struct lookup *buckets[BUCKETS];
	struct list queues[LOOKUP_RANKS];
	struct list waiting;
	struct lookup *free; /* chained by next_in_bucket */
	size_t active;
	/* One more than the capacity: the displaced entry and its successor exist together. */
	struct lookup entries[LOOKUP_CAPACITY + 1];
	bool used[LOOKUP_CAPACITY + 1];
};

struct lookup_table *lookup_table_new(void)
{
	struct lookup_table *table = calloc(1, sizeof(*table));

	if (table == NULL || siphash_draw_seed(table->seed) != 0) {
		free(table);
		return NULL;
	}
	for (size_t i = 0; i <= LOOKUP_CAPACITY; i++) {
		table->entries[i].next_in_bucket = table->free;
		table->free = &table->entries[i];
	}
	return table;
}

void lookup_table_free(struct lookup_table *table)
{
	free(table);
}

static struct lookup **bucket_of(struct lookup_table *table, const uint8_t *key)
{
	return &table->buckets[siphash(table->seed, key, WIREGUARD_KEY_BYTES) % BUCKETS];
}

struct lookup *lookup_table_find(
	struct lookup_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	struct lookup *lookup = *bucket_of(table, key);

	while (lookup != NULL && memcmp(lookup->key, key, WIREGUARD_KEY_BYTES) != 0)
		lookup = lookup->next_in_bucket;
	return lookup;
}

static void append(struct list *list, struct lookup *lookup)
{
	lookup->newer = NULL;
	lookup->older = list->newest;
	if (list->newest != NULL)
		list->newest->newer = lookup;
	else
		list->oldest = lookup;
	list->newest = lookup;
	list->count++;
}

static void take_out(struct list *list, struct lookup *lookup)
{
	if (lookup->newer != NULL)
		lookup->newer->older = lookup->older;
	else
		list->newest = lookup->older;
	if (lookup->older != NULL)
		lookup->older->newer = lookup->newer;
	else
		list->oldest = lookup->newer;
	lookup->newer = lookup->older = NULL;
	list->count--;
}

/* Takes it out of where it is; the caller puts it somewhere. */
static void leave(struct lookup_table *table, struct lookup *lookup)
{
	if (lookup->state == LOOKUP_ACTIVE)
		table->active--;
	else if (lookup->state == LOOKUP_WAITING)
		take_out(&table->waiting, lookup);
	else
		take_out(&table->queues[lookup->rank], lookup);
}

static void enqueue(struct lookup_table *table, struct lookup *lookup)
{
	lookup->state = LOOKUP_QUEUED;
	append(&table->queues[lookup->rank], lookup);
}

static bool has_id(const struct lookup *lookup, uint64_t id)
{
	for (unsigned i = 0; i < lookup->id_count; i++) {
		if (lookup->ids[i] == id)
			return true;
	}
	return false;
}

static void add_id(struct lookup *lookup, uint64_t id, int64_t now_ms)
{
	if (lookup->id_count == LOOKUP_IDS) {
		memmove(lookup->ids, lookup->ids + 1, sizeof(lookup->ids) - sizeof(lookup->ids[0]));
		lookup->id_count--;
	}
	lookup->ids[lookup->id_count++] = id;
	lookup->asked_ms = now_ms;
}

static enum lookup_added collapse(struct lookup_table *table, struct lookup *lookup, uint64_t id,
	enum lookup_rank rank, int64_t now_ms)
{
	bool is_queued = lookup->state == LOOKUP_QUEUED;

	if (has_id(lookup, id))
		return LOOKUP_SAME;
	add_id(lookup, id, now_ms);
	if (is_queued)
		leave(table, lookup);
	if (rank < lookup->rank)
		lookup->rank = rank;
	if (is_queued)
		enqueue(table, lookup);
	return LOOKUP_COLLAPSED;
}

/* The one that gives its place: the oldest of the last rank, one that waits before one that is
 * queued, for it has failed already. */
static struct lookup *last_of_all(const struct lookup_table *table)
{
	if (table->waiting.oldest != NULL)
		return table->waiting.oldest;
	for (size_t rank = LOOKUP_RANKS; rank > 0; rank--) {
		if (table->queues[rank - 1].oldest != NULL)
			return table->queues[rank - 1].oldest;
	}
	return NULL;
}

enum lookup_added lookup_table_add(struct lookup_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint64_t id, enum lookup_rank rank,
	int64_t now_ms, struct lookup **lookup, struct lookup **displaced)
{
	struct lookup *added;

	*displaced = NULL;
	*lookup = lookup_table_find(table, key);
	if (*lookup != NULL)
		return collapse(table, *lookup, id, rank, now_ms);
	if (lookup_table_count(table) >= LOOKUP_CAPACITY)
		*displaced = last_of_all(table);
	added = table->free;
	table->free = added->next_in_bucket;
	memset(added, 0, sizeof(*added));
	table->used[added - table->entries] = true;
	memcpy(added->key, key, WIREGUARD_KEY_BYTES);
	added->next_in_bucket = *bucket_of(table, key);
	*bucket_of(table, key) = added;
	added->rank = rank;
	add_id(added, id, now_ms);
	enqueue(table, added);
	*lookup = added;
	return LOOKUP_NEW;
}

struct lookup *lookup_table_next(const struct lookup_table *table)
{
	if (table->queues[LOOKUP_KNOWN].newest != NULL)
		return table->queues[LOOKUP_KNOWN].newest;
	if (table->queues[LOOKUP_RENEWAL].oldest != NULL)
		return table->queues[LOOKUP_RENEWAL].oldest;
	return table->queues[LOOKUP_UNKNOWN].newest;
}

struct lookup *lookup_table_walk(struct lookup_table *table, const struct lookup *lookup)
{
	size_t at = lookup == NULL ? 0 : (size_t)(lookup - table->entries) + 1;

	while (at <= LOOKUP_CAPACITY && !table->used[at])
		at++;
	return at <= LOOKUP_CAPACITY ? &table->entries[at] : NULL;
}

size_t lookup_table_queued(const struct lookup_table *table)
{
	size_t queued = 0;

	for (size_t rank = 0; rank < LOOKUP_RANKS; rank++)
		queued += table->queues[rank].count;
	return queued;
}

size_t lookup_table_active(const struct lookup_table *table)
{
	return table->active;
}

size_t lookup_table_count(const struct lookup_table *table)
{
	return lookup_table_queued(table) + table->active + table->waiting.count;
}

void lookup_table_start(struct lookup_table *table, struct lookup *lookup)
{
	leave(table, lookup);
	lookup->state = LOOKUP_ACTIVE;
	table->active++;
}

void lookup_table_requeue(struct lookup_table *table, struct lookup *lookup)
{
	leave(table, lookup);
	enqueue(table, lookup);
}

void lookup_table_wait(struct lookup_table *table, struct lookup *lookup, int64_t retry_ms)
{
	leave(table, lookup);
	lookup->state = LOOKUP_WAITING;
	lookup->retry_ms = retry_ms;
	append(&table->waiting, lookup);
}

void lookup_table_make_renewal(struct lookup_table *table, struct lookup *lookup)
{
	bool is_queued = lookup->state == LOOKUP_QUEUED;
	unsigned kept = 0;

	if (is_queued)
		leave(table, lookup);
	for (unsigned i = 0; i < lookup->id_count; i++) {
		if ((lookup->ids[i] & LOOKUP_RENEWAL_BIT) != 0)
			lookup->ids[kept++] = lookup->ids[i];
	}
	lookup->id_count = kept;
	lookup->rank = LOOKUP_RENEWAL;
	if (is_queued)
		enqueue(table, lookup);
}

void lookup_table_remove(struct lookup_table *table, struct lookup *lookup)
{
	struct lookup **link = bucket_of(table, lookup->key);

	while (*link != lookup)
		link = &(*link)->next_in_bucket;
	*link = lookup->next_in_bucket;
	leave(table, lookup);
	memset(lookup, 0, sizeof(*lookup));
	table->used[lookup - table->entries] = false;
	lookup->next_in_bucket = table->free;
	table->free = lookup;
}

uint64_t lookup_newest_id(const struct lookup *lookup)
{
	return lookup->id_count > 0 ? lookup->ids[lookup->id_count - 1] : 0;
}
