/* SPDX-License-Identifier: ISC */
/* For how long an installed peer's configuration is good, and when it is asked about again. */
#include "installer/freshness.h"

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Anything from 0 to a tenth of the time. */
static int64_t part_of(int64_t time_ms, uint64_t random)
{
	return (int64_t)(random % (uint64_t)(time_ms / 10 + 1));
}

static int64_t stale_until_ms(const struct freshness *freshness)
{
	return freshness->fresh_until_ms + freshness->stale_ms;
}

int64_t freshness_renewed(struct freshness *freshness, uint32_t valid_ms, uint32_t stale_ms,
	uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random)
{
	*freshness = (struct freshness){.fresh_until_ms = now_ms + valid_ms,
		.valid_ms = valid_ms,
		.stale_ms = stale_ms,
		.answered_ms = now_ms};
	return now_ms +
	       longer(valid_ms - valid_ms / 10 - part_of(valid_ms, random), min_revalidate_ms);
}

int64_t freshness_failed(
	struct freshness *freshness, uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random)
{
	int64_t longest_ms =
		longer(shorter(freshness->valid_ms, FRESHNESS_PAUSE_MAX_MS), min_revalidate_ms);
	int64_t pause_ms =
		shorter(longer(2 * (int64_t)freshness->pause_ms, min_revalidate_ms), longest_ms);

	freshness->pause_ms = (uint32_t)pause_ms;
	freshness->answered_ms = now_ms;
	pause_ms -= part_of(pause_ms, random);
	if (!freshness_is_over(freshness, now_ms))
		pause_ms = shorter(pause_ms, stale_until_ms(freshness) - now_ms);
	return now_ms + longer(pause_ms, min_revalidate_ms);
}

int64_t freshness_spared(
	struct freshness *freshness, uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random)
{
	freshness->answered_ms = now_ms;
	return now_ms + min_revalidate_ms + part_of(min_revalidate_ms, random);
}

int64_t freshness_first_ms(const struct freshness *freshness, uint32_t min_revalidate_ms)
{
	return freshness->answered_ms + min_revalidate_ms;
}

bool freshness_is_over(const struct freshness *freshness, int64_t now_ms)
{
	return now_ms >= stale_until_ms(freshness);
}

uint32_t freshness_load(const struct freshness *freshness, uint32_t min_revalidate_ms)
{
	int64_t interval_ms = longer(longer(freshness->valid_ms, min_revalidate_ms), 1);

	return (uint32_t)(1000000000 / interval_ms);
}
