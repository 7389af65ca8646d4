/* SPDX-License-Identifier: ISC */
/* A rate with a burst. */
#include "common/token_bucket.h"

#define TOKEN 1000 /* thousandths */

/* Longer pauses fill any bucket; bounded so that the product below can't overflow. */
#define PAUSE_MAX_MS (TOKEN_BUCKET_MAX * INT64_C(1000))

static uint64_t within_limits(uint64_t number)
{
	return number == 0 ? 1 : number < TOKEN_BUCKET_MAX ? number : TOKEN_BUCKET_MAX;
}

void token_bucket_init(struct token_bucket *bucket, uint64_t rate, uint64_t burst, int64_t now_ms)
{
	bucket->rate = within_limits(rate);
	bucket->burst = within_limits(burst);
	bucket->thousandths = bucket->burst * TOKEN;
	bucket->filled_ms = now_ms;
}

static void cap(struct token_bucket *bucket)
{
	if (bucket->thousandths > bucket->burst * TOKEN)
		bucket->thousandths = bucket->burst * TOKEN;
}

static void fill(struct token_bucket *bucket, int64_t now_ms)
{
	int64_t pause_ms = now_ms - bucket->filled_ms;

	if (pause_ms <= 0)
		return;
	if (pause_ms > PAUSE_MAX_MS)
		pause_ms = PAUSE_MAX_MS;
	/* A token a second is a thousandth a millisecond. */
	bucket->thousandths += (uint64_t)pause_ms * bucket->rate;
	bucket->filled_ms = now_ms;
	cap(bucket);
}

bool token_bucket_take(struct token_bucket *bucket, int64_t now_ms)
{
	fill(bucket, now_ms);
	if (bucket->thousandths < TOKEN)
		return false;
	bucket->thousandths -= TOKEN;
	return true;
}

void token_bucket_return(struct token_bucket *bucket)
{
	bucket->thousandths += TOKEN;
	cap(bucket);
}

int64_t token_bucket_wait_ms(struct token_bucket *bucket, int64_t now_ms)
{
	fill(bucket, now_ms);
	if (bucket->thousandths >= TOKEN)
		return 0;
	return (int64_t)((TOKEN - bucket->thousandths + bucket->rate - 1) / bucket->rate);
}
