/* SPDX-License-Identifier: ISC */
/* A circuit breaker before the origin. */
#include "fetcher/breaker.h"

void breaker_init(struct breaker *breaker, uint32_t limit)
{
	*breaker = (struct breaker){
		.state = BREAKER_CLOSED, .limit = limit, .pause_ms = BREAKER_PAUSE_MS};
}

bool breaker_refuses(const struct breaker *breaker, int64_t now_ms)
{
	return breaker->state == BREAKER_OPEN && now_ms < breaker->until_ms;
}

bool breaker_allows(const struct breaker *breaker, int64_t now_ms)
{
	return breaker->state != BREAKER_HALF_OPEN && !breaker_refuses(breaker, now_ms);
}

void breaker_started(struct breaker *breaker)
{
	if (breaker->state == BREAKER_OPEN)
		breaker->state = BREAKER_HALF_OPEN;
}

void breaker_not_sent(struct breaker *breaker)
{
	if (breaker->state == BREAKER_HALF_OPEN)
		breaker->state = BREAKER_OPEN;
}

void breaker_connected(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->was_unreachable && breaker->until_ms > now_ms)
		breaker->until_ms = now_ms;
}

bool breaker_failed(
	struct breaker *breaker, bool unreachable, struct jitter *jitter, int64_t now_ms)
{
	uint64_t half_ms = (uint64_t)breaker->pause_ms / 2;

	/* What was under way when it opened fails too, and says nothing new. */
	if (breaker_refuses(breaker, now_ms))
		return false;
	breaker->was_unreachable = unreachable;
	if (breaker->state == BREAKER_CLOSED &&
		(breaker->limit == 0 || ++breaker->failures < breaker->limit))
		return false;
	breaker->state = BREAKER_OPEN;
	breaker->until_ms = now_ms + (int64_t)(half_ms + jitter_draw(jitter, half_ms));
	breaker->pause_ms *= 2;
	if (breaker->pause_ms > BREAKER_PAUSE_MAX_MS)
		breaker->pause_ms = BREAKER_PAUSE_MAX_MS;
	return true;
}

bool breaker_succeeded(struct breaker *breaker)
{
	bool was_closed = breaker->state == BREAKER_CLOSED;

	breaker_init(breaker, breaker->limit);
	return !was_closed;
}
