/* SPDX-License-Identifier: ISC */
/* Lookups: one entry a key, the newest first, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/lookup_table.h"

static struct lookup_table *table;

static const uint8_t *key_of(uint32_t number)
{
	static uint8_t key[32];

	memset(key, 7, sizeof(key));
	memcpy(key, &number, sizeof(number));
	return key;
}

static int open_table(void **state)
{
	(void)state;
	table = lookup_table_new();
	return table == NULL;
}

static int close_table(void **state)
{
	(void)state;
	lookup_table_free(table);
	return 0;
}

/* Adds where nothing has to give its place. */
static enum lookup_added add_ranked(
	uint32_t key, uint64_t id, enum lookup_rank rank, int64_t now_ms)
{
	struct lookup *lookup, *displaced;
	enum lookup_added added =
		lookup_table_add(table, key_of(key), id, rank, now_ms, &lookup, &displaced);

	assert_null(displaced);
	assert_memory_equal(lookup->key, key_of(key), 32);
	return added;
}

static enum lookup_added add(uint32_t key, uint64_t id, int64_t now_ms)
{
	return add_ranked(key, id, LOOKUP_UNKNOWN, now_ms);
}

static struct lookup *find(uint32_t key)
{
	return lookup_table_find(table, key_of(key));
}

/* Serves all that is queued, one after the other. */
static void assert_served(const uint32_t *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct lookup *lookup = lookup_table_next(table);

		assert_non_null(lookup);
		assert_memory_equal(lookup->key, key_of(keys[i]), 32);
		lookup_table_start(table, lookup);
	}
	assert_null(lookup_table_next(table));
	assert_int_equal(lookup_table_active(table), count);
}

#define ASSERT_SERVED(...)                             \
	assert_served((const uint32_t[]){__VA_ARGS__}, \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void collapses_equal_keys(void **state)
{
	struct lookup *lookup;

	(void)state;
	assert_int_equal(add(1, 10, 100), LOOKUP_NEW);
	assert_int_equal(add(1, 11, 200), LOOKUP_COLLAPSED);
	assert_int_equal(add(1, 10, 300), LOOKUP_SAME);
	assert_int_equal(add(2, 10, 400), LOOKUP_NEW);
	assert_int_equal(lookup_table_queued(table), 2);
	lookup = find(1);
	assert_int_equal(lookup->id_count, 2);
	assert_int_equal(lookup->ids[0], 10);
	assert_int_equal(lookup->ids[1], 11);
	assert_int_equal(lookup_newest_id(lookup), 11);
	assert_int_equal(lookup->asked_ms, 200);
	/* While a request is under way too. */
	lookup_table_start(table, lookup);
	assert_int_equal(add(1, 12, 500), LOOKUP_COLLAPSED);
	assert_int_equal(lookup_newest_id(lookup), 12);
	assert_int_equal(lookup->state, LOOKUP_ACTIVE);
	assert_int_equal(lookup_table_queued(table), 1);
	assert_int_equal(lookup_table_active(table), 1);
	assert_int_equal(lookup_table_count(table), 2);
	assert_null(find(3));
}

static void keeps_the_newest_ids(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= 10; id++)
		add(1, id, (int64_t)id);
	assert_int_equal(find(1)->id_count, LOOKUP_IDS);
	for (unsigned i = 0; i < LOOKUP_IDS; i++)
		assert_int_equal(find(1)->ids[i], 10 - LOOKUP_IDS + 1 + i);
}

static void serves_the_newest_demand_first(void **state)
{
	(void)state;
	add(1, 1, 0);
	add(2, 2, 1);
	add(3, 3, 2);
	/* Asked for again: the newest. Sent again: not. */
	add(1, 4, 3);
	add(2, 2, 4);
	/* One that could not be served is the next. */
	lookup_table_start(table, find(2));
	lookup_table_requeue(table, find(2));
	assert_int_equal(find(2)->state, LOOKUP_QUEUED);
	ASSERT_SERVED(2, 1, 3);
}

static void serves_by_rank(void **state)
{
	(void)state;
	add(1, 1, 0);
	add_ranked(2, LOOKUP_RENEWAL_BIT | 1, LOOKUP_RENEWAL, 0);
	add_ranked(3, LOOKUP_RENEWAL_BIT | 2, LOOKUP_RENEWAL, 0);
	add_ranked(4, 2, LOOKUP_KNOWN, 0);
	add_ranked(5, 3, LOOKUP_KNOWN, 0);
	add(6, 4, 0);
	/* A demand for what is being renewed, and the other way round: the first rank counts. */
	add_ranked(7, LOOKUP_RENEWAL_BIT | 3, LOOKUP_RENEWAL, 0);
	assert_int_equal(add_ranked(7, 5, LOOKUP_KNOWN, 0), LOOKUP_COLLAPSED);
	add_ranked(8, 6, LOOKUP_KNOWN, 0);
	assert_int_equal(
		add_ranked(8, LOOKUP_RENEWAL_BIT | 4, LOOKUP_RENEWAL, 0), LOOKUP_COLLAPSED);
	ASSERT_SERVED(8, 7, 5, 4, 2, 3, 6, 1);
}

