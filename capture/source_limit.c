/* SPDX-License-Identifier: ISC */
/* A token bucket for each source prefix. */
#include "capture/source_limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, TOKEN_MILLI = 1000 };

int source_limit_change(struct source_limit *limit, uint32_t rate_per_second, uint32_t burst)
{
	if (rate_per_second < 1 || rate_per_second > SOURCE_LIMIT_MAX)
		return -EINVAL;
	if (burst < 1 || burst > SOURCE_LIMIT_MAX)
		return -EINVAL;
	limit->rate_per_second = rate_per_second;
	limit->burst = burst;
	return 0;
}

int source_limit_init(
	struct source_limit *limit, size_t sources, uint32_t rate_per_second, uint32_t burst)
{
	size_t sets = 1;

	memset(limit, 0, sizeof(*limit));
	if (sources == 0 || sources > UINT32_MAX)
		return -EINVAL;
	if (source_limit_change(limit, rate_per_second, burst) != 0)
		return -EINVAL;
	while (sets * WAYS < sources)
		sets *= 2;
	limit->buckets = calloc(sets * WAYS, sizeof(*limit->buckets));
	if (limit->buckets == NULL)
		return -ENOMEM;
	limit->sets = sets;
	randombytes_buf(limit->hash_key, sizeof(limit->hash_key));
	return 0;
}

void source_limit_free(struct source_limit *limit)
{
	free(limit->buckets);
	explicit_bzero(limit, sizeof(*limit));
}

/* A bucket that is new to its source begins full; so does a source that nobody remembers. */
static struct source_bucket *find_bucket(
	struct source_limit *limit, const struct address *source, int64_t now_ms)
{
	const struct source_prefix prefix = source_prefix_of(source);
	uint64_t hash;
	struct source_bucket *set, *chosen;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)&prefix, sizeof(prefix),
		limit->hash_key);
	set = chosen = limit->buckets + (hash & (limit->sets - 1)) * WAYS;
	for (struct source_bucket *bucket = set; bucket < set + WAYS; bucket++) {
		if (source_prefix_equal(&bucket->prefix, &prefix))
			return bucket;
		if (chosen->prefix.family == 0)
			continue;
		if (bucket->prefix.family == 0 || bucket->filled_ms < chosen->filled_ms)
			chosen = bucket;
	}
	chosen->prefix = prefix;
	chosen->tokens_milli = limit->burst * TOKEN_MILLI;
	chosen->filled_ms = now_ms;
	return chosen;
}

static void fill_bucket(
	const struct source_limit *limit, struct source_bucket *bucket, int64_t now_ms)
{
	int64_t full = (int64_t)limit->burst * TOKEN_MILLI;
	int64_t elapsed_ms = now_ms - bucket->filled_ms;
	int64_t tokens = bucket->tokens_milli;

	if (elapsed_ms < 0)
		elapsed_ms = 0;
	/* Even one token a second has filled it by then; more would only overflow. */
	if (elapsed_ms > full)
		elapsed_ms = full;
	tokens += elapsed_ms * limit->rate_per_second;
	bucket->tokens_milli = (uint32_t)(tokens < full ? tokens : full);
	if (now_ms > bucket->filled_ms)
		bucket->filled_ms = now_ms;
}

bool source_limit_take(struct source_limit *limit, const struct address *source, int64_t now_ms)
{
	struct source_bucket *bucket = find_bucket(limit, source, now_ms);

	fill_bucket(limit, bucket, now_ms);
	if (bucket->tokens_milli < TOKEN_MILLI)
		return false;
	bucket->tokens_milli -= TOKEN_MILLI;
	return true;
}
