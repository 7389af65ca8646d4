/* SPDX-License-Identifier: ISC */
/*
 * For how long an installed peer's configuration is good, and when it is asked about again. Fresh as
 * RFC 9111 section 4.2 has it, then stale, and usable while the origin fails (stale-if-error, RFC
 * 5861 section 4). Pure functions of times in clock_ms()'s milliseconds.
 *
 * Each is asked about in the tenth of its freshness before the last one. That spreads those that
 * came together; and one that is answered 404 may wait for the end of what was promised, while it
 * shows whether it is alone (removal_guard.h).
 */
#ifndef PULLGATE_INSTALLER_FRESHNESS_H
#define PULLGATE_INSTALLER_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* The longest pause between two tries while the origin fails, unless min_revalidate is longer. */
#define FRESHNESS_PAUSE_MAX_MS 60000

struct freshness {
	int64_t fresh_until_ms;
	uint32_t valid_ms;   /* as the last 200 had it */
	uint32_t stale_ms;   /* usable for so long behind fresh_until_ms while the origin fails */
	uint32_t pause_ms;   /* before the next try; 0: the last one didn't fail */
	int64_t answered_ms; /* when the last question ended, whatever its end */
};

/*
 * Each returns when to ask next, never sooner than min_revalidate_ms from now. random is anything:
 * by it the time is spread over a tenth.
 */

/* A 200 came. */
int64_t freshness_renewed(struct freshness *freshness, uint32_t valid_ms, uint32_t stale_ms,
	uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random);

/* The origin could not be asked. The pauses double, up to the time for which a 200 is good; one
 * ends with the time for which a stale peer may be used. */
int64_t freshness_failed(
	struct freshness *freshness, uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random);

/* It answered 404, and the peer is spared. */
int64_t freshness_spared(
	struct freshness *freshness, uint32_t min_revalidate_ms, int64_t now_ms, uint64_t random);

/* From when on it may be asked about, however early that is. */
int64_t freshness_first_ms(const struct freshness *freshness, uint32_t min_revalidate_ms);

/* Whether it is no longer usable while the origin fails. */
bool freshness_is_over(const struct freshness *freshness, int64_t now_ms);

/* How often it is asked about while all goes well, in millionths of a request a second. */
uint32_t freshness_load(const struct freshness *freshness, uint32_t min_revalidate_ms);

#endif
