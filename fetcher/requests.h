/* SPDX-License-Identifier: ISC */
/* Lookups become requests, responses become answers. */
#ifndef PULLGATE_FETCHER_REQUESTS_H
#define PULLGATE_FETCHER_REQUESTS_H

#include "fetcher/fetcher.h"

/* The origin for which a lookup waits that only the rate can hold back, or NULL. */
struct origin *requests_next_origin(struct fetcher *fetcher, int64_t now_ms);

/* Starts what can be started; how many that were. */
size_t requests_start(struct fetcher *fetcher, int64_t now_ms);

/* Ends the lookups of the requests that have ended. */
void requests_take_results(struct fetcher *fetcher);

/* No connection to that origin could be had. */
void requests_no_connection(struct fetcher *fetcher, struct origin *origin, const char *reason);

/*
 * Looks the lookups through for what time brings, so often as is of use: gives up what has waited
 * too long, or is going to; lets retries begin; answers with a stale copy whoever has waited for
 * stale_after.
 */
void requests_tend(struct fetcher *fetcher, int64_t now_ms);

#endif
