/* SPDX-License-Identifier: ISC */
/* Random numbers that spread things in time. Nobody's secret depends on them. */
#ifndef PULLGATE_JITTER_H
#define PULLGATE_JITTER_H

#include <stdint.h>

#include "common/siphash.h"

struct jitter {
	uint8_t seed[SIPHASH_SEED_BYTES];
	uint64_t count;
};

/* Draws the seed, before the sandbox closes. 0, or a negative errno. */
int jitter_init(struct jitter *jitter);

/* Between 0 and most, each as likely as the others. */
uint64_t jitter_draw(struct jitter *jitter, uint64_t most);

#endif
