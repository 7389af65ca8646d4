/* SPDX-License-Identifier: ISC */
/*
 * What is stored of one key: the input is a record without its check sum, which is made right, as
 * whoever can write the file would do.
 */
#include "fetcher/cache_record.h"

#include <string.h>

#include "common/siphash.h"
#include "tests/fuzz/fuzz.h"

enum { CHECK_BYTES = 8 };

/* As fetcher/cache_record.c has it. */
static const uint8_t seed[SIPHASH_SEED_BYTES] = "pullgate's cache";

static void check_record(struct cache_record *record, const uint8_t *key)
{
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];
	struct cache_record again;
	int length = cache_record_encode(record, bytes);

	FUZZ_CHECK(length > 0);
	FUZZ_CHECK(cache_record_decode(&again, key, bytes, (size_t)length) == 0);
	FUZZ_CHECK(memcmp(&again, record, sizeof(again)) == 0);
	FUZZ_CHECK(memcmp(record->peer.key, key, WIREGUARD_KEY_BYTES) == 0);
	FUZZ_CHECK(record->peer.answer != PEER_FAILED);
	for (uint32_t i = 0; i < record->peer.allowed_ips.count; i++)
		FUZZ_CHECK(fuzz_is_prefix(&record->peer.allowed_ips.item[i]));
	FUZZ_CHECK(fuzz_is_printable(record->validators.last_modified));
	FUZZ_CHECK(strpbrk(record->validators.etag, "\r\n") == NULL);
	cache_record_age(&again, record->stored_ms + 1000);
	FUZZ_CHECK(again.peer.valid_ms <= record->peer.valid_ms);
	FUZZ_CHECK(again.peer.stale_ms <= record->peer.stale_ms);
	cache_record_age(record, -1);
	FUZZ_CHECK(record->peer.valid_ms == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[WIREGUARD_KEY_BYTES], *bytes;
	struct cache_record record;
	uint64_t check = siphash(seed, data, size);

	memset(key, 1, sizeof(key));
	bytes = malloc(size + CHECK_BYTES);
	FUZZ_CHECK(bytes != NULL);
	if (size > 0)
		memcpy(bytes, data, size);
	for (unsigned i = 0; i < CHECK_BYTES; i++)
		bytes[size + i] = (uint8_t)(check >> 8 * (CHECK_BYTES - 1 - i));
	if (cache_record_decode(&record, key, bytes, size + CHECK_BYTES) == 0)
		check_record(&record, key);
	free(bytes);
	return 0;
}
