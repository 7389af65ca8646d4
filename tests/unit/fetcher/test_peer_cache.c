/* SPDX-License-Identifier: ISC */
/* Found peers, kept with what makes the next request conditional. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/peer_cache.h"

#define CAPACITY 4
#define NOW      1000000

static struct peer_cache *cache;

static int open_cache(void **state)
{
	(void)state;
	cache = peer_cache_new(CAPACITY);
	return cache == NULL;
}

static int close_cache(void **state)
{
	(void)state;
	peer_cache_free(cache);
	return 0;
}

static struct message_peer peer_of(uint8_t number, uint32_t prefixes)
{
	struct message_peer peer = {.answer = PEER_FOUND,
		.has_preshared_key = 1,
		.persistent_keepalive = 25,
		.allowed_ips.count = prefixes};

	memset(peer.key, number, sizeof(peer.key));
	memset(peer.public_key, number, sizeof(peer.public_key));
	memset(peer.preshared_key, number + 100, sizeof(peer.preshared_key));
	for (uint32_t i = 0; i < prefixes; i++) {
		peer.allowed_ips.item[i].family = 4;
		peer.allowed_ips.item[i].length = 32;
		peer.allowed_ips.item[i].bytes[3] = (uint8_t)(number + i);
	}
	return peer;
}

static void put(const struct message_peer *peer, const struct freshness *freshness)
{
	const struct cache_control control = {.max_age = {true, 60}};
	const struct validators validators = {
		.etag = "W/\"1\"", .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT"};

	assert_int_equal(peer_cache_put(cache, peer, &control, freshness, &validators, NOW), 0);
}

static const struct freshness minute = {.may_store = true,
	.fresh_ms = 60000,
	.stale_if_error_ms = 30000,
	.stale_while_revalidate_ms = 10000};

static const struct cached_peer *find(uint8_t number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	memset(key, number, sizeof(key));
	return peer_cache_find(cache, key);
}

static void keeps_all_that_was_found(void **state)
{
	struct message_peer peer = peer_of(1, 64), read;

	(void)state;
	put(&peer, &minute);
	assert_string_equal(cached_peer_etag(find(1)), "W/\"1\"");
	assert_string_equal(cached_peer_last_modified(find(1)), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(cached_peer_control(find(1))->max_age.seconds, 60);
	cached_peer_read(&read, find(1), NOW + 1000);
	peer.valid_ms = 59000;
	peer.stale_ms = 30000;
	assert_memory_equal(&read, &peer, sizeof(peer));
	assert_null(find(2));
}

static void is_of_less_use_as_time_goes_by(void **state)
{
	static const struct {
		int64_t after_ms;
		enum cached_use use;
		uint64_t valid_ms, stale_ms;
	} rows[] = {
		{0, CACHED_FRESH, 60000, 30000},
		{59999, CACHED_FRESH, 1, 30000},
		{60000, CACHED_WHILE_REVALIDATE, 0, 30000},
		{69999, CACHED_WHILE_REVALIDATE, 0, 20001},
		{70000, CACHED_IF_ERROR, 0, 20000},
		{89999, CACHED_IF_ERROR, 0, 1},
		{90000, CACHED_STALE, 0, 0},
	};
	struct message_peer peer = peer_of(1, 1);

	(void)state;
	put(&peer, &minute);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(cached_peer_use(find(1), NOW + rows[i].after_ms), rows[i].use);
		cached_peer_read(&peer, find(1), NOW + rows[i].after_ms);
		assert_int_equal(peer.valid_ms, rows[i].valid_ms);
		assert_int_equal(peer.stale_ms, rows[i].stale_ms);
	}
}

static void is_renewed(void **state)
{
	const struct freshness longer = {.may_store = true, .fresh_ms = 90000};
	const struct cache_control control = {.must_revalidate = true};
	struct message_peer peer = peer_of(1, 2);
	uint8_t stranger[WIREGUARD_KEY_BYTES] = {9};

	(void)state;
	put(&peer, &minute);
	assert_true(peer_cache_renew(cache, peer.key, &control, &longer, NOW + 100000));
	assert_int_equal(cached_peer_use(find(1), NOW + 189999), CACHED_FRESH);
	assert_int_equal(cached_peer_use(find(1), NOW + 190000), CACHED_STALE);
	assert_true(cached_peer_control(find(1))->must_revalidate);
	assert_string_equal(cached_peer_etag(find(1)), "W/\"1\"");
	assert_false(peer_cache_renew(cache, stranger, &control, &longer, NOW));
	assert_int_equal(peer_cache_count(cache), 1);
}

static void is_replaced_and_removed(void **state)
{
	struct message_peer peer = peer_of(1, 1), read;

	(void)state;
	put(&peer, &minute);
	peer = peer_of(1, 3);
	put(&peer, &minute);
	assert_int_equal(peer_cache_count(cache), 1);
	cached_peer_read(&read, find(1), NOW);
	assert_int_equal(read.allowed_ips.count, 3);
	peer_cache_remove(cache, peer.key);
	peer_cache_remove(cache, peer.key);
	assert_null(find(1));
	assert_int_equal(peer_cache_count(cache), 0);
}

static void the_longest_unused_gives_way(void **state)
{
	struct message_peer peer;

	(void)state;
	for (uint8_t number = 1; number <= CAPACITY; number++) {
		peer = peer_of(number, 1);
		put(&peer, &minute);
	}
	assert_non_null(find(1));
	peer = peer_of(CAPACITY + 1, 1);
	put(&peer, &minute);
	assert_int_equal(peer_cache_count(cache), CAPACITY);
	assert_non_null(find(1));
	assert_null(find(2));
	assert_non_null(find(3));
	assert_non_null(find(CAPACITY + 1));
	peer_cache_clear(cache);
	assert_int_equal(peer_cache_count(cache), 0);
	assert_null(find(1));
	put(&peer, &minute);
	assert_non_null(find(CAPACITY + 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
	const struct CMUnitTest tests[] = {
		TEST(keeps_all_that_was_found),
		TEST(is_of_less_use_as_time_goes_by),
		TEST(is_renewed),
		TEST(is_replaced_and_removed),
		TEST(the_longest_unused_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
