/* SPDX-License-Identifier: ISC */
/* Random numbers that spread things in time. */
#include "common/jitter.h"

int jitter_init(struct jitter *jitter)
{
	jitter->count = 0;
	return siphash_draw_seed(jitter->seed);
}

uint64_t jitter_draw(struct jitter *jitter, uint64_t most)
{
	uint64_t number = siphash(jitter->seed, &jitter->count, sizeof(jitter->count));

	jitter->count++;
	return most < UINT64_MAX ? number % (most + 1) : number;
}
