/* SPDX-License-Identifier: ISC */
/* SipHash-2-4. */
#include "common/siphash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

int siphash_draw_seed(uint8_t seed[static SIPHASH_SEED_BYTES])
{
	ssize_t drawn = getrandom(seed, SIPHASH_SEED_BYTES, 0);

	if (drawn < 0)
		return -errno;
	return drawn == SIPHASH_SEED_BYTES ? 0 : -EIO;
}

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static uint64_t load_le64(const uint8_t bytes[static 8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static void sip_rounds(struct state *s, unsigned count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

uint64_t siphash(const uint8_t seed[static SIPHASH_SEED_BYTES], const void *bytes, size_t length)
{
	uint64_t k0 = load_le64(seed), k1 = load_le64(seed + 8);
	struct state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573};
	const uint8_t *at = bytes;
	uint8_t last[8] = {0};

	for (size_t left = length / 8; left > 0; left--, at += 8)
		absorb(&s, load_le64(at));
	memcpy(last, at, length % 8);
	last[7] = (uint8_t)length;
	absorb(&s, load_le64(last));
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
