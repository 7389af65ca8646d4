/* SPDX-License-Identifier: ISC */
#include "installer/freshness.h"

#include "unit.h"

#define MIN_MS 10000
#define NOW_MS 1000000

/* What spreads least and most: a tenth of 300 s is 30 s. */
#define LEAST 0
#define MOST  30000

static void test_renewed(void **state)
{
	struct freshness freshness = {.pause_ms = 77};

	(void)state;
	assert_int_equal(freshness_renewed(&freshness, 300000, 60000, MIN_MS, NOW_MS, LEAST),
		NOW_MS + 270000);
	assert_int_equal(freshness.fresh_until_ms, NOW_MS + 300000);
	assert_int_equal(freshness.pause_ms, 0);
	assert_int_equal(freshness_renewed(&freshness, 300000, 60000, MIN_MS, NOW_MS, MOST),
		NOW_MS + 240000);
	/* However random: in the tenth before the last. */
	for (uint64_t random = 1; random < UINT64_MAX / 3; random *= 3) {
		int64_t next_ms =
			freshness_renewed(&freshness, 300000, 60000, MIN_MS, NOW_MS, random);

		assert_in_range(next_ms, NOW_MS + 240000, NOW_MS + 270000);
		assert_int_equal(freshness.fresh_until_ms, NOW_MS + 300000);
	}
}

/* Those that came in one moment are spread over the whole tenth. */
static void test_spread(void **state)
{
	struct freshness freshness = {0};
	unsigned seconds[30] = {0};

	(void)state;
	for (uint64_t random = 0; random < 30001; random++) {
		int64_t next_ms =
			freshness_renewed(&freshness, 300000, 0, MIN_MS, NOW_MS, random * 7919);

		seconds[(next_ms - NOW_MS - 240000) % 30000 / 1000]++;
	}
	for (unsigned i = 0; i < 30; i++)
		assert_in_range(seconds[i], 900, 1100);
}

static void test_not_sooner(void **state)
{
	struct freshness freshness;

	(void)state;
	/* max-age=0, and whatever is shorter than min_revalidate, spread or not. */
	assert_int_equal(
		freshness_renewed(&freshness, 0, 5000, MIN_MS, NOW_MS, MOST), NOW_MS + MIN_MS);
	assert_int_equal(freshness.fresh_until_ms, NOW_MS);
	assert_false(freshness_is_over(&freshness, NOW_MS + 4999));
	assert_true(freshness_is_over(&freshness, NOW_MS + 5000));
	assert_int_equal(
		freshness_renewed(&freshness, 9999, 0, MIN_MS, NOW_MS, 1), NOW_MS + MIN_MS);
	assert_int_equal(
		freshness_renewed(&freshness, 11500, 0, MIN_MS, NOW_MS, 1000), NOW_MS + MIN_MS);
	/* The greatest times there are. */
	assert_int_equal(
		freshness_renewed(&freshness, UINT32_MAX, UINT32_MAX, MIN_MS, NOW_MS, LEAST),
		NOW_MS + UINT32_MAX - UINT32_MAX / 10);
	assert_false(freshness_is_over(&freshness, NOW_MS + 2 * (int64_t)UINT32_MAX - 1));
	assert_true(freshness_is_over(&freshness, NOW_MS + 2 * (int64_t)UINT32_MAX));
}

static void expect_pauses(uint32_t valid_ms, uint32_t min_ms, const int64_t *pauses, size_t count)
{
	struct freshness freshness;

	freshness_renewed(&freshness, valid_ms, UINT32_MAX, min_ms, NOW_MS, 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			freshness_failed(&freshness, min_ms, NOW_MS, LEAST), NOW_MS + pauses[i]);
}

