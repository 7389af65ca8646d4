/* SPDX-License-Identifier: ISC */
/* Lines a second, and counts said now and then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/line_budget.h"

static void so_many_lines_a_second(void **state)
{
	struct line_budget budget = {.used = 0};
	unsigned taken = 0;

	(void)state;
	for (int64_t now_ms = 5000; now_ms < 6000; now_ms++)
		taken += line_budget_take(&budget, now_ms, 20);
	assert_int_equal(taken, 20);
	assert_true(line_budget_take(&budget, 6000, 20));
	assert_false(line_budget_take(&budget, 7000, 0));
}

static void counts_are_said_when_they_grow(void **state)
{
	struct count_report report = {.said = 0};

	(void)state;
	assert_false(count_report_due(&report, 0, 1000));
	assert_true(count_report_due(&report, 1, 1000));
	assert_false(count_report_due(&report, 1, 1000 + COUNT_REPORT_EVERY_MS));
	assert_true(count_report_due(&report, 2, 1000 + COUNT_REPORT_EVERY_MS));
	assert_false(count_report_due(&report, 3, 999 + 2 * COUNT_REPORT_EVERY_MS));
	assert_true(count_report_due(&report, 3, 1000 + 2 * COUNT_REPORT_EVERY_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_lines_a_second),
		cmocka_unit_test(counts_are_said_when_they_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
