/* SPDX-License-Identifier: ISC */
/* Absent and revoked keys: kept for their time, and no more of them than there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fetcher/negative_cache.h"

static struct negative_cache *cache;
static enum peer_answer answer;

static const uint8_t *key_of(uint32_t number)
{
	static uint8_t key[32];

	memset(key, 0, sizeof(key));
	memcpy(key, &number, sizeof(number));
	return key;
}

static int open_cache(void **state)
{
	(void)state;
	cache = negative_cache_new();
	return cache == NULL;
}

static int close_cache(void **state)
{
	(void)state;
	free(cache);
	return 0;
}

static void keeps_for_its_time(void **state)
{
	(void)state;
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 100), 0);
	negative_cache_put(cache, key_of(1), PEER_ABSENT, 3000, 100);
	negative_cache_put(cache, key_of(2), PEER_REVOKED, 5000, 100);
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 100), 3000);
	assert_int_equal(answer, PEER_ABSENT);
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 3099), 1);
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 3100), 0);
	assert_int_equal(negative_cache_get(cache, key_of(2), &answer, 3100), 2000);
	assert_int_equal(answer, PEER_REVOKED);
	assert_int_equal(negative_cache_get(cache, key_of(3), &answer, 100), 0);
	negative_cache_clear(cache);
	assert_int_equal(negative_cache_get(cache, key_of(2), &answer, 100), 0);
}

/* The key of zeros is what an unused entry holds. */
static void does_not_know_the_zero_key(void **state)
{
	(void)state;
	assert_int_equal(negative_cache_get(cache, key_of(0), &answer, 0), 0);
	negative_cache_put(cache, key_of(0), PEER_ABSENT, 0, 0);
	assert_int_equal(negative_cache_get(cache, key_of(0), &answer, 0), 0);
	negative_cache_put(cache, key_of(0), PEER_ABSENT, 10, 0);
	assert_int_equal(negative_cache_get(cache, key_of(0), &answer, 0), 10);
}

static void takes_the_newer_answer(void **state)
{
	(void)state;
	negative_cache_put(cache, key_of(1), PEER_ABSENT, 3000, 0);
	negative_cache_put(cache, key_of(1), PEER_REVOKED, 100, 0);
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 0), 100);
	assert_int_equal(answer, PEER_REVOKED);
	negative_cache_put(cache, key_of(1), PEER_ABSENT, 0, 0);
	assert_int_equal(negative_cache_get(cache, key_of(1), &answer, 0), 0);
}

static void is_bounded(void **state)
{
	const uint32_t room = NEGATIVE_CACHE_SETS * NEGATIVE_CACHE_WAYS;
	uint32_t kept = 0;

	(void)state;
	for (uint32_t i = 1; i <= 4 * room; i++)
		negative_cache_put(cache, key_of(i), PEER_ABSENT, 1000 + i, 0);
	for (uint32_t i = 1; i <= 4 * room; i++)
		kept += negative_cache_get(cache, key_of(i), &answer, 0) != 0;
	assert_true(kept <= room);
	/* A hash that spreads them leaves few places empty. */
	assert_true(kept > room - room / 16);
	/* The newest expire last, and so were never given up. */
	for (uint32_t i = 4 * room; i > 4 * room - 100; i--)
		assert_int_not_equal(negative_cache_get(cache, key_of(i), &answer, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_for_its_time, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(
			does_not_know_the_zero_key, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(takes_the_newer_answer, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(is_bounded, open_cache, close_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
