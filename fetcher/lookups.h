/* SPDX-License-Identifier: ISC */
/* LOOKUPs and what they are answered: from what is cached, else by a request (requests.h). */
#ifndef PULLGATE_FETCHER_LOOKUPS_H
#define PULLGATE_FETCHER_LOOKUPS_H

#include "fetcher/fetcher.h"

/* Answers a LOOKUP at once, or queues it. */
void lookups_take(struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms);

/* Ends a lookup with its answer: keeps it, sends it to everybody who waits, wipes it. */
void lookups_end(struct fetcher *fetcher, struct lookup *lookup, struct answer *answer);

/* Ends one, or all that are queued, as failed. The reason holds no secret. */
void lookups_fail(struct fetcher *fetcher, struct lookup *lookup, const char *reason);
void lookups_fail_queued(struct fetcher *fetcher, const char *reason);

/* What was lost and failed, in one line now and then. */
void lookups_report(struct fetcher *fetcher, int64_t now_ms);

#endif
