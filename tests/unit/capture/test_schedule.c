/* SPDX-License-Identifier: ISC */
/* Which initiation is next, by a clock that the test moves. */
#include "unit.h"

#include "capture/schedule.h"

static struct schedule schedule;

static int empty_schedule(void **state)
{
	(void)state;
	memset(&schedule, 0, sizeof(schedule));
	return 0;
}

static void add(enum lane lane, uint16_t number, int64_t now_us)
{
	struct waiting waiting = {
		.packet.source_port = number, .number = number, .since_ms = now_us / 1000};

	schedule_add(&schedule, lane, &waiting);
}

static void expect(enum lane expected, uint16_t number, bool has_room, int64_t now_us)
{
	enum lane lane;
	struct waiting *waiting;

	assert_int_equal(schedule_wait_ms(&schedule, has_room, now_us), 0);
	waiting = schedule_take(&schedule, has_room, now_us, &lane);
	assert_non_null(waiting);
	assert_int_equal(lane, expected);
	assert_int_equal(waiting->packet.source_port, number);
}

static void expect_nothing(bool has_room, int64_t now_us)
{
	enum lane lane;

	assert_null(schedule_take(&schedule, has_room, now_us, &lane));
}

static void test_known_sources_go_first(void **state)
{
	(void)state;
	add(LANE_KNOWN_SOURCE, 1, 0);
	add(LANE_UNKNOWN_SOURCE, 2, 0);
	add(LANE_STRANGER, 3, 0);
	add(LANE_KNOWN_SOURCE, 4, 0);
	add(LANE_UNKNOWN_SOURCE, 5, 0);
	expect(LANE_KNOWN_SOURCE, 4, true, 0);
	expect(LANE_KNOWN_SOURCE, 1, true, 0);
	expect(LANE_STRANGER, 3, true, 0);
	expect(LANE_UNKNOWN_SOURCE, 5, true, 0);
	add(LANE_KNOWN_SOURCE, 6, 0);
	expect(LANE_KNOWN_SOURCE, 6, true, 0);
	expect(LANE_UNKNOWN_SOURCE, 2, true, 0);
	expect_nothing(true, 0);
	assert_int_equal(schedule_wait_ms(&schedule, true, 0), -1);
}

/* Without load the budget isn't felt; under it unknown sources wait, and known ones don't. */
static void test_budget(void **state)
{
	int64_t now_us = 0;
	int taken = 0, wait_ms;

	(void)state;
	for (uint16_t i = 0; i < 1000; i++)
		add(LANE_UNKNOWN_SOURCE, i, now_us);
	for (; schedule_wait_ms(&schedule, true, now_us) == 0; taken++) {
		expect(LANE_UNKNOWN_SOURCE, (uint16_t)(999 - taken), true, now_us);
		schedule_spend(&schedule, LANE_UNKNOWN_SOURCE, 1000);
	}
	assert_int_equal(taken, WORK_BUDGET_BURST_US / 1000);
	expect_nothing(true, now_us);
	wait_ms = schedule_wait_ms(&schedule, true, now_us);
	assert_in_range(wait_ms, 1, 10);
	add(LANE_KNOWN_SOURCE, 2000, now_us);
	expect(LANE_KNOWN_SOURCE, 2000, true, now_us);
	/* What known sources cost leaves the others theirs. */
	schedule_spend(&schedule, LANE_KNOWN_SOURCE, 1000000);
	assert_int_equal(schedule_wait_ms(&schedule, true, now_us), wait_ms);
	now_us += wait_ms * 1000;
	expect(LANE_UNKNOWN_SOURCE, (uint16_t)(999 - taken), true, now_us);
}

static void test_strangers_wait_for_room(void **state)
{
	(void)state;
	add(LANE_STRANGER, 1, 0);
	expect_nothing(false, 0);
	assert_int_equal(schedule_wait_ms(&schedule, false, 0), -1);
	add(LANE_UNKNOWN_SOURCE, 2, 0);
	expect(LANE_UNKNOWN_SOURCE, 2, false, 0);
	expect(LANE_STRANGER, 1, true, 0);
	expect_nothing(true, 0);
}

static void test_what_is_lost(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < BACKLOG_PLACES + 3; i++) {
		add(LANE_KNOWN_SOURCE, i, 0);
		add(LANE_UNKNOWN_SOURCE, i, 0);
		add(LANE_STRANGER, i, 0);
	}
	assert_int_equal(schedule_lost_unproven(&schedule), 6);
	assert_int_equal(schedule_lost_proven(&schedule), 3);
	assert_int_equal(schedule_wait_ms(&schedule, true, BACKLOG_KEEP_MS * 1000), -1);
	expect_nothing(true, BACKLOG_KEEP_MS * 1000);
	assert_int_equal(schedule_lost_unproven(&schedule), 2 * (BACKLOG_PLACES + 3));
	assert_int_equal(schedule_lost_proven(&schedule), BACKLOG_PLACES + 3);
}

#define SCHEDULE_TEST(test) cmocka_unit_test_setup(test, empty_schedule)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEDULE_TEST(test_known_sources_go_first),
		SCHEDULE_TEST(test_budget),
		SCHEDULE_TEST(test_strangers_wait_for_room),
		SCHEDULE_TEST(test_what_is_lost),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
