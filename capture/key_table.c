/* SPDX-License-Identifier: ISC */
/* The table of static keys. */
#include "capture/key_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MAX = 1 << 28 };

/* Numbers of entries and demands begin at 1, so that fresh memory of zeros links to nothing. */
#define NONE 0

struct key_entry {
	uint8_t key[WIREGUARD_KEY_BYTES];
	enum key_standing standing;
	bool has_initiation;   /* whether initiation_ms says anything */
	int64_t initiation_ms; /* installed, static: the last verified initiation */
	int64_t hold_until_ms; /* a refusal holds so long, whatever the standing */
	uint32_t demand;       /* NONE: no demand is pending */
	uint32_t next;         /* in the bucket, or of the free ones */
	uint32_t older, newer; /* of the negative ones */
};

static uint32_t suitable_buckets(uint32_t entries)
{
	uint32_t buckets = 1;

	while (buckets < entries)
		buckets *= 2;
	return buckets;
}

static int check_limits(const struct key_table_limits *limits)
{
	const uint32_t numbers[] = {limits->installed, limits->fixed, limits->negative,
		limits->pending, limits->strangers};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i] < 1 || numbers[i] >= LIMIT_MAX)
			return -EINVAL;
	}
	return limits->pending_ms > 0 ? 0 : -EINVAL;
}

int key_table_init(struct key_table *table, const struct key_table_limits *limits)
{
	memset(table, 0, sizeof(*table));
	if (check_limits(limits) != 0)
		return -EINVAL;
	table->limit[KEY_INSTALLED] = limits->installed;
	table->limit[KEY_STATIC] = limits->fixed;
	table->limit[KEY_NEGATIVE] = limits->negative;
	table->pending_limit = limits->pending;
	table->stranger_limit = limits->strangers;
	table->pending_ms = limits->pending_ms;
	/* An entry has a standing, or a demand, or both: so there is always a free one. */
	table->entry_count = limits->installed + limits->fixed + limits->negative + limits->pending;
	table->bucket_count =
		limits->buckets > 0 ? limits->buckets : suitable_buckets(table->entry_count);
	table->entries = calloc((size_t)table->entry_count + 1, sizeof(*table->entries));
	table->demands = calloc((size_t)limits->pending + 1, sizeof(*table->demands));
	table->buckets = calloc(table->bucket_count, sizeof(*table->buckets));
	if (table->entries == NULL || table->demands == NULL || table->buckets == NULL) {
		key_table_free(table);
		return -ENOMEM;
	}
	table->fresh_entry = table->fresh_demand = 1;
	randombytes_buf(table->hash_key, sizeof(table->hash_key));
	/* So that ids hardly meet those of the process before; short enough to be read in logs. */
	table->next_id = (uint64_t)randombytes_random() + 1;
	return 0;
}

void key_table_free(struct key_table *table)
{
	free(table->entries);
	free(table->demands);
	free(table->buckets);
	explicit_bzero(table, sizeof(*table));
}

static uint32_t *bucket_of(
	const struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, key, WIREGUARD_KEY_BYTES, table->hash_key);
	return &table->buckets[hash % table->bucket_count];
}

static struct key_entry *find(
	const struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	for (uint32_t i = *bucket_of(table, key); i != NONE; i = table->entries[i].next) {
		if (memcmp(table->entries[i].key, key, WIREGUARD_KEY_BYTES) == 0)
			return &table->entries[i];
	}
	return NULL;
}

static uint32_t index_of(const struct key_table *table, const struct key_entry *entry)
{
	return (uint32_t)(entry - table->entries);
}

/* A new entry, unknown and without a demand, which the caller gives one or the other. */
static struct key_entry *add(struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	uint32_t *bucket = bucket_of(table, key);
	struct key_entry *entry;

	if (table->free_entry == NONE && table->fresh_entry > table->entry_count)
		abort();
	entry = &table->entries[table->free_entry != NONE ? table->free_entry : table->fresh_entry];
	if (table->free_entry != NONE)
		table->free_entry = entry->next;
	else
		table->fresh_entry++;
	*entry = (struct key_entry){.standing = KEY_UNKNOWN, .demand = NONE, .next = *bucket};
	memcpy(entry->key, key, WIREGUARD_KEY_BYTES);
	*bucket = index_of(table, entry);
	return entry;
}

