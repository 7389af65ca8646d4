/* SPDX-License-Identifier: ISC */
/* A rate with a burst: a bucket that fills by `rate` tokens a second up to `burst`. */
#ifndef PULLGATE_TOKEN_BUCKET_H
#define PULLGATE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* The greatest rate and burst. */
#define TOKEN_BUCKET_MAX 1000000

struct token_bucket {
	uint64_t rate;        /* tokens a second */
	uint64_t burst;       /* tokens at most */
	uint64_t thousandths; /* of a token, now in it */
	int64_t filled_ms;    /* when */
};

/* Full at first. Rate and burst are brought within 1 to TOKEN_BUCKET_MAX. Times are clock_ms()'s. */
void token_bucket_init(struct token_bucket *bucket, uint64_t rate, uint64_t burst, int64_t now_ms);

/* Takes one token; false when there is none. */
bool token_bucket_take(struct token_bucket *bucket, int64_t now_ms);

/* Gives one back that was not used. */
void token_bucket_return(struct token_bucket *bucket);

/* Milliseconds until there is a token; 0 when there is one. */
int64_t token_bucket_wait_ms(struct token_bucket *bucket, int64_t now_ms);

#endif
