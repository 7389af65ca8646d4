/* SPDX-License-Identifier: ISC */
/*
 * The greatest TAI64N timestamp of each key, against replayed initiations (WireGuard paper section
 * 5.1). The kernel keeps one for as long as it has the peer; evicting a peer forgets it, and a
 * recorded initiation would be taken as new. This record outlives eviction, and, being kept in
 * memory that the caller shares between one capture process and the next, a crash of its own too.
 *
 * Who gets a record: only keys that the origin answered 200 for, and those the operator configured.
 * The caller holds to that, and it is what keeps records from being pushed out: keys that anyone
 * can make don't get in. When there are more such keys than room, the one among eight whose record
 * rose longest ago gives way, and its old initiations can be replayed until its next one: size the
 * memory for the fleet, at twice its number of keys.
 *
 * The memory is read as if a broken process had written it. A killed one may have left anything
 * half written: so each record has two stamps, each with a check value over key, timestamp and use;
 * a new stamp overwrites the lesser of the two, and the greater valid one counts. A torn write
 * loses that write alone. A record torn while it changed its key has no valid stamp and is free.
 * The check and the place in the table come from SipHash-2-4 with a random key, which lies in the
 * memory too; it finds accidents, it is no defence against a process that has been taken over.
 *
 * One process at a time may be attached.
 */
#ifndef PULLGATE_TIMESTAMP_RECORD_H
#define PULLGATE_TIMESTAMP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/initiation.h"

/* The memory's layout; for the tests. */
enum { TIMESTAMP_RECORD_WAYS = 8, TIMESTAMP_RECORD_KEY_BYTES = 16 };

struct timestamp_stamp {
	uint64_t check;
	uint32_t used_s; /* CLOCK_MONOTONIC, which outlives processes as this memory does */
	uint8_t timestamp[TIMESTAMP_BYTES];
};

struct timestamp_entry {
	uint8_t key[WIREGUARD_KEY_BYTES];
	struct timestamp_stamp stamp[2];
};

struct timestamp_header {
	uint8_t magic[8]; /* names the layout's version too */
	uint64_t sets;
	uint64_t check; /* over sets, with hash_key */
	uint8_t hash_key[TIMESTAMP_RECORD_KEY_BYTES];
};

struct timestamp_record {
	struct timestamp_entry *entries; /* in the caller's memory */
	uint64_t sets;
	uint8_t hash_key[TIMESTAMP_RECORD_KEY_BYTES];
	bool continued;    /* whether attach found records to go on with */
	uint64_t recycled; /* records that gave way to other keys' */
};

/* The memory that room for `keys` keys takes. */
size_t timestamp_record_bytes(size_t keys);

/*
 * Takes the caller's memory, aligned to 8 bytes, which stays the caller's and must stay mapped.
 * What was recorded in it before is continued; memory of another size or make, or half prepared, is
 * begun anew. -EINVAL: misaligned, or too small for a single set.
 */
int timestamp_record_attach(struct timestamp_record *record, void *memory, size_t bytes);

/* Whether a record is kept for that key and the timestamp is not greater than it: a replay. */
bool timestamp_record_is_replay(const struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES]);

/*
 * Raises the key's record to the timestamp, if one is kept and it is less; never lowers it. Returns
 * whether one is kept.
 */
bool timestamp_record_raise(struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], int64_t now_ms);

/* As timestamp_record_raise, but begins to keep one where none is. */
void timestamp_record_keep(struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], int64_t now_ms);

#endif
