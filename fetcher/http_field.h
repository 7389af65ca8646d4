/* SPDX-License-Identifier: ISC */
/* The values of HTTP's header fields that matter here. Pure parsing of text from outside. */
#ifndef PULLGATE_FETCHER_HTTP_FIELD_H
#define PULLGATE_FETCHER_HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What of Cache-Control a private cache heeds so far (RFC 9111 section 5.2.2). */
struct cache_control {
	bool no_cache; /* or no-store: not to be relied on at all */
	bool has_max_age;
	uint32_t max_age_s;
};

/*
 * Reads the field's value; several fields are one, joined by commas (RFC 9110 section 5.3).
 * Unknown directives are skipped. Of several max-age the least counts, and one that is no number
 * counts as 0: RFC 9111 section 4.2.1 wants such answers taken as stale.
 */
void http_read_cache_control(struct cache_control *control, const char *value);

/* delta-seconds (RFC 9111 section 1.2.2): digits alone; too great a number is UINT32_MAX. False for
 * anything else, *seconds is then 0. */
bool http_read_seconds(uint32_t *seconds, const char *value);

/*
 * Retry-After (RFC 9110 section 10.2.3): seconds, or a date in one of HTTP's three forms compared
 * with now. Milliseconds from now, 0 for a date that is over; -1 for what is neither.
 */
int64_t http_read_retry_after(const char *value, time_t now);

#endif
