/* SPDX-License-Identifier: ISC */
#include "installer/removal_guard.h"

#include "unit.h"

#define MINUTE_MS (REMOVAL_GUARD_SECONDS * 1000)
#define PEERS     2000

static struct removal_guard guard;
static struct removal_guard_mark marks[PEERS];
static int64_t now_ms;
static uint32_t installed;

static int set_up(void **state)
{
	(void)state;
	removal_guard_init(&guard, 5);
	memset(marks, 0, sizeof(marks));
	now_ms = 1000000;
	installed = 1000;
	return 0;
}

static void count(uint32_t number, bool is_absent)
{
	removal_guard_count(&guard, &marks[number], is_absent, installed, now_ms);
}

static void found(uint32_t number)
{
	count(number, false);
	assert_false(removal_guard_admits(&guard, &marks[number]));
}

/* Whether a peer that is absent may go; then it does. */
static bool go(uint32_t number)
{
	if (!removal_guard_admits(&guard, &marks[number]))
		return false;
	removal_guard_gone(&guard, now_ms);
	removal_guard_forget(&guard, &marks[number]);
	installed--;
	return true;
}

/* It goes at once where it may. */
static bool absent(uint32_t number)
{
	count(number, true);
	return go(number);
}

static uint32_t absent_many(uint32_t first, uint32_t count)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < count; i++)
		gone += absent(first + i);
	return gone;
}

/* Just the share goes, and not one more. */
static void test_share(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		assert_true(absent(i));
		assert_false(guard.is_up);
		now_ms += 500;
	}
	assert_false(absent(50));
	assert_true(guard.is_up);
	assert_int_equal(installed, 950);
	assert_int_equal(absent_many(51, 949), 0);
	assert_int_equal(guard.spared, 950);
}

static void test_small_fleet(void **state)
{
	(void)state;
	installed = 40;
	assert_int_equal(absent_many(0, 40), REMOVAL_GUARD_MIN);
	assert_true(guard.is_up);
}

/* Whoever goes at a rate that the guard lets go never meets it. */
static void test_slow(void **state)
{
	(void)state;
	installed = 100000;
	for (uint32_t i = 0; i < PEERS; i++) {
		assert_true(absent(i));
		found(i);
		now_ms += 30;
	}
	assert_false(guard.is_up);
}

/* The minute slides. */
static void test_minute(void **state)
{
	(void)state;
	installed = 20;
	assert_int_equal(absent_many(0, 5), 5);
	now_ms += 30000;
	assert_int_equal(absent_many(5, 5), 5);
	now_ms += 29999;
	assert_false(absent(10));
	assert_true(guard.is_up);
	set_up(state);
	installed = 20;
	assert_int_equal(absent_many(0, 5), 5);
	now_ms += 30000;
	assert_int_equal(absent_many(5, 5), 5);
	now_ms += 31999; /* the first five are out of it */
	assert_int_equal(absent_many(10, 6), 5);
	assert_true(guard.is_up);
}

/* Those that wait to go count as those that went; and none of them goes once they are too many. */
static void test_waiting(void **state)
{
	(void)state;
	assert_int_equal(absent_many(0, 20), 20);
	for (uint32_t i = 20; i < 50; i++)
		count(i, true);
	assert_false(guard.is_up);
	assert_true(removal_guard_admits(&guard, &marks[20]));
	count(50, true);
	assert_true(guard.is_up);
	assert_int_equal(guard.spared, 31);
	for (uint32_t i = 20; i < 51; i++)
		assert_false(go(i));
}

/* One that is found before it went, or goes for another reason, waits no more. */
static void test_waits_no_more(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 40; i++)
			count(i, true);
		for (uint32_t i = 0; i < 20; i++)
			found(i);
		for (uint32_t i = 20; i < 40; i++)
			removal_guard_forget(&guard, &marks[i]);
		assert_false(go(0));
		assert_false(go(20));
	}
	assert_false(guard.is_up);
	assert_int_equal(guard.absent, 0);
}

/* What waited when removals stopped goes by a new answer alone, when they go on. */
static void test_old_answers(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 51; i++)
		count(i, true);
	assert_true(guard.is_up);
	count(7, true);
	for (uint32_t i = 100; i < 200; i++)
		found(i);
	now_ms += MINUTE_MS;
	removal_guard_look(&guard, installed, now_ms);
	assert_false(guard.is_up);
	assert_false(go(3));
	assert_false(go(7));
	assert_true(absent(3));
}

/* Peers that went within the minute belong to those that it began with. */
static void test_share_of_what_was(void **state)
{
	(void)state;
	installed = 400;
	assert_int_equal(removal_guard_limit(&guard, installed, now_ms), 20);
	assert_int_equal(absent_many(0, 30), 20);
	assert_int_equal(installed, 380);
	assert_int_equal(removal_guard_limit(&guard, installed, now_ms), 20);
}