/* Gives an entry back that has neither standing nor demand. */
static void release_unused(struct key_table *table, struct key_entry *entry)
{
	uint32_t *link;

	if (entry->standing != KEY_UNKNOWN || entry->demand != NONE)
		return;
	for (link = bucket_of(table, entry->key); *link != index_of(table, entry);)
		link = &table->entries[*link].next;
	*link = entry->next;
	entry->next = table->free_entry;
	table->free_entry = index_of(table, entry);
}

static void link_negative(struct key_table *table, struct key_entry *entry)
{
	struct key_list *list = &table->negative_list;
	uint32_t index = index_of(table, entry);

	entry->older = list->newest;
	entry->newer = NONE;
	if (list->newest != NONE)
		table->entries[list->newest].newer = index;
	else
		list->oldest = index;
	list->newest = index;
}

static void unlink_negative(struct key_table *table, const struct key_entry *entry)
{
	struct key_list *list = &table->negative_list;

	if (entry->older != NONE)
		table->entries[entry->older].newer = entry->newer;
	else
		list->oldest = entry->newer;
	if (entry->newer != NONE)
		table->entries[entry->newer].older = entry->older;
	else
		list->newest = entry->older;
}

/* Takes an entry's standing away; it must then get another one, a demand, or be released. */
static void clear_standing(struct key_table *table, struct key_entry *entry)
{
	if (entry->standing == KEY_NEGATIVE)
		unlink_negative(table, entry);
	if (entry->standing != KEY_UNKNOWN)
		table->count[entry->standing]--;
	entry->standing = KEY_UNKNOWN;
	entry->has_initiation = false;
	entry->hold_until_ms = 0;
}

static void forget_oldest_negative(struct key_table *table)
{
	struct key_entry *entry = &table->entries[table->negative_list.oldest];

	clear_standing(table, entry);
	release_unused(table, entry);
	table->recycled++;
}

/* Sets the standing of a key that has none. -ENOSPC: full, and the key stays unknown. */
static int set_standing(
	struct key_table *table, struct key_entry *entry, enum key_standing standing)
{
	if (standing == KEY_UNKNOWN)
		return 0;
	if (table->count[standing] >= table->limit[standing]) {
		if (standing != KEY_NEGATIVE)
			return -ENOSPC;
		forget_oldest_negative(table);
	}
	entry->standing = standing;
	table->count[standing]++;
	if (standing == KEY_NEGATIVE)
		link_negative(table, entry);
	return 0;
}

/* The key's entry as of now: a negative one whose time is over is forgotten. NULL without one. */
static struct key_entry *find_current(
	struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES], int64_t now_ms)
{
	struct key_entry *entry = find(table, key);

	if (entry == NULL || entry->standing != KEY_NEGATIVE || now_ms < entry->hold_until_ms)
		return entry;
	clear_standing(table, entry);
	release_unused(table, entry);
	return find(table, key);
}

enum key_standing key_table_standing(
	struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES], int64_t now_ms)
{
	const struct key_entry *entry = find_current(table, key, now_ms);

	return entry == NULL ? KEY_UNKNOWN : entry->standing;
}

static void link_demand(struct key_table *table, struct key_demand *demand, uint32_t index)
{
	struct key_list *list = &table->demand_list;

	demand->older = list->newest;
	demand->newer = NONE;
	if (list->newest != NONE)
		table->demands[list->newest].newer = index;
	else
		list->oldest = index;
	list->newest = index;
}

static void unlink_demand(struct key_table *table, const struct key_demand *demand)
{
	struct key_list *list = &table->demand_list;

	if (demand->older != NONE)
		table->demands[demand->older].newer = demand->newer;
	else
		list->oldest = demand->newer;
	if (demand->newer != NONE)
		table->demands[demand->newer].older = demand->older;
	else
		list->newest = demand->older;
}

static void set_packet(struct key_demand *demand, const uint8_t timestamp[static TIMESTAMP_BYTES],
	const struct packet *packet)
{
	memcpy(demand->timestamp, timestamp, TIMESTAMP_BYTES);
	demand->packet = *packet;
	demand->owes_demand = true;
}

