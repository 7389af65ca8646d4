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
static enum lookup_added add(uint32_t key, uint64_t id, int64_t now_ms)
{
	struct lookup *displaced;
	enum lookup_added added = lookup_table_add(table, key_of(key), id, now_ms, &displaced);

	assert_null(displaced);
	return added;
}

static void collapses_equal_keys(void **state)
{
	struct lookup *lookup;

	(void)state;
	assert_int_equal(add(1, 10, 100), LOOKUP_NEW);
	assert_int_equal(add(1, 11, 200), LOOKUP_COLLAPSED);
	assert_int_equal(add(1, 10, 300), LOOKUP_SAME);
	assert_int_equal(add(2, 10, 400), LOOKUP_NEW);
	assert_int_equal(lookup_table_queued(table), 2);
	lookup = lookup_table_oldest(table);
	assert_memory_equal(lookup->key, key_of(1), 32);
	assert_int_equal(lookup->id_count, 2);
	assert_int_equal(lookup->ids[0], 10);
	assert_int_equal(lookup->ids[1], 11);
	assert_int_equal(lookup_newest_id(lookup), 11);
	assert_int_equal(lookup->asked_ms, 200);
	/* While a request is under way too. */
	lookup_table_start(table, lookup);
	assert_int_equal(add(1, 12, 500), LOOKUP_COLLAPSED);
	assert_int_equal(lookup_newest_id(lookup), 12);
	assert_true(lookup->active);
	assert_int_equal(lookup_table_queued(table), 1);
	assert_int_equal(lookup_table_active(table), 1);
}

static void keeps_the_newest_ids(void **state)
{
	struct lookup *lookup;

	(void)state;
	for (uint64_t id = 1; id <= 10; id++)
		add(1, id, (int64_t)id);
	lookup = lookup_table_newest(table);
	assert_int_equal(lookup->id_count, LOOKUP_IDS);
	for (unsigned i = 0; i < LOOKUP_IDS; i++)
		assert_int_equal(lookup->ids[i], 10 - LOOKUP_IDS + 1 + i);
}

static void serves_the_newest_first(void **state)
{
	(void)state;
	add(1, 1, 0);
	add(2, 2, 1);
	add(3, 3, 2);
	assert_memory_equal(lookup_table_newest(table)->key, key_of(3), 32);
	assert_memory_equal(lookup_table_oldest(table)->key, key_of(1), 32);
	/* Asked for again: the newest. Sent again: not. */
	add(1, 4, 3);
	add(2, 2, 4);
	assert_memory_equal(lookup_table_newest(table)->key, key_of(1), 32);
	assert_memory_equal(lookup_table_oldest(table)->key, key_of(2), 32);
	/* One that could not be served is the next. */
	struct lookup *lookup = lookup_table_oldest(table);
	lookup_table_start(table, lookup);
	assert_memory_equal(lookup_table_oldest(table)->key, key_of(3), 32);
	lookup_table_requeue(table, lookup);
	assert_ptr_equal(lookup_table_newest(table), lookup);
	assert_false(lookup->active);
	assert_int_equal(lookup_table_queued(table), 3);
	assert_int_equal(lookup_table_active(table), 0);
}

static void removes_anywhere(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		for (uint32_t key = 1; key <= 3; key++)
			add(key, key, key);
		struct lookup *middle = lookup_table_newest(table);
		while (memcmp(middle->key, key_of(i), 32) != 0)
			middle = middle->older;
		lookup_table_remove(table, middle);
		assert_int_equal(lookup_table_queued(table), 2);
		assert_int_equal(add(i, 9, 9), LOOKUP_NEW);
		while (lookup_table_oldest(table) != NULL)
			lookup_table_remove(table, lookup_table_oldest(table));
		assert_null(lookup_table_newest(table));
		assert_int_equal(lookup_table_queued(table), 0);
	}
	add(1, 1, 1);
	struct lookup *active = lookup_table_newest(table);
	lookup_table_start(table, active);
	assert_null(lookup_table_newest(table));
	lookup_table_remove(table, active);
	assert_int_equal(lookup_table_active(table), 0);
	assert_int_equal(add(1, 1, 1), LOOKUP_NEW);
}

static void gives_the_oldest_place_away(void **state)
{
	struct lookup *displaced, *active;
	uint32_t oldest = 1;

	(void)state;
	for (uint32_t key = 0; key < LOOKUP_CAPACITY; key++)
		add(key, key, key);
	/* An active one is not given up. */
	active = lookup_table_oldest(table);
	lookup_table_start(table, active);
	for (uint32_t key = LOOKUP_CAPACITY; key < 3 * LOOKUP_CAPACITY; key++) {
		assert_int_equal(
			lookup_table_add(table, key_of(key), key, key, &displaced), LOOKUP_NEW);
		assert_non_null(displaced);
		assert_memory_equal(displaced->key, key_of(oldest++), 32);
		lookup_table_remove(table, displaced);
		assert_int_equal(lookup_table_queued(table), LOOKUP_CAPACITY - 1);
	}
	/* A key that is known needs no place. */
	assert_int_equal(add(3 * LOOKUP_CAPACITY - 1, 1, 1), LOOKUP_COLLAPSED);
	assert_true(active->active);
	assert_memory_equal(active->key, key_of(0), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(collapses_equal_keys, open_table, close_table),
		cmocka_unit_test_setup_teardown(keeps_the_newest_ids, open_table, close_table),
		cmocka_unit_test_setup_teardown(serves_the_newest_first, open_table, close_table),
		cmocka_unit_test_setup_teardown(removes_anywhere, open_table, close_table),
		cmocka_unit_test_setup_teardown(
			gives_the_oldest_place_away, open_table, close_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
