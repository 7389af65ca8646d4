/* SPDX-License-Identifier: ISC */
/* BLAKE2s after RFC 7693. */
#include "capture/blake2s.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7693 section 2.6: the initialization vector is SHA-256's. */
static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* RFC 7693 section 2.7: the message word that each step of a round takes. */
static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint32_t load_le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static inline void store_le32(uint8_t *bytes, uint32_t word)
{
	bytes[0] = (uint8_t)word;
	bytes[1] = (uint8_t)(word >> 8);
	bytes[2] = (uint8_t)(word >> 16);
	bytes[3] = (uint8_t)(word >> 24);
}

static inline uint32_t rotate_right(uint32_t word, unsigned int bits)
{
	return word >> bits | word << (32 - bits);
}

/* RFC 7693 section 3.1. Macros, so that every index is a constant and the words stay in registers.
 */
#define MIX(a, b, c, d, x, y)                         \
	do {                                          \
		v[a] += v[b] + (x);                   \
		v[d] = rotate_right(v[d] ^ v[a], 16); \
		v[c] += v[d];                         \
		v[b] = rotate_right(v[b] ^ v[c], 12); \
		v[a] += v[b] + (y);                   \
		v[d] = rotate_right(v[d] ^ v[a], 8);  \
		v[c] += v[d];                         \
		v[b] = rotate_right(v[b] ^ v[c], 7);  \
	} while (0)

#define ROUND(r)                                                     \
	do {                                                         \
		MIX(0, 4, 8, 12, m[sigma[r][0]], m[sigma[r][1]]);    \
		MIX(1, 5, 9, 13, m[sigma[r][2]], m[sigma[r][3]]);    \
		MIX(2, 6, 10, 14, m[sigma[r][4]], m[sigma[r][5]]);   \
		MIX(3, 7, 11, 15, m[sigma[r][6]], m[sigma[r][7]]);   \
		MIX(0, 5, 10, 15, m[sigma[r][8]], m[sigma[r][9]]);   \
		MIX(1, 6, 11, 12, m[sigma[r][10]], m[sigma[r][11]]); \
		MIX(2, 7, 8, 13, m[sigma[r][12]], m[sigma[r][13]]);  \
		MIX(3, 4, 9, 14, m[sigma[r][14]], m[sigma[r][15]]);  \
	} while (0)

/* RFC 7693 section 3.2, the function F; `bytes` of `block` are input, the others zero. */
static void compress(struct blake2s *state, const uint8_t *block, uint32_t bytes, bool is_last)
{
	uint32_t m[16], v[16];

	for (size_t i = 0; i < 16; i++)
		m[i] = load_le32(block + 4 * i);
	state->t += bytes;
	for (int i = 0; i < 8; i++) {
		v[i] = state->h[i];
		v[i + 8] = iv[i];
	}
	v[12] ^= (uint32_t)state->t;
	v[13] ^= (uint32_t)(state->t >> 32);
	if (is_last)
		v[14] = ~v[14];

	ROUND(0);
	ROUND(1);
	ROUND(2);
	ROUND(3);
	ROUND(4);
	ROUND(5);
	ROUND(6);
	ROUND(7);
	ROUND(8);
	ROUND(9);

	for (int i = 0; i < 8; i++)
		state->h[i] ^= v[i] ^ v[i + 8];
}

static void init(struct blake2s *state, size_t digest_bytes, size_t key_bytes)
{
	if (digest_bytes < 1 || digest_bytes > BLAKE2S_HASH_BYTES || key_bytes > BLAKE2S_KEY_BYTES)
		abort();
	memset(state, 0, sizeof(*state));
	memcpy(state->h, iv, sizeof(state->h));
	/* RFC 7693 section 2.5: the parameter block, sequential mode. */
	state->h[0] ^= 0x01010000U ^ (uint32_t)key_bytes << 8 ^ (uint32_t)digest_bytes;
	state->digest_bytes = (uint32_t)digest_bytes;
}

void blake2s_init(struct blake2s *state, size_t digest_bytes)
{
	init(state, digest_bytes, 0);
}

void blake2s_init_keyed(
	struct blake2s *state, size_t digest_bytes, const uint8_t *key, size_t key_bytes)
{
	if (key_bytes < 1)
		abort();
	init(state, digest_bytes, key_bytes);
	memcpy(state->block, key, key_bytes);
	state->block_bytes = BLAKE2S_BLOCK_BYTES;
}

void blake2s_compress_full_block(struct blake2s *state)
{
	if (state->block_bytes != BLAKE2S_BLOCK_BYTES)
		return;
	compress(state, state->block, BLAKE2S_BLOCK_BYTES, false);
	state->block_bytes = 0;
}

void blake2s_update(struct blake2s *state, const void *input, size_t bytes)
{
	const uint8_t *next = input;

	if (bytes == 0)
		return;
	if (state->block_bytes > 0) {
		size_t room = BLAKE2S_BLOCK_BYTES - state->block_bytes;
		size_t taken = bytes < room ? bytes : room;

		memcpy(state->block + state->block_bytes, next, taken);
		state->block_bytes += (uint32_t)taken;
		next += taken;
		bytes -= taken;
		if (bytes == 0)
			return;
		blake2s_compress_full_block(state);
	}
	/* The last block stays: whether it is the last is known only by blake2s_final. */
	while (bytes > BLAKE2S_BLOCK_BYTES) {
		compress(state, next, BLAKE2S_BLOCK_BYTES, false);
		next += BLAKE2S_BLOCK_BYTES;
		bytes -= BLAKE2S_BLOCK_BYTES;
	}
	memcpy(state->block, next, bytes);
	state->block_bytes = (uint32_t)bytes;
}

void blake2s_final(struct blake2s *state, uint8_t *digest)
{
	uint8_t hash[BLAKE2S_HASH_BYTES];

	memset(state->block + state->block_bytes, 0, BLAKE2S_BLOCK_BYTES - state->block_bytes);
	compress(state, state->block, state->block_bytes, true);
	for (size_t i = 0; i < 8; i++)
		store_le32(hash + 4 * i, state->h[i]);
	memcpy(digest, hash, state->digest_bytes);
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(state, sizeof(*state));
}