/* Between both conditions it stays as it is. */
static void note_crowd(struct key_table *table)
{
	uint32_t strangers = table->strangers, few = table->stranger_limit / 8;
	bool others_wait = table->pending > strangers;

	if (strangers >= table->stranger_limit || (strangers > few && others_wait))
		table->is_crowded = true;
	else if (strangers == 0 || (strangers <= few && !others_wait))
		table->is_crowded = false;
}

static struct key_demand *add_demand(
	struct key_table *table, struct key_entry *entry, bool is_stranger, int64_t now_ms)
{
	uint32_t index = table->free_demand != NONE ? table->free_demand : table->fresh_demand;
	struct key_demand *demand = &table->demands[index];

	if (table->free_demand != NONE)
		table->free_demand = demand->newer;
	else
		table->fresh_demand++;
	demand->id = table->next_id++;
	memcpy(demand->key, entry->key, WIREGUARD_KEY_BYTES);
	demand->renewed_ms = demand->asked_ms = now_ms;
	demand->owes_lookup = true;
	demand->is_stranger = is_stranger;
	demand->entry = index_of(table, entry);
	link_demand(table, demand, index);
	entry->demand = index;
	table->pending++;
	table->strangers += is_stranger;
	note_crowd(table);
	return demand;
}

/* Ends the demand of an entry; the caller may have to release the entry then. */
static void end_demand(struct key_table *table, struct key_entry *entry)
{
	struct key_demand *demand = &table->demands[entry->demand];

	unlink_demand(table, demand);
	demand->newer = table->free_demand;
	table->free_demand = entry->demand;
	entry->demand = NONE;
	table->pending--;
	table->strangers -= demand->is_stranger;
	note_crowd(table);
}

/* The client still waits for it: it goes to the end of those that expire. */
static void renew_demand(struct key_table *table, struct key_demand *demand, int64_t now_ms)
{
	demand->renewed_ms = now_ms;
	unlink_demand(table, demand);
	link_demand(table, demand, table->entries[demand->entry].demand);
}

static enum key_verdict replace_packet(struct key_table *table, struct key_demand *demand,
	const uint8_t timestamp[static TIMESTAMP_BYTES], const struct packet *packet,
	int64_t now_ms)
{
	if (memcmp(timestamp, demand->timestamp, TIMESTAMP_BYTES) <= 0)
		return KEY_REPLAY;
	set_packet(demand, timestamp, packet);
	renew_demand(table, demand, now_ms);
	if (now_ms - demand->asked_ms < KEY_ASK_AGAIN_MS)
		return KEY_DEMAND_REPLACE;
	demand->asked_ms = now_ms;
	demand->owes_lookup = true;
	return KEY_DEMAND_AGAIN;
}

static bool is_in_kernel(const struct key_entry *entry)
{
	return entry->standing == KEY_INSTALLED || entry->standing == KEY_STATIC;
}

/* Whether the kernel holds the key and can be left with this initiation of it; notes the time. */
static bool is_answered(struct key_entry *entry, int64_t now_ms)
{
	bool answered = !entry->has_initiation || now_ms - entry->initiation_ms > KEY_ANSWER_MS;

	if (!is_in_kernel(entry))
		return false;
	entry->has_initiation = true;
	entry->initiation_ms = now_ms;
	return answered;
}

/* What the table already says of an initiation; KEY_DEMAND: nothing that spares a new demand. */
static enum key_verdict judge_entry(struct key_table *table, struct key_entry *entry,
	const uint8_t timestamp[static TIMESTAMP_BYTES], const struct packet *packet,
	int64_t now_ms, struct key_demand **demand)
{
	struct key_demand *pending = &table->demands[entry->demand];
	enum key_verdict verdict;

	if (entry->standing == KEY_NEGATIVE || now_ms < entry->hold_until_ms)
		return KEY_HELD;
	if (entry->demand == NONE)
		return is_answered(entry, now_ms) ? KEY_DONE : KEY_DEMAND;
	verdict = replace_packet(table, pending, timestamp, packet, now_ms);
	if (verdict != KEY_REPLAY)
		*demand = pending;
	return verdict;
}

