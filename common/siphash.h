/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012, section 2): the hash of
 * the tables whose keys an outsider chooses, so that without the seed nobody can make them collide.
 */
#ifndef PULLGATE_SIPHASH_H
#define PULLGATE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_SEED_BYTES 16

/* Draws a seed by getrandom(2). 0, or a negative errno. */
int siphash_draw_seed(uint8_t seed[static SIPHASH_SEED_BYTES]);

uint64_t siphash(const uint8_t seed[static SIPHASH_SEED_BYTES], const void *bytes, size_t length);

#endif
