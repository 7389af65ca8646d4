/* SPDX-License-Identifier: ISC */
/*
 * BLAKE2s, the hash of WireGuard's handshake, after RFC 7693.
 *
 * blake2s_init or blake2s_init_keyed, any number of blake2s_update, one blake2s_final. A state
 * holds no pointer: it may be copied, so that what many messages begin with (a key, a constant) is
 * hashed once. It holds what was hashed, so wipe it (blake2s_final does) when that was secret.
 */
#ifndef PULLGATE_BLAKE2S_H
#define PULLGATE_BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

enum {
	BLAKE2S_BLOCK_BYTES = 64,
	BLAKE2S_HASH_BYTES = 32, /* the longest digest, and the longest key */
	BLAKE2S_KEY_BYTES = 32,
};

/* RFC 7693 section 2.1; the names are the RFC's. */
struct blake2s {
	uint32_t h[8];
	uint64_t t; /* bytes compressed so far */
	uint8_t block[BLAKE2S_BLOCK_BYTES];
	uint32_t block_bytes; /* in `block`, not yet compressed */
	uint32_t digest_bytes;
};

/* Begins a digest of `digest_bytes`, 1 to BLAKE2S_HASH_BYTES; other lengths end the process. */
void blake2s_init(struct blake2s *state, size_t digest_bytes);

/*
 * Begins a keyed digest (RFC 7693 section 2.9). `key_bytes` is 1 to BLAKE2S_KEY_BYTES; other
 * lengths end the process.
 */
void blake2s_init_keyed(
	struct blake2s *state, size_t digest_bytes, const uint8_t *key, size_t key_bytes);

/*
 * Compresses a full block now instead of with the next input, which must not be empty: the last
 * block of a message is compressed in another way. For states that are kept and copied.
 */
void blake2s_compress_full_block(struct blake2s *state);

/* Adds input; `bytes` may be 0, and `input` then NULL. */
void blake2s_update(struct blake2s *state, const void *input, size_t bytes);

/* Writes digest_bytes of `digest` and wipes the state. */
void blake2s_final(struct blake2s *state, uint8_t *digest);

#endif
