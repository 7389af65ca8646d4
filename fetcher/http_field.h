/* SPDX-License-Identifier: ISC */
/* The values of HTTP's header fields that matter here. Pure parsing of text from outside. */
#ifndef PULLGATE_FETCHER_HTTP_FIELD_H
#define PULLGATE_FETCHER_HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Whether it may be part of a token, such as a field's name (RFC 9110 section 5.6.2). */
bool http_is_token_character(char character);

/* An entity tag or date that a later request can be made conditional with, and its zero byte. */
#define HTTP_VALIDATOR_BYTES 256

/* A directive with a number of seconds. */
struct cache_seconds {
	bool is_given;
	uint32_t seconds;
};

/* What of Cache-Control a private cache heeds (RFC 9111 section 5.2.2, RFC 5861). */
struct cache_control {
	bool no_store, no_cache, must_revalidate;
	struct cache_seconds max_age, stale_if_error, stale_while_revalidate;
};

/*
 * Reads the field's value; several fields are one, joined by commas (RFC 9110 section 5.3).
 * Unknown directives are skipped. Of several of one name the least counts, and one that is no
 * number counts as 0: RFC 9111 section 4.2.1 wants such answers taken as stale.
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

/* A date in one of HTTP's three forms (RFC 9110 section 5.6.7) as seconds since 1970, or -1. */
int64_t http_read_date(const char *value);

/* Whether the value is one entity tag (RFC 9110 section 8.8.3) of a length that can be kept. */
bool http_is_entity_tag(const char *value);

#endif
