/* SPDX-License-Identifier: ISC */
/* Rates, and how long outcomes hold. */
#include "installer/token_bucket.h"

#include "installer/outcome.h"
#include "unit.h"

static unsigned take_all(struct token_bucket *bucket, int64_t now_ms)
{
	unsigned taken = 0;

	while (taken < 100000 && token_bucket_take(bucket, now_ms))
		taken++;
	return taken;
}

static void test_rate(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 10, 20, 5000);
	assert_int_equal(take_all(&bucket, 5000), 20);
	assert_int_equal(take_all(&bucket, 5099), 0);
	assert_int_equal(take_all(&bucket, 5100), 1);
	assert_int_equal(take_all(&bucket, 6100), 10);
	assert_int_equal(take_all(&bucket, 7999), 18);
	assert_int_equal(take_all(&bucket, 8000), 1); /* nothing is lost in rounding */
	assert_int_equal(take_all(&bucket, INT64_MAX / 2), 20);
}

static void test_greatest(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 1000000, 1000000, 0);
	assert_true(token_bucket_take(&bucket, INT64_MAX / 2));
	assert_int_equal(bucket.thousandths, 1000000000 - 1000);
}

static void test_outcomes(void **state)
{
	(void)state;
	assert_int_equal(outcome_hold_ms(OUTCOME_INSTALLED, 7), 0);
	assert_int_equal(outcome_hold_ms(OUTCOME_ABSENT, 3000), 3000);
	assert_int_equal(outcome_hold_ms(OUTCOME_REVOKED, 7), 60000);
	assert_int_equal(outcome_hold_ms(OUTCOME_REJECTED, 7), 10000);
	/* Below a client's retry, which comes after 5 s at the earliest. */
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7), 1000);
	assert_string_equal(outcome_name(OUTCOME_REJECTED), "rejected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_greatest),
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
