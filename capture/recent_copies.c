/* SPDX-License-Identifier: ISC */
/* Copies of one packet, merged. */
#include "capture/recent_copies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/initiation.h"

enum { WAYS = 4 };

int recent_copies_init(struct recent_copies *recent, size_t entries, int64_t keep_ms)
{
	size_t sets = 1;

	memset(recent, 0, sizeof(*recent));
	if (entries == 0 || entries > UINT32_MAX || keep_ms <= 0)
		return -EINVAL;
	while (sets * WAYS < entries)
		sets *= 2;
	recent->entries = calloc(sets * WAYS, sizeof(*recent->entries));
	if (recent->entries == NULL)
		return -ENOMEM;
	recent->sets = sets;
	recent->keep_ms = keep_ms;
	randombytes_buf(recent->hash_key, sizeof(recent->hash_key));
	return 0;
}

void recent_copies_free(struct recent_copies *recent)
{
	free(recent->entries);
	explicit_bzero(recent, sizeof(*recent));
}

static uint64_t fingerprint_of(const struct recent_copies *recent, const struct packet *packet)
{
	uint8_t input[sizeof(packet->source) + sizeof(packet->source_port) + INITIATION_MAC2_AT];
	uint8_t *next = input;
	uint64_t fingerprint;

	memcpy(next, &packet->source, sizeof(packet->source));
	next += sizeof(packet->source);
	memcpy(next, &packet->source_port, sizeof(packet->source_port));
	next += sizeof(packet->source_port);
	memcpy(next, packet->initiation, INITIATION_MAC2_AT);
	crypto_shorthash((unsigned char *)&fingerprint, input, sizeof(input), recent->hash_key);
	return fingerprint;
}

bool recent_copies_check(struct recent_copies *recent, const struct packet *packet, int64_t now_ms)
{
	uint64_t fingerprint = fingerprint_of(recent, packet);
	struct recent_copy *set = recent->entries + (fingerprint & (recent->sets - 1)) * WAYS;
	struct recent_copy *oldest = set;

	for (struct recent_copy *entry = set; entry < set + WAYS; entry++) {
		if (entry->fingerprint == fingerprint &&
			now_ms - entry->seen_ms < recent->keep_ms) {
			entry->seen_ms = now_ms;
			return true;
		}
		if (entry->seen_ms < oldest->seen_ms)
			oldest = entry;
	}
	oldest->fingerprint = fingerprint;
	oldest->seen_ms = now_ms;
	return false;
}
