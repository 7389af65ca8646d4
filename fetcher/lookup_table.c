/* SPDX-License-Identifier: ISC */
/* The keys asked for and not yet answered. */
#include "fetcher/lookup_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/siphash.h"

#define BUCKETS 4096

struct lookup_table {
	uint8_t seed[SIPHASH_SEED_BYTES];
	struct lookup *buckets[BUCKETS];
	struct lookup *newest, *oldest; /* of the queue */
	struct lookup *free;            /* chained by next_in_bucket */
	size_t queued, active;
	/* One more than the capacity: the displaced entry and its successor exist together. */
	struct lookup entries[LOOKUP_CAPACITY + 1];
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

static struct lookup *find(struct lookup_table *table, const uint8_t *key)
{
	struct lookup *lookup = *bucket_of(table, key);

	while (lookup != NULL && memcmp(lookup->key, key, WIREGUARD_KEY_BYTES) != 0)
		lookup = lookup->next_in_bucket;
	return lookup;
}

static void enqueue(struct lookup_table *table, struct lookup *lookup)
{
	lookup->newer = NULL;
	lookup->older = table->newest;
	if (table->newest != NULL)
		table->newest->newer = lookup;
	else
		table->oldest = lookup;
	table->newest = lookup;
	table->queued++;
}

static void dequeue(struct lookup_table *table, struct lookup *lookup)
{
	if (lookup->newer != NULL)
		lookup->newer->older = lookup->older;
	else
		table->newest = lookup->older;
	if (lookup->older != NULL)
		lookup->older->newer = lookup->newer;
	else
		table->oldest = lookup->newer;
	lookup->newer = lookup->older = NULL;
	table->queued--;
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

static enum lookup_added collapse(
	struct lookup_table *table, struct lookup *lookup, uint64_t id, int64_t now_ms)
{
	if (has_id(lookup, id))
		return LOOKUP_SAME;
	add_id(lookup, id, now_ms);
	if (!lookup->active) {
		dequeue(table, lookup);
		enqueue(table, lookup);
	}
	return LOOKUP_COLLAPSED;
}

enum lookup_added lookup_table_add(struct lookup_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint64_t id, int64_t now_ms,
	struct lookup **displaced)
{
	struct lookup *lookup = find(table, key);

	*displaced = NULL;
	if (lookup != NULL)
		return collapse(table, lookup, id, now_ms);
	if (table->queued + table->active >= LOOKUP_CAPACITY)
		*displaced = table->oldest;
	lookup = table->free;
	table->free = lookup->next_in_bucket;
	memset(lookup, 0, sizeof(*lookup));
	memcpy(lookup->key, key, WIREGUARD_KEY_BYTES);
	lookup->next_in_bucket = *bucket_of(table, key);
	*bucket_of(table, key) = lookup;
	add_id(lookup, id, now_ms);
	enqueue(table, lookup);
	return LOOKUP_NEW;
}

struct lookup *lookup_table_newest(const struct lookup_table *table)
{
	return table->newest;
}

struct lookup *lookup_table_oldest(const struct lookup_table *table)
{
	return table->oldest;
}

size_t lookup_table_queued(const struct lookup_table *table)
{
	return table->queued;
}

size_t lookup_table_active(const struct lookup_table *table)
{
	return table->active;
}

void lookup_table_start(struct lookup_table *table, struct lookup *lookup)
{
	dequeue(table, lookup);
	lookup->active = true;
	table->active++;
}

void lookup_table_requeue(struct lookup_table *table, struct lookup *lookup)
{
	lookup->active = false;
	table->active--;
	enqueue(table, lookup);
}

void lookup_table_remove(struct lookup_table *table, struct lookup *lookup)
{
	struct lookup **link = bucket_of(table, lookup->key);

	while (*link != lookup)
		link = &(*link)->next_in_bucket;
	*link = lookup->next_in_bucket;
	if (lookup->active)
		table->active--;
	else
		dequeue(table, lookup);
	memset(lookup, 0, sizeof(*lookup));
	lookup->next_in_bucket = table->free;
	table->free = lookup;
}

uint64_t lookup_newest_id(const struct lookup *lookup)
{
	return lookup->ids[lookup->id_count - 1];
}
