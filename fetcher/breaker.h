/* SPDX-License-Identifier: ISC */
/*
 * A circuit breaker (Nygard: "Release It!", 2007, section 5.2) before the origin, so that one that
 * is down costs no time-out per client. Closed, requests go out. After so many failures in a row as
 * the operator says it opens: nothing is asked for a pause that doubles with each failed try, up to less than a
 * client's retry (5 s). Then it is half open: one request is the probe, and its end closes the
 * breaker or opens it again.
 *
 * A failure is what says that the origin isn't there: no connection, no whole response in time, a
 * 5xx. Any other answer shows that it is.
 */
#ifndef PULLGATE_FETCHER_BREAKER_H
#define PULLGATE_FETCHER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/jitter.h"

#define BREAKER_PAUSE_MS     500
#define BREAKER_PAUSE_MAX_MS 4000

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	enum breaker_state state;
	uint32_t limit;       /* failures in a row that open it; 0: it never opens */
	uint32_t failures;    /* in a row */
	int64_t pause_ms;     /* the next one */
	int64_t until_ms;     /* an open one may be probed from then on */
	bool was_unreachable; /* at the last failure */
};

/* Closed. The limit may be changed later. */
void breaker_init(struct breaker *breaker, uint32_t limit);

/* Whether it is open and its pause is not over: whoever asks is answered at once. */
bool breaker_refuses(const struct breaker *breaker, int64_t now_ms);

/* Whether a request may start now. Not while a probe is under way. */
bool breaker_allows(const struct breaker *breaker, int64_t now_ms);

/* A request started; it is the probe if the breaker is open. */
void breaker_started(struct breaker *breaker);

/* The probe could not even be sent: another one may. */
void breaker_not_sent(struct breaker *breaker);

/* There is a connection again: where it was for want of one that the breaker opened, it may be
 * probed at once. */
void breaker_connected(struct breaker *breaker, int64_t now_ms);

/*
 * What the origin did; unreachable: there was no connection to it. True when that opened the
 * breaker, a probe's failure included, or closed it. A jitter of half of each pause keeps gateways
 * from probing in step.
 */
bool breaker_failed(
	struct breaker *breaker, bool unreachable, struct jitter *jitter, int64_t now_ms);
bool breaker_succeeded(struct breaker *breaker);

#endif
