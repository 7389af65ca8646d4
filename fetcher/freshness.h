/* SPDX-License-Identifier: ISC */
/*
 * How long a response counts: RFC 9111 section 4.2, and RFC 5861 for what comes after. pullgate is
 * a private cache, and has no heuristics but the two times that are configured.
 */
#ifndef PULLGATE_FETCHER_FRESHNESS_H
#define PULLGATE_FETCHER_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "fetcher/http_field.h"

/* How old a response was when it came. The texts are never NULL: "" where the field is missing. */
struct response_age {
	const char *age, *date;
	int64_t delay_ms; /* from the request to the response */
};

/* Milliseconds; the two stale times follow the fresh one. */
struct freshness {
	bool may_store;
	uint32_t fresh_ms;
	uint32_t stale_if_error_ms;         /* the copy may be used while the origin fails */
	uint32_t stale_while_revalidate_ms; /* and while it is asked in the background */
};

/* Where the response doesn't say. */
struct freshness_defaults {
	uint64_t fresh_ms, stale_if_error_ms;
};

/*
 * no-store: not kept, not fresh, never stale. no-cache: not fresh, never stale. must-revalidate:
 * never stale. Time by which the response was stale on arrival shortens its stale times.
 *
 * Age counts with the delay (section 4.2.3). Date is compared with the clock, now, only where Age
 * shows that a cache was on the way: on an origin's own answer the difference is nothing but that
 * of two clocks, and a gateway whose clock is ahead would find nothing fresh.
 */
void freshness_of(struct freshness *freshness, const struct cache_control *control,
	const struct response_age *age, const struct freshness_defaults *defaults, time_t now);

#endif