enum key_verdict key_table_initiation(struct key_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], bool is_stranger,
	const struct packet *packet, int64_t now_ms, struct key_demand **demand)
{
	struct key_entry *entry = find_current(table, key, now_ms);
	enum key_verdict verdict = KEY_DEMAND;

	*demand = NULL;
	if (entry != NULL)
		verdict = judge_entry(table, entry, timestamp, packet, now_ms, demand);
	if (verdict != KEY_DEMAND)
		return verdict;
	if (table->pending >= table->pending_limit)
		return KEY_REFUSED;
	if (is_stranger && table->is_crowded)
		return KEY_CROWDED;
	if (entry == NULL)
		entry = add(table, key);
	*demand = add_demand(table, entry, is_stranger, now_ms);
	set_packet(*demand, timestamp, packet);
	return KEY_DEMAND;
}

int key_table_known(struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES],
	enum key_standing standing)
{
	struct key_entry *entry = find(table, key);
	int error;

	if (standing != KEY_INSTALLED && standing != KEY_STATIC)
		return -EINVAL;
	if (entry != NULL && entry->standing == standing)
		return 0;
	if (entry != NULL)
		clear_standing(table, entry);
	else if (table->count[standing] < table->limit[standing])
		entry = add(table, key);
	else
		return -ENOSPC;
	error = set_standing(table, entry, standing);
	release_unused(table, entry);
	return error;
}

int key_table_outcome(struct key_table *table, uint64_t id,
	const uint8_t key[static WIREGUARD_KEY_BYTES], enum key_standing standing, int64_t hold_ms,
	int64_t now_ms, struct key_demand *ended)
{
	struct key_entry *entry = find(table, key);

	if (entry == NULL || entry->demand == NONE || table->demands[entry->demand].id != id) {
		if (standing == KEY_INSTALLED)
			(void)key_table_known(table, key, standing);
		return -ESRCH;
	}
	*ended = table->demands[entry->demand];
	/* A refusal takes nothing out of the kernel: REMOVED says when a key goes. */
	if (standing != KEY_NEGATIVE || !is_in_kernel(entry)) {
		clear_standing(table, entry);
		if (standing == KEY_NEGATIVE && hold_ms <= 0)
			standing = KEY_UNKNOWN;
		(void)set_standing(table, entry, standing);
	}
	entry->hold_until_ms = now_ms + hold_ms;
	entry->has_initiation = false; /* the next one may well be what the kernel waits for */
	end_demand(table, entry);
	release_unused(table, entry);
	return 0;
}

void key_table_removed(struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	struct key_entry *entry = find(table, key);

	if (entry == NULL || entry->standing == KEY_NEGATIVE)
		return;
	clear_standing(table, entry);
	release_unused(table, entry);
}

void key_table_forget_known(struct key_table *table)
{
	for (uint32_t i = 1; i < table->fresh_entry; i++) {
		struct key_entry *entry = &table->entries[i];

		if (!is_in_kernel(entry))
			continue;
		clear_standing(table, entry);
		release_unused(table, entry);
	}
}

void key_table_forget_refusals(struct key_table *table)
{
	for (uint32_t i = 1; i < table->fresh_entry; i++) {
		struct key_entry *entry = &table->entries[i];

		entry->hold_until_ms = 0;
		if (entry->standing != KEY_NEGATIVE)
			continue;
		clear_standing(table, entry);
		release_unused(table, entry);
	}
}

size_t key_table_expire(struct key_table *table, int64_t now_ms)
{
	size_t expired = 0;

	while (table->demand_list.oldest != NONE) {
		const struct key_demand *oldest = &table->demands[table->demand_list.oldest];
		struct key_entry *entry = &table->entries[oldest->entry];

		if (now_ms - oldest->renewed_ms < table->pending_ms)
			break;
		end_demand(table, entry);
		release_unused(table, entry);
		expired++;
	}
	return expired;
}

struct key_demand *key_table_next_demand(
	const struct key_table *table, const struct key_demand *demand)
{
	uint32_t next = demand == NULL ? table->demand_list.oldest : demand->newer;

	return next == NONE ? NULL : &table->demands[next];
}
