/* SPDX-License-Identifier: ISC */
/* Questions and answers, and what silence means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/health.h"

static struct health health;

static int begin(void **state)
{
	(void)state;
	health_begin(&health);
	return 0;
}

static void first_question_is_due_at_once_and_then_every_two_seconds(void **state)
{
	(void)state;
	assert_true(health_is_due(&health, 5000));
	health_ask(&health, 5000);
	assert_false(health_is_due(&health, 5000 + HEALTH_ASK_EVERY_MS - 1));
	assert_true(health_is_due(&health, 5000 + HEALTH_ASK_EVERY_MS));
}

static void answer_ends_the_silence(void **state)
{
	uint64_t id = health_ask(&health, 1000);

	(void)state;
	assert_int_equal(health_silent_ms(&health, 1400), 400);
	assert_int_equal(health_answer(&health, id, 1400), 0);
	assert_int_equal(health_silent_ms(&health, 999999), 0);
}

/* A second question doesn't make the first one's age forgotten. */
static void silence_is_counted_from_the_first_open_question(void **state)
{
	uint64_t first = health_ask(&health, 1000);

	(void)state;
	health_ask(&health, 3000);
	assert_int_equal(health_silent_ms(&health, 6000), 5000);
	assert_int_equal(health_answer(&health, first, 6000), 0);
	assert_int_equal(health_silent_ms(&health, 6100), 100);
}

static void answer_counts_for_the_questions_before_it(void **state)
{
	uint64_t first = health_ask(&health, 1000), second = health_ask(&health, 3000);

	(void)state;
	assert_int_equal(health_answer(&health, second, 3500), 0);
	assert_int_equal(health_silent_ms(&health, 9000), 0);
	assert_int_equal(health_answer(&health, first, 3600), -EPROTO);
}

static void answer_to_no_question_is_refused(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(health_answer(&health, 0, 1), -EPROTO);
	assert_int_equal(health_answer(&health, 1, 1), -EPROTO);
	id = health_ask(&health, 1000);
	assert_int_equal(health_answer(&health, id + 1, 1001), -EPROTO);
	assert_int_equal(health_answer(&health, UINT64_MAX, 1001), -EPROTO);
	assert_int_equal(health_answer(&health, id, 1001), 0);
	assert_int_equal(health_answer(&health, id, 1001), -EPROTO);
}

static void excuse_starts_the_count_anew_and_asks(void **state)
{
	uint64_t id = health_ask(&health, 1000);

	(void)state;
	health_excuse(&health, 60000);
	assert_int_equal(health_silent_ms(&health, 60010), 10);
	assert_true(health_is_due(&health, 60000));
	health_ask(&health, 60000);
	assert_int_equal(health_answer(&health, id, 60000), 0); /* it was on its way */
}

static void only_the_connector_may_be_silent_for_longer(void **state)
{
	(void)state;
	assert_int_equal(health_limit_ms(ROLE_CAPTURE), HEALTH_SILENT_MS);
	assert_int_equal(health_limit_ms(ROLE_FETCHER), HEALTH_SILENT_MS);
	assert_int_equal(health_limit_ms(ROLE_INSTALLER), HEALTH_SILENT_MS);
	assert_int_equal(health_limit_ms(ROLE_CONNECTOR), HEALTH_SILENT_CONNECTOR_MS);
}

#define HEALTH_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEALTH_TEST(first_question_is_due_at_once_and_then_every_two_seconds),
		HEALTH_TEST(answer_ends_the_silence),
		HEALTH_TEST(silence_is_counted_from_the_first_open_question),
		HEALTH_TEST(answer_counts_for_the_questions_before_it),
		HEALTH_TEST(answer_to_no_question_is_refused),
		HEALTH_TEST(excuse_starts_the_count_anew_and_asks),
		HEALTH_TEST(only_the_connector_may_be_silent_for_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
