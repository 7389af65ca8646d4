/* SPDX-License-Identifier: ISC */
/* A share of the time. */
#include "unit.h"

#include "capture/work_budget.h"

enum { BURST = WORK_BUDGET_BURST_US, SHARE = WORK_BUDGET_SHARE };

static void test_a_burst_and_then_a_share(void **state)
{
	struct work_budget budget = {0};

	(void)state;
	assert_true(work_budget_has(&budget, 0));
	work_budget_spend(&budget, BURST - 1);
	assert_true(work_budget_has(&budget, 0));
	work_budget_spend(&budget, 1);
	assert_false(work_budget_has(&budget, 0));
	assert_false(work_budget_has(&budget, SHARE - 1));
	assert_true(work_budget_has(&budget, SHARE));
}

/* Work whenever there is something left: it gets its share of the time, whatever a piece takes. */
static void test_the_share(void **state)
{
	static const int64_t takes_us[] = {1, 65, 1000, 7777, 40000};

	(void)state;
	for (size_t i = 0; i < COUNT(takes_us); i++) {
		struct work_budget budget = {0};
		int64_t now_us = 1000000, end_us = now_us + 10000000, worked_us = 0;

		while (now_us < end_us) {
			bool has = work_budget_has(&budget, now_us);

			assert_int_equal(work_budget_wait_us(&budget, now_us) == 0, has);
			if (!has) {
				now_us += work_budget_wait_us(&budget, now_us);
				continue;
			}
			now_us += takes_us[i];
			worked_us += takes_us[i];
			work_budget_spend(&budget, takes_us[i]);
		}
		assert_in_range(
			worked_us, 10000000 / SHARE, 10000000 / SHARE + BURST + takes_us[i]);
	}
}

/* Waiting just so long is enough, and one microsecond less isn't. */
static void test_the_wait(void **state)
{
	(void)state;
	for (int64_t spent_us = BURST; spent_us < BURST + 100; spent_us++) {
		for (int64_t odd_us = 0; odd_us < SHARE; odd_us++) {
			struct work_budget budget = {0};
			int64_t wait_us;

			work_budget_spend(&budget, spent_us);
			wait_us = work_budget_wait_us(&budget, odd_us);
			assert_false(work_budget_has(&budget, odd_us + wait_us - 1));
			assert_true(work_budget_has(&budget, odd_us + wait_us));
		}
	}
}

/* Nothing beyond a burst is saved up, and nothing beyond another is owed. */
static void test_bounds(void **state)
{
	struct work_budget budget = {0};

	(void)state;
	assert_true(work_budget_has(&budget, INT64_MAX / 2));
	work_budget_spend(&budget, BURST);
	assert_false(work_budget_has(&budget, INT64_MAX / 2));
	work_budget_spend(&budget, INT64_C(3600) * 1000000);
	assert_false(work_budget_has(&budget, INT64_MAX / 2 + BURST * SHARE - 1));
	assert_true(work_budget_has(&budget, INT64_MAX / 2 + (BURST + 1) * SHARE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_then_a_share),
		cmocka_unit_test(test_the_share),
		cmocka_unit_test(test_the_wait),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("work_budget", tests, NULL, NULL);
}
