/* SPDX-License-Identifier: ISC */
/* How long a response counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/freshness.h"

/* 1994-11-06 08:49:37 */
#define NOW 784111777

static const struct freshness_defaults defaults = {.fresh_ms = 300000, .stale_if_error_ms = 600000};

struct row {
	const char *cache_control, *age, *date;
	int64_t delay_ms;
	uint32_t fresh_ms, stale_if_error_ms, stale_while_revalidate_ms;
	bool may_store;
};

static const struct row rows[] = {
	{"", "", "", 0, 300000, 600000, 0, true},
	/* The configured time is ours: nothing shortens it. */
	{"", "100", "", 700, 300000, 600000, 0, true},
	{"max-age=60", "", "", 0, 60000, 600000, 0, true},
	{"max-age=60", "", "", 700, 59300, 600000, 0, true},
	{"max-age=60", "50", "", 700, 9300, 600000, 0, true},
	{"max-age=60, stale-if-error=5", "", "", 0, 60000, 5000, 0, true},
	{"max-age=60, stale-if-error=0", "", "", 0, 60000, 0, 0, true},
	{"stale-if-error=5, stale-while-revalidate=7", "", "", 0, 300000, 5000, 7000, true},
	/* Stale on arrival: the rest is what is left. */
	{"max-age=60, stale-if-error=5", "62", "", 0, 0, 3000, 0, true},
	{"max-age=60, stale-if-error=5, stale-while-revalidate=9", "66", "", 0, 0, 0, 3000, true},
	/* Never to be used stale. */
	{"max-age=60, must-revalidate, stale-if-error=5", "", "", 0, 60000, 0, 0, true},
	{"max-age=60, no-cache, stale-if-error=5", "", "", 0, 0, 0, 0, true},
	{"max-age=60, no-store, stale-if-error=5", "", "", 0, 0, 0, 0, false},
	/* Date counts where a cache was on the way, and there alone. */
	{"max-age=60", "", "Sun, 06 Nov 1994 08:49:07 GMT", 0, 60000, 600000, 0, true},
	{"max-age=60", "5", "Sun, 06 Nov 1994 08:49:07 GMT", 0, 30000, 600000, 0, true},
	{"max-age=60", "40", "Sun, 06 Nov 1994 08:49:07 GMT", 0, 20000, 600000, 0, true},
	{"max-age=60", "5", "Sun, 06 Nov 1994 08:59:07 GMT", 0, 55000, 600000, 0, true},
	{"max-age=60", "5", "yesterday", 0, 55000, 600000, 0, true},
	/* The greatest that a message holds. */
	{"max-age=4294967295, stale-if-error=4294967295", "", "", 0, UINT32_MAX, UINT32_MAX, 0,
		true},
	{"max-age=0", "4294967295", "", 0, 0, 0, 0, true},
};

static void says_how_long_a_response_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct response_age age = {
			.age = rows[i].age, .date = rows[i].date, .delay_ms = rows[i].delay_ms};
		struct cache_control control;
		struct freshness freshness;

		http_read_cache_control(&control, rows[i].cache_control);
		freshness_of(&freshness, &control, &age, &defaults, NOW);
		if (freshness.fresh_ms != rows[i].fresh_ms ||
			freshness.stale_if_error_ms != rows[i].stale_if_error_ms ||
			freshness.stale_while_revalidate_ms != rows[i].stale_while_revalidate_ms ||
			freshness.may_store != rows[i].may_store)
			fail_msg("row %zu (%s): %u %u %u %d", i, rows[i].cache_control,
				freshness.fresh_ms, freshness.stale_if_error_ms,
				freshness.stale_while_revalidate_ms, freshness.may_store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(says_how_long_a_response_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
