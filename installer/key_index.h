/* SPDX-License-Identifier: ISC */
/*
 * Public keys to slot numbers, for tables whose records lie in arrays of their own. All memory is
 * taken at the start; a lookup takes constant time, whoever chose the keys (random-seeded hash).
 */
#ifndef PULLGATE_INSTALLER_KEY_INDEX_H
#define PULLGATE_INSTALLER_KEY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/siphash.h"
#include "common/wireguard.h"

#define KEY_INDEX_NONE UINT32_MAX

struct key_index {
	uint8_t seed[SIPHASH_SEED_BYTES];
	uint32_t capacity;
	uint32_t count; /* keys held */
	uint32_t end;   /* no slot at or above it was ever used */
	/* Below, a slot is its number plus one, so that zeroed memory is empty. */
	uint32_t free;
	uint32_t mask;
	uint32_t *buckets;
	uint32_t *next; /* in the bucket's chain, or in the list of free slots */
	bool *held;
	uint8_t (*keys)[WIREGUARD_KEY_BYTES];
};

/* 0, or -EINVAL for a capacity of 0 or above 2^24, -ENOMEM, or -EIO without random bytes. */
int key_index_init(struct key_index *index, uint32_t capacity);
void key_index_destroy(struct key_index *index);

/* The key's slot, or KEY_INDEX_NONE. */
uint32_t key_index_find(
	const struct key_index *index, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* Takes a slot for a key that is not held yet, or KEY_INDEX_NONE when all are taken. */
uint32_t key_index_add(struct key_index *index, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* Gives back a slot that is held. */
void key_index_remove(struct key_index *index, uint32_t slot);

/* Whether a slot below end holds a key; to walk all of them. */
bool key_index_holds(const struct key_index *index, uint32_t slot);

#endif
