/* SPDX-License-Identifier: ISC */
/* Public keys to slot numbers: a chained hash table over arrays. */
#include "installer/key_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int key_index_init(struct key_index *index, uint32_t capacity)
{
	uint32_t buckets = 1;

	*index = (struct key_index){.capacity = capacity};
	if (capacity == 0 || capacity > 1U << 24)
		return -EINVAL;
	while (buckets < capacity)
		buckets *= 2;
	index->mask = buckets - 1;
	if (siphash_draw_seed(index->seed) != 0)
		return -EIO;
	index->buckets = calloc(buckets, sizeof(*index->buckets));
	index->next = calloc(capacity, sizeof(*index->next));
	index->held = calloc(capacity, sizeof(*index->held));
	index->keys = calloc(capacity, sizeof(*index->keys));
	if (index->buckets != NULL && index->next != NULL && index->held != NULL &&
		index->keys != NULL)
		return 0;
	key_index_destroy(index);
	return -ENOMEM;
}

void key_index_destroy(struct key_index *index)
{
	free(index->buckets);
	free(index->next);
	free(index->held);
	free(index->keys);
	*index = (struct key_index){.capacity = 0};
}

static uint32_t *bucket_of(const struct key_index *index, const uint8_t *key)
{
	return &index->buckets[siphash(index->seed, key, WIREGUARD_KEY_BYTES) & index->mask];
}

uint32_t key_index_find(
	const struct key_index *index, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	for (uint32_t at = *bucket_of(index, key); at != 0; at = index->next[at - 1]) {
		if (memcmp(index->keys[at - 1], key, WIREGUARD_KEY_BYTES) == 0)
			return at - 1;
	}
	return KEY_INDEX_NONE;
}

static uint32_t take_slot(struct key_index *index)
{
	uint32_t slot = index->free;

	if (slot != 0) {
		index->free = index->next[slot - 1];
		return slot - 1;
	}
	return index->end < index->capacity ? index->end++ : KEY_INDEX_NONE;
}

uint32_t key_index_add(struct key_index *index, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	uint32_t *bucket = bucket_of(index, key);
	uint32_t slot = take_slot(index);

	if (slot == KEY_INDEX_NONE)
		return KEY_INDEX_NONE;
	memcpy(index->keys[slot], key, WIREGUARD_KEY_BYTES);
	index->held[slot] = true;
	index->next[slot] = *bucket;
	*bucket = slot + 1;
	index->count++;
	return slot;
}

void key_index_remove(struct key_index *index, uint32_t slot)
{
	uint32_t *link = bucket_of(index, index->keys[slot]);

	while (*link != slot + 1)
		link = &index->next[*link - 1];
	*link = index->next[slot];
	index->next[slot] = index->free;
	index->free = slot + 1;
	index->held[slot] = false;
	index->count--;
}

bool key_index_holds(const struct key_index *index, uint32_t slot)
{
	return slot < index->end && index->held[slot];
}
