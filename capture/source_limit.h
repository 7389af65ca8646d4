/* SPDX-License-Identifier: ISC */
/*
 * A token bucket for each source prefix, /32 or /64: so many initiations a second, so many at once.
 *
 * It bounds what one source can cost, and no more: whoever spoofs sources passes any limit of this
 * kind. So a full table is no reason to refuse anyone: in a full set of four the bucket that was
 * used longest ago gives way, and its source, should it come back, begins with a full burst.
 * Fixed size, found by SipHash-2-4 with a random key.
 */
#ifndef PULLGATE_SOURCE_LIMIT_H
#define PULLGATE_SOURCE_LIMIT_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/source_prefix.h"

struct source_bucket {
	struct source_prefix prefix; /* family 0: never used */
	uint32_t tokens_milli;
	int64_t filled_ms; /* when tokens_milli was right */
};

struct source_limit {
	struct source_bucket *buckets;
	size_t sets; /* a power of two */
	uint32_t rate_per_second;
	uint32_t burst;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

/* The greatest rate and burst. */
enum { SOURCE_LIMIT_MAX = 1000000 };

/*
 * Room for at least `sources` prefixes. -EINVAL for zero or too many sources, or a rate or burst
 * that isn't 1 to SOURCE_LIMIT_MAX; -ENOMEM.
 */
int source_limit_init(
	struct source_limit *limit, size_t sources, uint32_t rate_per_second, uint32_t burst);
void source_limit_free(struct source_limit *limit);

/* Other limits from now on, also for the sources that are known. -EINVAL as above. */
int source_limit_change(struct source_limit *limit, uint32_t rate_per_second, uint32_t burst);

/* Takes a token of the source's bucket; false when there is none. */
bool source_limit_take(struct source_limit *limit, const struct address *source, int64_t now_ms);

#endif