static void goes_on_as_a_renewal(void **state)
{
	(void)state;
	add_ranked(1, 1, LOOKUP_KNOWN, 0);
	add_ranked(1, LOOKUP_RENEWAL_BIT | 1, LOOKUP_RENEWAL, 0);
	add_ranked(1, 2, LOOKUP_KNOWN, 0);
	add_ranked(2, LOOKUP_RENEWAL_BIT | 2, LOOKUP_RENEWAL, 0);
	lookup_table_make_renewal(table, find(1));
	assert_int_equal(find(1)->id_count, 1);
	assert_true(find(1)->ids[0] == (LOOKUP_RENEWAL_BIT | 1));
	assert_int_equal(find(1)->rank, LOOKUP_RENEWAL);
	/* One that waits, and one whose request is under way, stay what they are. */
	add(3, 3, 0);
	lookup_table_wait(table, find(3), 500);
	lookup_table_make_renewal(table, find(3));
	assert_int_equal(find(3)->state, LOOKUP_WAITING);
	assert_int_equal(lookup_newest_id(find(3)), 0);
	ASSERT_SERVED(2, 1);
	lookup_table_make_renewal(table, find(2));
	assert_int_equal(find(2)->state, LOOKUP_ACTIVE);
	assert_int_equal(lookup_table_active(table), 2);
}

static void waits_and_comes_back(void **state)
{
	(void)state;
	add(1, 1, 0);
	add(2, 2, 0);
	lookup_table_start(table, find(1));
	lookup_table_wait(table, find(1), 700);
	assert_int_equal(find(1)->retry_ms, 700);
	assert_int_equal(lookup_table_active(table), 0);
	assert_int_equal(lookup_table_queued(table), 1);
	assert_int_equal(lookup_table_count(table), 2);
	/* Asked for again it still waits. */
	assert_int_equal(add(1, 3, 100), LOOKUP_COLLAPSED);
	assert_int_equal(find(1)->state, LOOKUP_WAITING);
	lookup_table_requeue(table, find(1));
	ASSERT_SERVED(1, 2);
}

static void walks_over_all(void **state)
{
	struct lookup *lookup = NULL;
	unsigned seen = 0;

	(void)state;
	assert_null(lookup_table_walk(table, NULL));
	for (uint32_t key = 0; key < LOOKUP_CAPACITY; key++)
		add(key, key, 0);
	lookup_table_start(table, find(7));
	lookup_table_wait(table, find(8), 1);
	/* Every second one is removed as it is met. */
	while ((lookup = lookup_table_walk(table, lookup)) != NULL) {
		if (seen++ % 2 == 0)
			lookup_table_remove(table, lookup);
	}
	assert_int_equal(seen, LOOKUP_CAPACITY);
	assert_int_equal(lookup_table_count(table), LOOKUP_CAPACITY / 2);
}

static void removes_anywhere(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		for (uint32_t key = 1; key <= 3; key++)
			add(key, key, key);
		lookup_table_remove(table, find(i));
		assert_null(find(i));
		assert_int_equal(lookup_table_queued(table), 2);
		assert_int_equal(add(i, 9, 9), LOOKUP_NEW);
		for (uint32_t key = 1; key <= 3; key++)
			lookup_table_remove(table, find(key));
		assert_null(lookup_table_next(table));
		assert_int_equal(lookup_table_count(table), 0);
	}
	add(1, 1, 1);
	lookup_table_start(table, find(1));
	assert_null(lookup_table_next(table));
	lookup_table_remove(table, find(1));
	assert_int_equal(lookup_table_active(table), 0);
	assert_int_equal(add(1, 1, 1), LOOKUP_NEW);
	lookup_table_wait(table, find(1), 5);
	lookup_table_remove(table, find(1));
	assert_int_equal(lookup_table_count(table), 0);
}

/* Adds one more than there is room for, and ends the one that gives its place. */
static void assert_displaces(uint32_t key, uint32_t expected)
{
	struct lookup *lookup, *displaced;

	assert_int_equal(
		lookup_table_add(table, key_of(key), key, LOOKUP_UNKNOWN, key, &lookup, &displaced),
		LOOKUP_NEW);
	assert_non_null(displaced);
	assert_memory_equal(displaced->key, key_of(expected), 32);
	lookup_table_remove(table, displaced);
	assert_int_equal(lookup_table_count(table), LOOKUP_CAPACITY);
}

static void gives_the_oldest_place_away(void **state)
{
	uint32_t next = LOOKUP_CAPACITY;

	(void)state;
	add_ranked(0, 0, LOOKUP_KNOWN, 0);
	add_ranked(1, 1, LOOKUP_RENEWAL, 0);
	for (uint32_t key = 2; key < LOOKUP_CAPACITY; key++)
		add(key, key, key);
	/* An active one is not given up. */
	lookup_table_start(table, find(2));
	for (uint32_t oldest = 3; oldest < 2 * LOOKUP_CAPACITY; oldest++)
		assert_displaces(next++, oldest);
	/* One that failed before is the first to go. */
	lookup_table_wait(table, find(next - 1), 9);
	assert_displaces(next, next - 1);
	/* A key that is known needs no place. */
	assert_int_equal(add(next, 1, 1), LOOKUP_COLLAPSED);
	assert_int_equal(find(2)->state, LOOKUP_ACTIVE);
	/* Made-up keys displace neither what is known nor renewals. */
	assert_non_null(find(0));
	assert_non_null(find(1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)
	const struct CMUnitTest tests[] = {
		TEST(collapses_equal_keys),
		TEST(keeps_the_newest_ids),
		TEST(serves_the_newest_demand_first),
		TEST(serves_by_rank),
		TEST(goes_on_as_a_renewal),
		TEST(waits_and_comes_back),
		TEST(walks_over_all),
		TEST(removes_anywhere),
		TEST(gives_the_oldest_place_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
