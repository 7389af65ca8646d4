/* SPDX-License-Identifier: ISC */
/* The greatest timestamp of each key. */
#include "capture/timestamp_record.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { WAYS = TIMESTAMP_RECORD_WAYS };

_Static_assert(TIMESTAMP_RECORD_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash's key");
_Static_assert(sizeof(struct timestamp_stamp) == 24, "no padding: it would be unchecked");
_Static_assert(sizeof(struct timestamp_entry) == 80, "no padding: it would be unchecked");

static const uint8_t magic[8] = {'p', 'g', 't', 'a', 'i', '6', '4', '1'};

static uint64_t hash(const struct timestamp_record *record, const void *input, size_t bytes)
{
	uint64_t value;

	crypto_shorthash((unsigned char *)&value, input, bytes, record->hash_key);
	return value;
}

static uint64_t stamp_check(const struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES], const struct timestamp_stamp *stamp)
{
	uint8_t input[WIREGUARD_KEY_BYTES + TIMESTAMP_BYTES + sizeof(stamp->used_s)];

	memcpy(input, key, WIREGUARD_KEY_BYTES);
	memcpy(input + WIREGUARD_KEY_BYTES, stamp->timestamp, TIMESTAMP_BYTES);
	memcpy(input + WIREGUARD_KEY_BYTES + TIMESTAMP_BYTES, &stamp->used_s,
		sizeof(stamp->used_s));
	return hash(record, input, sizeof(input));
}

/* The one of an entry's stamps that counts, or -1. */
static int newest_stamp(const struct timestamp_record *record, const struct timestamp_entry *entry)
{
	int newest = -1;

	for (int i = 0; i < 2; i++) {
		const struct timestamp_stamp *stamp = &entry->stamp[i];

		if (stamp->check != stamp_check(record, entry->key, stamp))
			continue;
		if (newest < 0 || memcmp(stamp->timestamp, entry->stamp[newest].timestamp,
					  TIMESTAMP_BYTES) > 0)
			newest = i;
	}
	return newest;
}

static struct timestamp_entry *set_of(
	const struct timestamp_record *record, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	return record->entries + hash(record, key, WIREGUARD_KEY_BYTES) % record->sets * WAYS;
}

/* The key's entry and its valid stamp, or NULL. */
static struct timestamp_entry *find_entry(const struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES], int *newest)
{
	struct timestamp_entry *set = set_of(record, key);

	for (struct timestamp_entry *entry = set; entry < set + WAYS; entry++) {
		if (memcmp(entry->key, key, WIREGUARD_KEY_BYTES) != 0)
			continue;
		*newest = newest_stamp(record, entry);
		if (*newest >= 0)
			return entry;
	}
	return NULL;
}

/* A free entry of the key's set, or the one that rose longest ago. */
static struct timestamp_entry *choose_entry(
	struct timestamp_record *record, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	struct timestamp_entry *set = set_of(record, key);
	struct timestamp_entry *oldest = set;
	uint32_t oldest_s = UINT32_MAX;

	for (struct timestamp_entry *entry = set; entry < set + WAYS; entry++) {
		int newest = newest_stamp(record, entry);

		if (newest < 0)
			return entry;
		if (entry->stamp[newest].used_s < oldest_s) {
			oldest = entry;
			oldest_s = entry->stamp[newest].used_s;
		}
	}
	record->recycled++;
	return oldest;
}

/* Whatever part of it is done when the process is killed, the check value is wrong until the end. */
static void write_stamp(const struct timestamp_record *record, struct timestamp_entry *entry,
	int number, const uint8_t timestamp[static TIMESTAMP_BYTES], int64_t now_ms)
{
	struct timestamp_stamp *stamp = &entry->stamp[number];

	stamp->used_s = (uint32_t)(now_ms / 1000);
	memcpy(stamp->timestamp, timestamp, TIMESTAMP_BYTES);
	stamp->check = stamp_check(record, entry->key, stamp);
}

size_t timestamp_record_bytes(size_t keys)
{
	size_t sets = keys / WAYS + (keys % WAYS != 0 || keys == 0);

	return sizeof(struct timestamp_header) + sets * WAYS * sizeof(struct timestamp_entry);
}

static uint64_t header_check(const struct timestamp_record *record)
{
	return hash(record, &record->sets, sizeof(record->sets));
}

static bool continue_memory(struct timestamp_record *record, const struct timestamp_header *header)
{
	if (memcmp(header->magic, magic, sizeof(magic)) != 0 || header->sets != record->sets)
		return false;
	memcpy(record->hash_key, header->hash_key, sizeof(record->hash_key));
	return header->check == header_check(record);
}

/* The new hash key makes every check value of old records wrong: they need no clearing. */
static void begin_memory(struct timestamp_record *record, struct timestamp_header *header)
{
	randombytes_buf(record->hash_key, sizeof(record->hash_key));
	memcpy(header->magic, magic, sizeof(magic));
	memcpy(header->hash_key, record->hash_key, sizeof(header->hash_key));
	header->sets = record->sets;
	header->check = header_check(record);
}

int timestamp_record_attach(struct timestamp_record *record, void *memory, size_t bytes)
{
	struct timestamp_header *header = memory;

	memset(record, 0, sizeof(*record));
	if (memory == NULL || (uintptr_t)memory % _Alignof(struct timestamp_header) != 0)
		return -EINVAL;
	if (bytes < timestamp_record_bytes(1))
		return -EINVAL;
	record->entries = (struct timestamp_entry *)(header + 1);
	record->sets = (bytes - sizeof(*header)) / (WAYS * sizeof(struct timestamp_entry));
	record->continued = continue_memory(record, header);
	if (!record->continued)
		begin_memory(record, header);
	return 0;
}

bool timestamp_record_is_replay(const struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES])
{
	int newest;
	const struct timestamp_entry *entry = find_entry(record, key, &newest);

	return entry != NULL &&
	       memcmp(timestamp, entry->stamp[newest].timestamp, TIMESTAMP_BYTES) <= 0;
}

bool timestamp_record_raise(struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], int64_t now_ms)
{
	int newest;
	struct timestamp_entry *entry = find_entry(record, key, &newest);

	if (entry == NULL)
		return false;
	if (memcmp(timestamp, entry->stamp[newest].timestamp, TIMESTAMP_BYTES) > 0)
		write_stamp(record, entry, 1 - newest, timestamp, now_ms);
	return true;
}

void timestamp_record_keep(struct timestamp_record *record,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], int64_t now_ms)
{
	struct timestamp_entry *entry;

	if (timestamp_record_raise(record, key, timestamp, now_ms))
		return;
	entry = choose_entry(record, key);
	/* The stamps of the key before are none of this one's: their check values cover the key. */
	memcpy(entry->key, key, WIREGUARD_KEY_BYTES);
	write_stamp(record, entry, 0, timestamp, now_ms);
}
