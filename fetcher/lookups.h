/* SPDX-License-Identifier: ISC */
/* LOOKUPs and what they are answered: from what is cached, else by a request (requests.h). */
#ifndef PULLGATE_FETCHER_LOOKUPS_H
#define PULLGATE_FETCHER_LOOKUPS_H

#include "fetcher/fetcher.h"

/* Answers a LOOKUP at once, or queues it. */
void lookups_take(struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms);

/* Queues a REVALIDATE: the installer has the copy, so nothing but the origin answers it. */
void lookups_renew(
	struct fetcher *fetcher, const struct message_revalidate *message, int64_t now_ms);

/*
 * Answers the LOOKUPs of this entry with a stale copy, if there is one that may be used while the
 * origin fails or is slow; the entry goes on as a renewal. False when there is none.
 */
bool lookups_use_stale(struct fetcher *fetcher, struct lookup *lookup, int64_t now_ms);

/*
 * Ends a lookup with its answer: a definite negative one is kept, a failed one is made up for by a
 * stale copy where that may be; sends it to everybody who waits, wipes it.
 */
void lookups_end(struct fetcher *fetcher, struct lookup *lookup, struct answer *answer);

/* Ends one, or all without a request under way, as failed. The reason holds no secret. */
void lookups_fail(struct fetcher *fetcher, struct lookup *lookup, const char *reason);
void lookups_fail_idle(struct fetcher *fetcher, const char *reason);

/* What was lost and failed, in one line now and then. */
void lookups_report(struct fetcher *fetcher, int64_t now_ms);

#endif
