/* SPDX-License-Identifier: ISC */
/* A rate with a burst. */
#ifndef PULLGATE_INSTALLER_TOKEN_BUCKET_H
#define PULLGATE_INSTALLER_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
	int64_t per_second, burst;
	int64_t thousandths; /* tokens in it */
	int64_t filled_ms;
};

/* Full at first. per_second and burst are at least 1 and at most 1,000,000. */
void token_bucket_init(
	struct token_bucket *bucket, int64_t per_second, int64_t burst, int64_t now_ms);

/* Takes one token, if there is one. */
bool token_bucket_take(struct token_bucket *bucket, int64_t now_ms);

#endif
