/* SPDX-License-Identifier: ISC */
/* The breaker before an origin that is down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/breaker.h"

#define LIMIT 5

static struct breaker breaker;
static struct jitter jitter;

static int begin(void **state)
{
	(void)state;
	breaker_init(&breaker, LIMIT);
	return jitter_init(&jitter);
}

/* Fails so often that it opens; the pause is in breaker.until_ms. */
static void open_it(int64_t now_ms)
{
	for (unsigned i = 1; i < LIMIT; i++)
		assert_false(breaker_failed(&breaker, false, &jitter, now_ms));
	assert_true(breaker_allows(&breaker, now_ms));
	assert_false(breaker_refuses(&breaker, now_ms));
	assert_true(breaker_failed(&breaker, false, &jitter, now_ms));
}

static void assert_pause(int64_t now_ms, int64_t pause_ms)
{
	assert_in_range(breaker.until_ms, now_ms + pause_ms / 2, now_ms + pause_ms);
	assert_true(breaker_refuses(&breaker, breaker.until_ms - 1));
	assert_false(breaker_allows(&breaker, breaker.until_ms - 1));
	assert_false(breaker_refuses(&breaker, breaker.until_ms));
	assert_true(breaker_allows(&breaker, breaker.until_ms));
}

static void opens_after_failures_in_a_row(void **state)
{
	(void)state;
	for (unsigned i = 1; i < LIMIT; i++)
		assert_false(breaker_failed(&breaker, false, &jitter, 1000));
	assert_false(breaker_succeeded(&breaker)); /* it was closed */
	open_it(1000);
	assert_pause(1000, BREAKER_PAUSE_MS);
	/* What was under way when it opened. */
	assert_false(breaker_failed(&breaker, false, &jitter, breaker.until_ms - 1));
	assert_pause(1000, BREAKER_PAUSE_MS);
}

static void lets_one_probe_through(void **state)
{
	int64_t now_ms;

	(void)state;
	open_it(1000);
	now_ms = breaker.until_ms;
	breaker_started(&breaker);
	assert_false(breaker_allows(&breaker, now_ms));
	assert_false(breaker_refuses(&breaker, now_ms)); /* whoever asks waits for its end */
	breaker_not_sent(&breaker);
	assert_true(breaker_allows(&breaker, now_ms));
	breaker_started(&breaker);
	assert_true(breaker_succeeded(&breaker));
	assert_true(breaker_allows(&breaker, now_ms));
	open_it(now_ms);
	assert_pause(now_ms, BREAKER_PAUSE_MS);
}

static void may_be_probed_once_there_is_a_connection(void **state)
{
	(void)state;
	breaker_connected(&breaker, 1000);
	for (unsigned i = 0; i < LIMIT; i++)
		breaker_failed(&breaker, true, &jitter, 1000);
	assert_true(breaker_refuses(&breaker, 1001));
	breaker_connected(&breaker, 1001);
	assert_true(breaker_allows(&breaker, 1001));
	breaker_started(&breaker);
	/* It was not for want of a connection this time: one that is there says nothing. */
	assert_true(breaker_failed(&breaker, false, &jitter, 1001));
	breaker_connected(&breaker, 1002);
	assert_true(breaker_refuses(&breaker, 1002));
}

static void pauses_longer_each_time_but_not_for_ever(void **state)
{
	int64_t now_ms = 1000, pause_ms = BREAKER_PAUSE_MS;

	(void)state;
	open_it(now_ms);
	for (int i = 0; i < 8; i++) {
		assert_pause(now_ms, pause_ms);
		now_ms = breaker.until_ms;
		breaker_started(&breaker);
		assert_true(breaker_failed(&breaker, false, &jitter, now_ms));
		pause_ms =
			pause_ms * 2 < BREAKER_PAUSE_MAX_MS ? pause_ms * 2 : BREAKER_PAUSE_MAX_MS;
	}
	assert_int_equal(pause_ms, BREAKER_PAUSE_MAX_MS);
}

static void never_opens_without_a_limit(void **state)
{
	(void)state;
	breaker.limit = 0;
	for (unsigned i = 0; i < 10 * LIMIT; i++)
		assert_false(breaker_failed(&breaker, i % 2 == 0, &jitter, 1000));
	assert_true(breaker_allows(&breaker, 1000));
	assert_false(breaker_succeeded(&breaker));
}

static void jitter_reaches_both_ends(void **state)
{
	unsigned seen[4] = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t number = jitter_draw(&jitter, 3);

		assert_in_range(number, 0, 3);
		seen[number]++;
	}
	for (int i = 0; i < 4; i++)
		assert_true(seen[i] > 150);
	assert_int_equal(jitter_draw(&jitter, 0), 0);
	jitter_draw(&jitter, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(opens_after_failures_in_a_row, begin),
		cmocka_unit_test_setup(lets_one_probe_through, begin),
		cmocka_unit_test_setup(may_be_probed_once_there_is_a_connection, begin),
		cmocka_unit_test_setup(pauses_longer_each_time_but_not_for_ever, begin),
		cmocka_unit_test_setup(never_opens_without_a_limit, begin),
		cmocka_unit_test_setup(jitter_reaches_both_ends, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
