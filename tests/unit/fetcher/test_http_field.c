/* SPDX-License-Identifier: ISC */
/* Cache-Control, Retry-After and numbers of seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/http_field.h"

static void reads_cache_control(void **state)
{
	static const struct {
		const char *value;
		bool no_cache, has_max_age;
		uint32_t max_age_s;
	} rows[] = {
		{"", false, false, 0},
		{"max-age=60", false, true, 60},
		{"MAX-AGE=60", false, true, 60},
		{"max-age=\"60\"", false, true, 60},
		{"private, max-age=60, must-revalidate", false, true, 60},
		{"private ,\tmax-age=60 , x=\"a, max-age=9\"", false, true, 60},
		{"max-age=0", false, true, 0},
		{"max-age=4294967295", false, true, UINT32_MAX},
		{"max-age=4294967296", false, true, UINT32_MAX},
		{"max-age=99999999999999999999999999999999999", false, true, UINT32_MAX},
		{"max-age=60, max-age=30", false, true, 30},
		{"max-age=30, max-age=60", false, true, 30},
		{"s-maxage=60", false, false, 0},
		{"max-agee=60", false, false, 0},
		{"xmax-age=60", false, false, 0},
		{"no-cache", true, false, 0},
		{"no-store", false, false, 0},
		{"no-cache=\"Set-Cookie\"", true, false, 0},
		{"max-age=60, No-Cache", true, true, 60},
		{"no-cachex", false, false, 0},
		/* What is no number is taken as stale. */
		{"max-age", false, true, 0},
		{"max-age=", false, true, 0},
		{"max-age=-1", false, true, 0},
		{"max-age=+1", false, true, 0},
		{"max-age=60s", false, true, 0},
		{"max-age=1.5", false, true, 0},
		{"max-age= 60", false, true, 0},
		{"max-age=60 61", false, true, 0},
		{"max-age=\"60", false, true, 0},
		{"max-age=\"60\"1", false, true, 0},
		{"max-age=0x10", false, true, 0},
		/* Odd, and harmless. */
		{",,,", false, false, 0},
		{"= , =x, ;max-age=9", false, false, 0},
		{"\"max-age=60\"", false, false, 0},
		{"max-age=60,", false, true, 60},
		{"\\", false, false, 0},
		{"x=\"\\", false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cache_control control;

		http_read_cache_control(&control, rows[i].value);
		if (control.no_cache != rows[i].no_cache ||
			control.max_age.is_given != rows[i].has_max_age ||
			control.max_age.seconds != rows[i].max_age_s)
			fail_msg("%s: %d %d %u", rows[i].value, control.no_cache,
				control.max_age.is_given, control.max_age.seconds);
	}
}

static void reads_what_follows_freshness(void **state)
{
	struct cache_control control;

	(void)state;
	http_read_cache_control(&control, "Must-Revalidate, stale-if-error=600, "
					  "stale-while-revalidate=30, stale-if-error=60");
	assert_true(control.must_revalidate);
	assert_true(control.stale_if_error.is_given);
	assert_int_equal(control.stale_if_error.seconds, 60);
	assert_true(control.stale_while_revalidate.is_given);
	assert_int_equal(control.stale_while_revalidate.seconds, 30);
	http_read_cache_control(&control, "stale-if-error=soon, proxy-revalidate");
	assert_false(control.must_revalidate);
	assert_true(control.stale_if_error.is_given);
	assert_int_equal(control.stale_if_error.seconds, 0);
	assert_false(control.stale_while_revalidate.is_given);
}

