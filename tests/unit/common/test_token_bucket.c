/* SPDX-License-Identifier: ISC */
/* A rate with a burst, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/token_bucket.h"

static unsigned take_all(struct token_bucket *bucket, int64_t now_ms)
{
	unsigned taken = 0;

	while (token_bucket_take(bucket, now_ms))
		taken++;
	return taken;
}

static void holds_the_rate(void **state)
{
	static const uint64_t rates[] = {1, 3, 19, 20, 500, TOKEN_BUCKET_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct token_bucket bucket;
		uint64_t taken = 0;

		token_bucket_init(&bucket, rates[i], 2 * rates[i] / 10 + 1, 1000);
		for (int64_t now_ms = 1000; now_ms < 11000; now_ms++)
			taken += take_all(&bucket, now_ms);
		/* Ten seconds' worth and the burst, less what is not yet whole. */
		assert_true(taken >= rates[i] * 10 - 1);
		assert_true(taken <= rates[i] * 10 + bucket.burst);
	}
}

static void bursts(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 500, 50, 0);
	assert_int_equal(take_all(&bucket, 0), 50);
	/* However long the pause. */
	assert_int_equal(take_all(&bucket, (int64_t)1 << 50), 50);
	token_bucket_init(&bucket, 10, 20, 5000);
	assert_int_equal(take_all(&bucket, 5000), 20);
	assert_int_equal(take_all(&bucket, 5099), 0);
	assert_int_equal(take_all(&bucket, 5100), 1);
	assert_int_equal(take_all(&bucket, 7999), 20);
	assert_int_equal(take_all(&bucket, 8098), 0);
	assert_int_equal(take_all(&bucket, 8099), 1);
}

static void limits(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 0, 0, 0);
	assert_int_equal(take_all(&bucket, 0), 1);
	assert_int_equal(take_all(&bucket, 999), 0);
	assert_int_equal(take_all(&bucket, 1000), 1);
	token_bucket_init(&bucket, UINT64_MAX, UINT64_MAX, 0);
	assert_true(token_bucket_take(&bucket, INT64_MAX / 2));
	assert_int_equal(bucket.thousandths, (TOKEN_BUCKET_MAX - 1) * INT64_C(1000));
}

static void tells_when(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 3, 1, 0);
	assert_int_equal(token_bucket_wait_ms(&bucket, 0), 0);
	assert_true(token_bucket_take(&bucket, 0));
	assert_int_equal(token_bucket_wait_ms(&bucket, 0), 334);
	assert_false(token_bucket_take(&bucket, 333));
	assert_int_equal(token_bucket_wait_ms(&bucket, 333), 1);
	assert_true(token_bucket_take(&bucket, 334));
	/* A clock that stands still or steps back gives nothing. */
	assert_false(token_bucket_take(&bucket, 334));
	assert_false(token_bucket_take(&bucket, 0));
}

static void takes_one_back(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 1, 1, 0);
	token_bucket_return(&bucket); /* it is full */
	assert_int_equal(take_all(&bucket, 0), 1);
	token_bucket_return(&bucket);
	assert_int_equal(take_all(&bucket, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_the_rate),
		cmocka_unit_test(bursts),
		cmocka_unit_test(limits),
		cmocka_unit_test(tells_when),
		cmocka_unit_test(takes_one_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
