/* SPDX-License-Identifier: ISC */
/* How long outcomes hold. */
#include "installer/outcome.h"

#include "unit.h"

static void test_outcomes(void **state)
{
	(void)state;
	assert_int_equal(outcome_hold_ms(OUTCOME_INSTALLED, 7, 0), 0);
	assert_int_equal(outcome_hold_ms(OUTCOME_ABSENT, 3000, 4900), 3000);
	assert_int_equal(outcome_hold_ms(OUTCOME_REVOKED, 7, 4900), 60000);
	assert_int_equal(outcome_hold_ms(OUTCOME_REJECTED, 7, 4900), 10000);
	/* Over before the client's retry, which comes after 5 s at the earliest. */
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 0), 1000);
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 3500), 1000);
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 3501), 999);
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 4499), 1);
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 4500), 0);
	assert_int_equal(outcome_hold_ms(OUTCOME_FAILED, 7, 9999), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
