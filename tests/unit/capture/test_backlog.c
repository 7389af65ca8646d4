/* SPDX-License-Identifier: ISC */
/* What waits: the newest first, the oldest lost first. */
#include "unit.h"

#include "capture/backlog.h"

static struct backlog backlog;

static int empty_backlog(void **state)
{
	(void)state;
	memset(&backlog, 0, sizeof(backlog));
	return 0;
}

static void add(uint16_t number, int64_t since_ms)
{
	struct waiting waiting = {
		.packet.source_port = number, .number = number, .since_ms = since_ms};

	backlog_add(&backlog, &waiting);
}

static void expect(uint16_t number, int64_t now_ms)
{
	struct waiting *taken;

	assert_true(backlog_has(&backlog, now_ms));
	taken = backlog_take(&backlog, now_ms);
	assert_non_null(taken);
	assert_int_equal(taken->packet.source_port, number);
}

static void expect_nothing(int64_t now_ms)
{
	assert_false(backlog_has(&backlog, now_ms));
	assert_null(backlog_take(&backlog, now_ms));
}

static void test_newest_first(void **state)
{
	(void)state;
	expect_nothing(0);
	add(1, 0);
	add(2, 1);
	add(3, 2);
	expect(3, 2);
	add(4, 3);
	expect(4, 3);
	expect(2, 3);
	expect(1, 3);
	expect_nothing(3);
	assert_int_equal(backlog.lost, 0);
}

static void test_the_oldest_gives_its_place(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < BACKLOG_PLACES + 10; i++)
		add(i, i);
	assert_int_equal(backlog.lost, 10);
	for (uint16_t i = BACKLOG_PLACES + 10; i-- > 10;)
		expect(i, 0);
	expect_nothing(0);
	assert_int_equal(backlog.lost, 10);
}

/* The ring is gone round more than once, never full. */
static void test_around_the_ring(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 3 * BACKLOG_PLACES; i++) {
		add(i, 0);
		if (i % 3 != 2)
			continue;
		expect(i, 0);
		expect((uint16_t)(i - 1), 0);
		if (backlog.count == BACKLOG_PLACES / 2) {
			while (backlog.count > 0)
				assert_non_null(backlog_take(&backlog, 0));
		}
	}
	assert_int_equal(backlog.lost, 0);
}

static void test_too_old_is_forgotten(void **state)
{
	(void)state;
	add(1, 0);
	add(2, 1000);
	expect(2, 5999);
	expect_nothing(5999);
	assert_int_equal(backlog.lost, 1);
	add(5, 10000);
	expect(5, 14999);
}

/* Those that come in the order of their judgement, the newest first, stay in it. */
static void test_older_ones_go_below(void **state)
{
	(void)state;
	add(10, 0);
	add(9, 0);
	add(8, 0);
	add(11, 0);
	add(7, 0);
	for (uint16_t number = 11; number >= 7; number--)
		expect(number, 0);
	expect_nothing(0);
	/* Nobody newer loses his place to them. */
	for (uint16_t i = 0; i < BACKLOG_PLACES; i++)
		add((uint16_t)(20000 - i), 0);
	add(1, 0);
	assert_int_equal(backlog.lost, 1);
	for (uint16_t i = 0; i < BACKLOG_PLACES; i++)
		expect((uint16_t)(20000 - i), 0);
	expect_nothing(0);
}

#define BACKLOG_TEST(test) cmocka_unit_test_setup(test, empty_backlog)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BACKLOG_TEST(test_newest_first),
		BACKLOG_TEST(test_the_oldest_gives_its_place),
		BACKLOG_TEST(test_around_the_ring),
		BACKLOG_TEST(test_too_old_is_forgotten),
		BACKLOG_TEST(test_older_ones_go_below),
	};

	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
