/* SPDX-License-Identifier: ISC */
/* How long outcomes hold. */
#include "installer/outcome.h"

#include "unit.h"

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
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
