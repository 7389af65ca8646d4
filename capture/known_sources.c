/* SPDX-License-Identifier: ISC */
/* Where clients of the fleet last came from. */
#include "capture/known_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, KEYS_END = 1 << 28 };

/* Numbers of entries begin at 1, so that fresh memory of zeros links to nothing. */
#define NONE 0

int known_sources_init(struct known_sources *known, size_t keys, int64_t keep_ms)
{
	memset(known, 0, sizeof(*known));
	if (keys == 0 || keys >= KEYS_END || keep_ms <= 0)
		return -EINVAL;
	known->sets = 1;
	while (known->sets * WAYS < keys)
		known->sets *= 2;
	known->bucket_count = known->sets * WAYS;
	known->keep_ms = keep_ms;
	known->entries = calloc(known->bucket_count + 1, sizeof(*known->entries));
	known->buckets = calloc(known->bucket_count, sizeof(*known->buckets));
	if (known->entries == NULL || known->buckets == NULL) {
		known_sources_free(known);
		return -ENOMEM;
	}
	randombytes_buf(known->hash_key, sizeof(known->hash_key));
	return 0;
}

void known_sources_free(struct known_sources *known)
{
	free(known->entries);
	free(known->buckets);
	explicit_bzero(known, sizeof(*known));
}

static uint64_t hash(const struct known_sources *known, const void *input, size_t bytes)
{
	uint64_t value;

	crypto_shorthash((unsigned char *)&value, input, bytes, known->hash_key);
	return value;
}

static uint32_t *bucket_of(const struct known_sources *known, const struct source_prefix *prefix)
{
	return &known->buckets[hash(known, prefix, sizeof(*prefix)) & (known->bucket_count - 1)];
}

static void link_newest(struct known_sources *known, struct known_source *entry)
{
	uint32_t *bucket = bucket_of(known, &entry->prefix);
	uint32_t number = (uint32_t)(entry - known->entries);

	entry->newer = NONE;
	entry->older = *bucket;
	if (*bucket != NONE)
		known->entries[*bucket].newer = number;
	*bucket = number;
}

static void unlink_entry(struct known_sources *known, const struct known_source *entry)
{
	if (entry->newer != NONE)
		known->entries[entry->newer].older = entry->older;
	else
		*bucket_of(known, &entry->prefix) = entry->older;
	if (entry->older != NONE)
		known->entries[entry->older].newer = entry->newer;
}

/* The key's own entry, else a free one of its set, else the one that was seen longest ago. */
static struct known_source *choose_entry(const struct known_sources *known, uint64_t owner)
{
	struct known_source *set = known->entries + 1 + (owner & (known->sets - 1)) * WAYS;
	struct known_source *chosen = set;

	for (struct known_source *entry = set; entry < set + WAYS; entry++) {
		if (entry->prefix.family != 0 && entry->owner == owner)
			return entry;
		if (chosen->prefix.family == 0)
			continue;
		if (entry->prefix.family == 0 || entry->seen_ms < chosen->seen_ms)
			chosen = entry;
	}
	return chosen;
}

void known_sources_note(struct known_sources *known, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const struct address *source, int64_t now_ms)
{
	uint64_t owner = hash(known, key, WIREGUARD_KEY_BYTES);
	struct known_source *entry = choose_entry(known, owner);

	if (entry->prefix.family != 0)
		unlink_entry(known, entry);
	entry->owner = owner;
	entry->prefix = source_prefix_of(source);
	entry->seen_ms = now_ms;
	link_newest(known, entry);
}

bool known_sources_check(struct known_sources *known, const struct address *source, int64_t now_ms)
{
	const struct source_prefix prefix = source_prefix_of(source);
	uint32_t number = *bucket_of(known, &prefix);

	while (number != NONE) {
		struct known_source *entry = &known->entries[number];

		number = entry->older;
		if (now_ms - entry->seen_ms >= known->keep_ms) {
			unlink_entry(known, entry);
			memset(entry, 0, sizeof(*entry));
		} else if (source_prefix_equal(&entry->prefix, &prefix)) {
			return true;
		}
	}
	return false;
}