static void test_pauses_grow(void **state)
{
	static const int64_t usual[] = {10000, 20000, 40000, 60000, 60000};
	static const int64_t short_lived[] = {10000, 20000, 25000, 25000};
	static const int64_t never_fresh[] = {10000, 10000, 10000};
	static const int64_t long_minimum[] = {3600000, 3600000};

	(void)state;
	expect_pauses(300000, 10000, usual, 5);
	expect_pauses(25000, 10000, short_lived, 4);
	expect_pauses(0, 10000, never_fresh, 3);
	expect_pauses(300000, 3600000, long_minimum, 2);
}

static void test_pauses_are_spread(void **state)
{
	struct freshness freshness;

	(void)state;
	freshness_renewed(&freshness, 300000, UINT32_MAX, MIN_MS, NOW_MS, 0);
	/* The first one can't be shorter. */
	assert_int_equal(freshness_failed(&freshness, MIN_MS, NOW_MS, 1000), NOW_MS + MIN_MS);
	assert_int_equal(freshness_failed(&freshness, MIN_MS, NOW_MS, 2000), NOW_MS + 18000);
	assert_int_equal(freshness_failed(&freshness, MIN_MS, NOW_MS, 4000), NOW_MS + 36000);
}

/* A try comes when the time for stale use ends, and no sooner than it may. */
static void test_end_of_stale(void **state)
{
	struct freshness freshness;
	int64_t end_ms = NOW_MS + 330000;

	(void)state;
	freshness_renewed(&freshness, 300000, 30000, MIN_MS, NOW_MS, 0);
	assert_false(freshness_is_over(&freshness, end_ms - 1));
	assert_true(freshness_is_over(&freshness, end_ms));
	freshness.pause_ms = 40000;
	assert_int_equal(freshness_failed(&freshness, MIN_MS, end_ms - 15000, 0), end_ms);
	assert_int_equal(
		freshness_failed(&freshness, MIN_MS, end_ms - 3000, 0), end_ms - 3000 + MIN_MS);
	assert_int_equal(freshness_failed(&freshness, MIN_MS, end_ms, 0), end_ms + 60000);
}

static void test_spared(void **state)
{
	struct freshness freshness = {0};

	(void)state;
	assert_int_equal(freshness_spared(&freshness, MIN_MS, NOW_MS, 0), NOW_MS + MIN_MS);
	assert_int_equal(
		freshness_spared(&freshness, MIN_MS, NOW_MS, 1000), NOW_MS + MIN_MS + 1000);
	assert_int_equal(freshness_spared(&freshness, MIN_MS, NOW_MS, 1001), NOW_MS + MIN_MS);
}

/* Whatever the answer was, and however early it would be. */
static void test_first(void **state)
{
	struct freshness freshness = {0};

	(void)state;
	freshness_renewed(&freshness, 300000, 0, MIN_MS, NOW_MS, LEAST);
	assert_int_equal(freshness_first_ms(&freshness, MIN_MS), NOW_MS + MIN_MS);
	freshness_failed(&freshness, MIN_MS, NOW_MS + 1, 0);
	assert_int_equal(freshness_first_ms(&freshness, MIN_MS), NOW_MS + 1 + MIN_MS);
	freshness_spared(&freshness, MIN_MS, NOW_MS + 2, 0);
	assert_int_equal(freshness_first_ms(&freshness, MIN_MS), NOW_MS + 2 + MIN_MS);
}

static void test_load(void **state)
{
	struct freshness freshness = {.valid_ms = 300000};

	(void)state;
	assert_int_equal(freshness_load(&freshness, MIN_MS), 3333);
	freshness.valid_ms = 0;
	assert_int_equal(freshness_load(&freshness, MIN_MS), 100000);
	assert_int_equal(freshness_load(&freshness, 1000), 1000000);
	assert_int_equal(freshness_load(&freshness, 0), 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_not_sooner),
		cmocka_unit_test(test_pauses_grow),
		cmocka_unit_test(test_pauses_are_spread),
		cmocka_unit_test(test_end_of_stale),
		cmocka_unit_test(test_spared),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
