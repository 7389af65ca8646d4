/* SPDX-License-Identifier: ISC */
/* A rate with a burst. */
#include "installer/token_bucket.h"

void token_bucket_init(
	struct token_bucket *bucket, int64_t per_second, int64_t burst, int64_t now_ms)
{
	*bucket = (struct token_bucket){.per_second = per_second,
		.burst = burst,
		.thousandths = burst * 1000,
		.filled_ms = now_ms};
}

static void fill(struct token_bucket *bucket, int64_t now_ms)
{
	int64_t elapsed_ms = now_ms - bucket->filled_ms;

	/* After burst seconds it is full at any rate; more could overflow. */
	if (elapsed_ms > bucket->burst * 1000)
		elapsed_ms = bucket->burst * 1000;
	bucket->thousandths += elapsed_ms * bucket->per_second;
	if (bucket->thousandths > bucket->burst * 1000)
		bucket->thousandths = bucket->burst * 1000;
	bucket->filled_ms = now_ms;
}

bool token_bucket_take(struct token_bucket *bucket, int64_t now_ms)
{
	fill(bucket, now_ms);
	if (bucket->thousandths < 1000)
		return false;
	bucket->thousandths -= 1000;
	return true;
}
