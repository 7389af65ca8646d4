/* SPDX-License-Identifier: ISC */
/* The token buckets. */
#include "unit.h"

#include <errno.h>

#include "capture/source_limit.h"

static struct address ipv4(uint32_t number)
{
	struct address address = {.family = 4};

	for (int i = 0; i < 4; i++)
		address.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	return address;
}

static struct address ipv6(uint64_t network, uint64_t host)
{
	struct address address = {.family = 6};

	for (int i = 0; i < 8; i++) {
		address.bytes[i] = (uint8_t)(network >> (56 - 8 * i));
		address.bytes[8 + i] = (uint8_t)(host >> (56 - 8 * i));
	}
	return address;
}

/* How many tokens the source gets at that moment, at most `most`. */
static unsigned int take_all(
	struct source_limit *limit, const struct address *source, int64_t now_ms, unsigned int most)
{
	unsigned int taken = 0;

	while (taken < most && source_limit_take(limit, source, now_ms))
		taken++;
	return taken;
}

static void test_burst_and_rate(void **state)
{
	struct source_limit limit;
	struct address source = ipv4(0xcb007109);

	(void)state;
	assert_int_equal(source_limit_init(&limit, 64, 10, 20), 0);
	assert_int_equal(take_all(&limit, &source, 5000, 100), 20);
	assert_int_equal(take_all(&limit, &source, 5099, 100), 0);
	assert_int_equal(take_all(&limit, &source, 5100, 100), 1);
	assert_int_equal(take_all(&limit, &source, 6100, 100), 10);
	assert_int_equal(take_all(&limit, &source, 8099, 100), 19);
	assert_int_equal(take_all(&limit, &source, 60000, 100), 20);
	source_limit_free(&limit);
}

/* Parts of a token aren't lost, however often is asked in between. */
static void test_slow_rate(void **state)
{
	struct source_limit limit;
	struct address source = ipv4(1);
	unsigned int taken = 0;

	(void)state;
	assert_int_equal(source_limit_init(&limit, 64, 3, 1), 0);
	for (int64_t now_ms = 0; now_ms < 10000; now_ms += 7)
		taken += source_limit_take(&limit, &source, now_ms);
	/* One at once, then three a second; asked each 7 ms, each one comes up to 7 ms late. */
	assert_in_range(taken, 29, 31);
	source_limit_free(&limit);
}

static void test_sources_are_apart(void **state)
{
	struct source_limit limit;
	struct address one = ipv4(1), other = ipv4(2);
	struct address six = {.family = 6, .bytes = {0, 0, 0, 1}};

	(void)state;
	assert_int_equal(source_limit_init(&limit, 64, 1, 5), 0);
	assert_int_equal(take_all(&limit, &one, 0, 100), 5);
	assert_int_equal(take_all(&limit, &other, 0, 100), 5);
	assert_int_equal(take_all(&limit, &six, 0, 100), 5);
	source_limit_free(&limit);
}

static void test_ipv6_counts_by_network(void **state)
{
	struct source_limit limit;
	struct address one = ipv6(0x20010db800010000, 1);
	struct address neighbour = ipv6(0x20010db800010000, 0xffffffffffffffff);
	struct address stranger = ipv6(0x20010db800010001, 1);

	(void)state;
	assert_int_equal(source_limit_init(&limit, 64, 1, 5), 0);
	assert_int_equal(take_all(&limit, &one, 0, 3), 3);
	assert_int_equal(take_all(&limit, &neighbour, 0, 100), 2);
	assert_int_equal(take_all(&limit, &stranger, 0, 100), 5);
	source_limit_free(&limit);
}

/* One set of four: the source that was silent longest is forgotten, nobody is refused. */
static void test_full_table(void **state)
{
	struct source_limit limit;
	struct address source;

	(void)state;
	assert_int_equal(source_limit_init(&limit, 1, 1, 5), 0);
	assert_int_equal(limit.sets, 1);
	for (uint32_t i = 0; i < 4; i++) {
		source = ipv4(i);
		assert_int_equal(take_all(&limit, &source, i, 100), 5);
	}
	source = ipv4(0);
	assert_false(source_limit_take(&limit, &source, 10)); /* silent no longer */
	source = ipv4(4);
	assert_int_equal(take_all(&limit, &source, 11, 100), 5);
	source = ipv4(0);
	assert_int_equal(take_all(&limit, &source, 12, 100), 0);
	source = ipv4(2);
	assert_int_equal(take_all(&limit, &source, 12, 100), 0);
	source = ipv4(3);
	assert_int_equal(take_all(&limit, &source, 12, 100), 0);
	source = ipv4(1); /* it gave way, and begins anew */
	assert_int_equal(take_all(&limit, &source, 12, 100), 5);
	source_limit_free(&limit);
}

static void test_free_places_come_first(void **state)
{
	struct source_limit limit;
	struct address source;

	(void)state;
	assert_int_equal(source_limit_init(&limit, 4, 1, 5), 0);
	for (uint32_t i = 0; i < 4; i++) {
		source = ipv4(i);
		/* Times before 0 too: a free place isn't told by its time. */
		assert_int_equal(take_all(&limit, &source, (int64_t)i - 100, 100), 5);
	}
	for (uint32_t i = 0; i < 4; i++) {
		source = ipv4(i);
		assert_int_equal(take_all(&limit, &source, -97, 100), 0);
	}
	source_limit_free(&limit);
}

static void test_change(void **state)
{
	struct source_limit limit;
	struct address source = ipv4(1);

	(void)state;
	assert_int_equal(source_limit_init(&limit, 64, 1, 20), 0);
	assert_true(source_limit_take(&limit, &source, 0));
	assert_int_equal(source_limit_change(&limit, 1, 5), 0);
	assert_int_equal(take_all(&limit, &source, 0, 100), 5);
	assert_int_equal(source_limit_change(&limit, 0, 5), -EINVAL);
	assert_int_equal(source_limit_change(&limit, 1, 0), -EINVAL);
	assert_int_equal(source_limit_change(&limit, SOURCE_LIMIT_MAX + 1, 1), -EINVAL);
	assert_int_equal(source_limit_change(&limit, 1, SOURCE_LIMIT_MAX + 1), -EINVAL);
	assert_int_equal(limit.burst, 5);
	source_limit_free(&limit);
}

/* The greatest values and the longest waits don't overflow into a refusal or a gift. */
static void test_extremes(void **state)
{
	struct source_limit limit;
	struct address source = ipv4(1);

	(void)state;
	assert_int_equal(source_limit_init(&limit, 4, SOURCE_LIMIT_MAX, SOURCE_LIMIT_MAX), 0);
	assert_int_equal(take_all(&limit, &source, 0, 2 * SOURCE_LIMIT_MAX), SOURCE_LIMIT_MAX);
	assert_int_equal(
		take_all(&limit, &source, INT64_MAX / 2, 2 * SOURCE_LIMIT_MAX), SOURCE_LIMIT_MAX);
	/* A clock that goes back gives nothing. */
	assert_int_equal(take_all(&limit, &source, 0, 1), 0);
	source_limit_free(&limit);
	assert_int_equal(source_limit_init(&limit, 0, 1, 1), -EINVAL);
	assert_int_equal(source_limit_init(&limit, 4, 0, 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_slow_rate),
		cmocka_unit_test(test_sources_are_apart),
		cmocka_unit_test(test_ipv6_counts_by_network),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_free_places_come_first),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests_name("source_limit", tests, start_sodium, NULL);
}
