/* SPDX-License-Identifier: ISC */
/* What is stored of one key, as bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/siphash.h"
#include "fetcher/cache_record.h"

#define STORED 1700000000000

static struct cache_record found(void)
{
	struct cache_record record = {.stored_ms = STORED,
		.stale_while_revalidate_ms = 10000,
		.control = {.must_revalidate = true,
			.max_age = {true, 60},
			.stale_while_revalidate = {true, 10}},
		.validators = {
			.etag = "W/\"1\"", .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT"}};

	memset(record.peer.key, 1, sizeof(record.peer.key));
	memset(record.peer.public_key, 1, sizeof(record.peer.public_key));
	memset(record.peer.preshared_key, 2, sizeof(record.peer.preshared_key));
	record.peer.answer = PEER_FOUND;
	record.peer.has_preshared_key = 1;
	record.peer.persistent_keepalive = 25;
	record.peer.valid_ms = 60000;
	record.peer.stale_ms = 30000;
	record.peer.allowed_ips.count = 1;
	record.peer.allowed_ips.item[0] =
		(struct prefix){.family = 4, .length = 32, .bytes = {10, 64, 0, 7}};
	return record;
}

static size_t encode(const struct cache_record *record, uint8_t *bytes)
{
	int length = cache_record_encode(record, bytes);

	assert_true(length > 0);
	return (size_t)length;
}

static void comes_back_as_it_was(void **state)
{
	struct cache_record record = found(), read;
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];
	size_t length = encode(&record, bytes);

	(void)state;
	assert_int_equal(cache_record_decode(&read, record.peer.key, bytes, length), 0);
	assert_memory_equal(&read, &record, sizeof(record));
}

static void has_room_for_the_longest(void **state)
{
	struct cache_record record = found(), read;
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];
	size_t length;

	(void)state;
	record.peer.allowed_ips.count = 64;
	for (uint32_t i = 1; i < 64; i++)
		record.peer.allowed_ips.item[i] =
			(struct prefix){.family = 6, .length = 128, .bytes = {0xfd, (uint8_t)i}};
	memset(record.validators.etag, 'x', HTTP_VALIDATOR_BYTES - 1);
	record.validators.etag[0] = record.validators.etag[HTTP_VALIDATOR_BYTES - 2] = '"';
	length = encode(&record, bytes);
	assert_int_equal(cache_record_decode(&read, record.peer.key, bytes, length), 0);
	assert_memory_equal(&read, &record, sizeof(record));
	assert_true(message_bytes_max(MESSAGE_TYPE_PEER) + 2 * HTTP_VALIDATOR_BYTES + 64 <=
		    CACHE_RECORD_BYTES_MAX);
}

static void failures_are_not_stored(void **state)
{
	struct cache_record record = found();
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];

	(void)state;
	record.peer.answer = PEER_FAILED;
	assert_int_equal(cache_record_encode(&record, bytes), -EINVAL);
}

static void is_refused(const struct cache_record *record, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length + 1); /* so that a sanitizer sees what is read behind it */
	struct cache_record read, nothing = {0};

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	assert_int_equal(cache_record_decode(&read, record->peer.key, copy, length), -EBADMSG);
	assert_memory_equal(&read, &nothing, sizeof(read));
	free(copy);
}

static void no_byte_may_be_another(void **state)
{
	struct cache_record record = found();
	uint8_t bytes[CACHE_RECORD_BYTES_MAX + 1];
	size_t length = encode(&record, bytes);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		bytes[i] ^= 0x20;
		is_refused(&record, bytes, length);
		bytes[i] ^= 0x20;
		is_refused(&record, bytes, i);
	}
	is_refused(&record, bytes, length + 1);
}

/* With a right check sum: by who can write the file. */
static void no_field_may_be_out_of_its_limits(void **state)
{
	struct cache_record record = found(), other;
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];

	(void)state;
	other = record;
	memset(other.peer.key, 3, sizeof(other.peer.key));
	is_refused(&record, bytes, encode(&other, bytes));
	other = record;
	memset(other.peer.public_key, 3, sizeof(other.peer.public_key));
	is_refused(&record, bytes, encode(&other, bytes));
	other = record;
	other.stored_ms = -1;
	is_refused(&record, bytes, encode(&other, bytes));
	other = record;
	other.peer.id = 1;
	is_refused(&record, bytes, encode(&other, bytes));
	other = record;
	memcpy(other.validators.etag, "1\r\nx: y", 8);
	is_refused(&record, bytes, encode(&other, bytes));
	other = record;
	memcpy(other.validators.last_modified, "yesterday", 10);
	is_refused(&record, bytes, encode(&other, bytes));
}

/* As cache_record.c has it. */
static void seal(uint8_t *bytes, size_t length)
{
	static const uint8_t seed[SIPHASH_SEED_BYTES] = "pullgate's cache";
	uint64_t check = siphash(seed, bytes, length - 8);

	for (size_t i = 0; i < 8; i++)
		bytes[length - 8 + i] = (uint8_t)(check >> 8 * (7 - i));
}

static void no_text_may_hold_a_zero_byte(void **state)
{
	struct cache_record record = found(), read;
	uint8_t bytes[CACHE_RECORD_BYTES_MAX], *date;
	size_t length = encode(&record, bytes);

	(void)state;
	seal(bytes, length);
	assert_int_equal(cache_record_decode(&read, record.peer.key, bytes, length), 0);
	date = memmem(bytes, length, "Sun, 06", 7);
	assert_non_null(date);
	date[0] = '\0'; /* the rest is as good as none */
	seal(bytes, length);
	is_refused(&record, bytes, length);
}

static void time_that_went_by_counts(void **state)
{
	static const struct {
		int64_t gone_ms;
		uint64_t valid_ms, stale_ms;
		uint32_t while_revalidate_ms;
	} all[] = {
		{0, 60000, 30000, 10000},
		{59999, 1, 30000, 10000},
		{60000, 0, 30000, 10000},
		{65000, 0, 25000, 5000},
		{89999, 0, 1, 0},
		{90000, 0, 0, 0},
		{INT64_MAX - STORED, 0, 0, 0},
		/* The clock was set back. */
		{-1, 0, 30000, 10000},
		{-STORED, 0, 30000, 10000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct cache_record record = found();

		cache_record_age(&record, STORED + all[i].gone_ms);
		assert_int_equal(record.peer.valid_ms, all[i].valid_ms);
		assert_int_equal(record.peer.stale_ms, all[i].stale_ms);
		assert_int_equal(record.stale_while_revalidate_ms, all[i].while_revalidate_ms);
		assert_int_equal(record.stored_ms, STORED + all[i].gone_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(has_room_for_the_longest),
		cmocka_unit_test(failures_are_not_stored),
		cmocka_unit_test(no_byte_may_be_another),
		cmocka_unit_test(no_field_may_be_out_of_its_limits),
		cmocka_unit_test(no_text_may_hold_a_zero_byte),
		cmocka_unit_test(time_that_went_by_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
