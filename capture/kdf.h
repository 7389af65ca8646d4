/* SPDX-License-Identifier: ISC */
/*
 * HMAC-BLAKE2s (RFC 2104) and the key derivation of WireGuard's handshake: KDF1 and KDF2 of
 * the WireGuard paper, section 5.4, which are RFC 5869's HKDF with an empty info.
 */
#ifndef PULLGATE_KDF_H
#define PULLGATE_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "capture/blake2s.h"

enum { KDF_BYTES = BLAKE2S_HASH_BYTES };

/* A key of HMAC with both of its pads hashed already, for keys that are used more than once. */
struct hmac_key {
	struct blake2s inner;
	struct blake2s outer;
};

/* Keys of more than a block are hashed first, as RFC 2104 says. Wipe `key` after its last use. */
void hmac_key_init(struct hmac_key *key, const uint8_t *bytes, size_t key_bytes);
void hmac_key_wipe(struct hmac_key *key);

/* HMAC(key, input). `digest` may be the same memory as `input`. */
void hmac_blake2s(uint8_t digest[static KDF_BYTES], const struct hmac_key *key, const void *input,
	size_t bytes);

/*
 * Derives one or two keys from a chaining key and an input. Outputs may be the same memory
 * as the chaining key or the input (`ck, key = KDF2(ck, input)` is how the handshake uses it), but
 * not as one another. kdf1_prepared takes the chaining key as an HMAC key.
 */
void kdf1(uint8_t first[static KDF_BYTES], const uint8_t chaining_key[static KDF_BYTES],
	const void *input, size_t bytes);
void kdf1_prepared(uint8_t first[static KDF_BYTES], const struct hmac_key *chaining_key,
	const void *input, size_t bytes);
void kdf2(uint8_t first[static KDF_BYTES], uint8_t second[static KDF_BYTES],
	const uint8_t chaining_key[static KDF_BYTES], const void *input, size_t bytes);

#endif