static void trip(void)
{
	absent_many(0, 51);
	assert_true(guard.is_up);
}

/* Found again, and for a whole minute: then one that is absent goes, by a new answer. */
static void test_normal_again(void **state)
{
	(void)state;
	trip();
	for (uint32_t i = 50; i < 1000; i++)
		found(i);
	now_ms += MINUTE_MS - 1;
	found(60);
	removal_guard_look(&guard, installed, now_ms);
	assert_true(guard.is_up);
	assert_false(absent(61));
	now_ms += 1;
	assert_false(absent(61)); /* it was asked for when removals were stopped */
	assert_false(guard.is_up);
	assert_true(absent(61));
	assert_int_equal(installed, 949);
}

/* The same without an answer at just that time. */
static void test_normal_again_in_silence(void **state)
{
	(void)state;
	trip();
	found(51);
	found(52);
	now_ms += MINUTE_MS - 1;
	removal_guard_look(&guard, installed, now_ms);
	assert_true(guard.is_up);
	now_ms += 1;
	removal_guard_look(&guard, installed, now_ms);
	assert_false(guard.is_up);
}

/* No answers, or few and bad ones, are no sign of health, however long it lasts. */
static void test_silence(void **state)
{
	(void)state;
	trip();
	now_ms += 10 * MINUTE_MS;
	assert_false(absent(50));
	found(51);
	assert_true(guard.is_up); /* as many found as absent */
	found(52);
	assert_false(guard.is_up);
}

/* While too many are absent the minute doesn't begin. */
static void test_still_absent(void **state)
{
	(void)state;
	trip();
	for (unsigned minute = 0; minute < 20; minute++) {
		for (uint32_t i = 50; i < 1000; i++) {
			if (i < 101)
				assert_false(absent(i));
			else
				found(i);
		}
		now_ms += MINUTE_MS / 4;
	}
	assert_true(guard.is_up);
	/* As many as may go within a minute are not too many, however often they are asked about. */
	for (unsigned quarter = 0; quarter < 5 && guard.is_up; quarter++) {
		for (uint32_t i = 50; i < 1000; i++) {
			if (i < 97)
				absent(i);
			else
				found(i);
		}
		now_ms += MINUTE_MS / 4;
	}
	assert_false(guard.is_up);
	assert_int_equal(installed, 950 - 46);
}

/* One that comes back counts as found, one that goes missing as absent: the latest counts. */
static void test_latest_answer(void **state)
{
	(void)state;
	trip();
	found(100);
	found(100);
	assert_int_equal(guard.found, 1);
	absent(100);
	absent(100);
	assert_int_equal(guard.found, 0);
	assert_int_equal(guard.absent, 1);
	found(100);
	assert_int_equal(guard.found, 1);
	assert_int_equal(guard.absent, 0);
}

/*
 * An origin of which one server in ten answers 404, peers that are asked about every 10 s: it stops
 * once, and stays so. A fleet of which ever less than the share goes: it never stops.
 */
static void test_does_not_flap(void **state)
{
	unsigned stops = 0;
	bool was_up = false;

	(void)state;
	for (unsigned second = 0; second < 1800; second++) {
		for (uint32_t i = second % 10; i < 1000; i += 10) {
			if ((i * 7919 + second) % 10 == 0)
				count(i, true);
			else
				found(i);
		}
		stops += guard.is_up && !was_up;
		was_up = guard.is_up;
		now_ms += 1000;
	}
	assert_true(guard.is_up);
	assert_int_equal(stops, 1);
}

static void test_operator(void **state)
{
	(void)state;
	trip();
	removal_guard_set(&guard, 4, now_ms);
	assert_true(guard.is_up);
	removal_guard_set(&guard, 100, now_ms);
	assert_false(guard.is_up);
	assert_int_equal(absent_many(51, 949), 949);
	assert_false(guard.is_up);
	installed = 1000;
	removal_guard_set(&guard, 0, now_ms);
	now_ms += MINUTE_MS;
	assert_int_equal(absent_many(0, 100), REMOVAL_GUARD_MIN);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_share),
		TEST(test_small_fleet),
		TEST(test_slow),
		TEST(test_minute),
		TEST(test_waiting),
		TEST(test_waits_no_more),
		TEST(test_old_answers),
		TEST(test_share_of_what_was),
		TEST(test_normal_again),
		TEST(test_normal_again_in_silence),
		TEST(test_silence),
		TEST(test_still_absent),
		TEST(test_latest_answer),
		TEST(test_does_not_flap),
		TEST(test_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