static void tells_entity_tags(void **state)
{
	static const char *const good[] = {
		"\"\"", "\"a\"", "W/\"6ad-1\"", "\"!#~\"", "\"\xc3\xa9\""};
	static const char *const bad[] = {"", "a", "\"", "\"a", "a\"", "w/\"a\"", "\"a\"b\"",
		"\"a b\"", "\"a\", \"b\"", "\"a\x7f\"", "\"a\r\nX: y\"", "*", " \"a\""};
	char longest[HTTP_VALIDATOR_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_is_entity_tag(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_is_entity_tag(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[0] = longest[HTTP_VALIDATOR_BYTES - 2] = '"';
	longest[HTTP_VALIDATOR_BYTES - 1] = '\0';
	assert_true(http_is_entity_tag(longest));
	longest[HTTP_VALIDATOR_BYTES - 2] = 'x';
	longest[HTTP_VALIDATOR_BYTES - 1] = '"';
	longest[HTTP_VALIDATOR_BYTES] = '\0';
	assert_false(http_is_entity_tag(longest));
}

static void survives_long_names(void **state)
{
	struct cache_control control;
	char value[600];

	(void)state;
	memset(value, 'm', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	http_read_cache_control(&control, value);
	assert_false(control.max_age.is_given);
	memcpy(value, "max-age=", 8);
	memset(value + 8, '1', 500);
	memcpy(value + 508, ", no-store", sizeof(", no-store"));
	http_read_cache_control(&control, value);
	assert_true(control.max_age.is_given);
	assert_true(control.no_store);
	assert_false(control.no_cache);
}

static void reads_seconds(void **state)
{
	uint32_t seconds;

	(void)state;
	assert_true(http_read_seconds(&seconds, "0"));
	assert_int_equal(seconds, 0);
	assert_true(http_read_seconds(&seconds, "000120"));
	assert_int_equal(seconds, 120);
	assert_true(http_read_seconds(&seconds, "4294967294"));
	assert_int_equal(seconds, 4294967294U);
	assert_true(http_read_seconds(&seconds, "18446744073709551617"));
	assert_int_equal(seconds, UINT32_MAX);
	assert_false(http_read_seconds(&seconds, ""));
	assert_false(http_read_seconds(&seconds, " 1"));
	assert_false(http_read_seconds(&seconds, "1 "));
	assert_false(http_read_seconds(&seconds, "-1"));
	assert_int_equal(seconds, 0);
}

static void reads_retry_after(void **state)
{
	/* RFC 9110 section 5.6.7's example, one moment in its three forms: 784111777. */
	static const struct {
		const char *value;
		time_t now;
		int64_t wait_ms;
	} rows[] = {
		{"120", 0, 120000},
		{"0", 0, 0},
		{"99999999999", 0, (int64_t)UINT32_MAX * 1000},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111770, 7000},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111778, 0},
		{"Sun Nov  6 08:49:37 1994", 784111770, 7000},
		{"Sun Nov 16 08:49:37 1994", 784111770, 864007000},
		/* Two digits of a year are of this century: 3939871777. */
		{"Sunday, 06-Nov-94 08:49:37 GMT", 3939871770, 7000},
		{"Thu, 29 Feb 2024 00:00:00 GMT", 1709164799, 1000},
		{"Sun, 01 Mar 2026 00:00:00 GMT", 1772323199, 1000},
		{"Tue, 01 Mar 2100 00:00:00 GMT", 4107542399, 1000},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
		{"", 0, -1},
		{"-5", 0, -1},
		{"5 s", 0, -1},
		{"soon", 0, -1},
		{"Sun, 06 Nov 1994 08:49:37", 0, -1},
		{"Sun, 06 Nov 1994 08:49:37 CET", 0, -1},
		{"Sun, 06 Nov 1994 08:49:37 GMT ", 0, -1},
		{"Sun, 06 Nov 1994 24:49:37 GMT", 0, -1},
		{"Sun, 06 Nov 1994 08:60:37 GMT", 0, -1},
		{"Sun, 06 Nov 1994 08:49:61 GMT", 0, -1},
		{"Sun, 00 Nov 1994 08:49:37 GMT", 0, -1},
		{"Sun, 32 Nov 1994 08:49:37 GMT", 0, -1},
		{"Sun, 06 Nev 1994 08:49:37 GMT", 0, -1},
		{"Sun, 06 Nov 1969 08:49:37 GMT", 0, -1},
		{"Sun, 6 Nov 1994 08:49:37 GMT", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t wait_ms = http_read_retry_after(rows[i].value, rows[i].now);

		if (wait_ms != rows[i].wait_ms)
			fail_msg("%s: %lld", rows[i].value, (long long)wait_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cache_control),
		cmocka_unit_test(reads_what_follows_freshness),
		cmocka_unit_test(tells_entity_tags),
		cmocka_unit_test(survives_long_names),
		cmocka_unit_test(reads_seconds),
		cmocka_unit_test(reads_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
