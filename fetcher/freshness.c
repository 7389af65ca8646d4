/* SPDX-License-Identifier: ISC */
/* How long a response counts. */
#include "fetcher/freshness.h"

#include <string.h>

static uint32_t clamp(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* RFC 9111 section 4.2.3: corrected_initial_age. */
static int64_t age_ms(const struct response_age *age, time_t now)
{
	int64_t date = http_read_date(age->date);
	int64_t corrected_ms, apparent_ms;
	uint32_t seconds;

	http_read_seconds(&seconds, age->age);
	corrected_ms = (int64_t)seconds * 1000 + age->delay_ms;
	if (age->age[0] == '\0' || date < 0)
		return corrected_ms;
	apparent_ms = ((int64_t)now - date) * 1000;
	return apparent_ms > corrected_ms ? apparent_ms : corrected_ms;
}

/* What is left of a stale time when the response was stale already. */
static uint32_t stale_ms(const struct cache_seconds *given, uint64_t otherwise_ms, int64_t late_ms)
{
	uint64_t ms = given->is_given ? (uint64_t)given->seconds * 1000 : otherwise_ms;

	return clamp((int64_t)ms - late_ms);
}

void freshness_of(struct freshness *freshness, const struct cache_control *control,
	const struct response_age *age, const struct freshness_defaults *defaults, time_t now)
{
	int64_t left_ms = (int64_t)defaults->fresh_ms, late_ms;

	memset(freshness, 0, sizeof(*freshness));
	freshness->may_store = !control->no_store;
	if (control->no_store || control->no_cache)
		return;
	if (control->max_age.is_given)
		left_ms = (int64_t)control->max_age.seconds * 1000 - age_ms(age, now);
	freshness->fresh_ms = clamp(left_ms);
	if (control->must_revalidate)
		return;
	late_ms = left_ms < 0 ? -left_ms : 0;
	freshness->stale_if_error_ms =
		stale_ms(&control->stale_if_error, defaults->stale_if_error_ms, late_ms);
	freshness->stale_while_revalidate_ms =
		stale_ms(&control->stale_while_revalidate, 0, late_ms);
}
