/* SPDX-License-Identifier: ISC */
/* HMAC-BLAKE2s and WireGuard's key derivation. */
#include "capture/kdf.h"

#include <string.h>

static void hash_pad(
	struct blake2s *state, const uint8_t key[BLAKE2S_BLOCK_BYTES], uint8_t pad_byte)
{
	uint8_t pad[BLAKE2S_BLOCK_BYTES];

	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = key[i] ^ pad_byte;
	blake2s_init(state, BLAKE2S_HASH_BYTES);
	blake2s_update(state, pad, sizeof(pad));
	explicit_bzero(pad, sizeof(pad));
}

void hmac_key_init(struct hmac_key *key, const uint8_t *bytes, size_t key_bytes)
{
	uint8_t block[BLAKE2S_BLOCK_BYTES] = {0};

	if (key_bytes > BLAKE2S_BLOCK_BYTES) {
		blake2s_init(&key->inner, BLAKE2S_HASH_BYTES);
		blake2s_update(&key->inner, bytes, key_bytes);
		blake2s_final(&key->inner, block);
	} else if (key_bytes > 0) {
		memcpy(block, bytes, key_bytes);
	}
	hash_pad(&key->inner, block, 0x36);
	hash_pad(&key->outer, block, 0x5c);
	/* The outer hash always goes on; the inner one may end here, on an empty input. */
	blake2s_compress_full_block(&key->outer);
	explicit_bzero(block, sizeof(block));
}

void hmac_key_wipe(struct hmac_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

void hmac_blake2s(uint8_t digest[static KDF_BYTES], const struct hmac_key *key, const void *input,
	size_t bytes)
{
	struct blake2s state = key->inner;
	uint8_t inner[BLAKE2S_HASH_BYTES];

	blake2s_update(&state, input, bytes);
	blake2s_final(&state, inner);
	state = key->outer;
	blake2s_update(&state, inner, sizeof(inner));
	blake2s_final(&state, digest);
	explicit_bzero(inner, sizeof(inner));
}

/* The part of HKDF that all three share: HMAC(chaining key, input) becomes the key of the rest. */
static void extract(struct hmac_key *extracted, const struct hmac_key *chaining_key,
	const void *input, size_t bytes)
{
	uint8_t secret[KDF_BYTES];

	hmac_blake2s(secret, chaining_key, input, bytes);
	hmac_key_init(extracted, secret, sizeof(secret));
	/* What is hashed next always ends in a counter byte, so the pad isn't the last block. */
	blake2s_compress_full_block(&extracted->inner);
	explicit_bzero(secret, sizeof(secret));
}

/* Output number `counter`, from output number `counter` - 1. */
static void expand(uint8_t output[static KDF_BYTES], const struct hmac_key *extracted,
	const uint8_t *previous, uint8_t counter)
{
	uint8_t input[KDF_BYTES + 1];
	size_t previous_bytes = previous == NULL ? 0 : KDF_BYTES;

	if (previous_bytes > 0)
		memcpy(input, previous, previous_bytes);
	input[previous_bytes] = counter;
	hmac_blake2s(output, extracted, input, previous_bytes + 1);
	explicit_bzero(input, sizeof(input));
}

static void extract_from_bytes(struct hmac_key *extracted,
	const uint8_t chaining_key[static KDF_BYTES], const void *input, size_t bytes)
{
	struct hmac_key key;

	hmac_key_init(&key, chaining_key, KDF_BYTES);
	extract(extracted, &key, input, bytes);
	hmac_key_wipe(&key);
}

void kdf1(uint8_t first[static KDF_BYTES], const uint8_t chaining_key[static KDF_BYTES],
	const void *input, size_t bytes)
{
	struct hmac_key extracted;

	extract_from_bytes(&extracted, chaining_key, input, bytes);
	expand(first, &extracted, NULL, 1);
	hmac_key_wipe(&extracted);
}

void kdf1_prepared(uint8_t first[static KDF_BYTES], const struct hmac_key *chaining_key,
	const void *input, size_t bytes)
{
	struct hmac_key extracted;

	extract(&extracted, chaining_key, input, bytes);
	expand(first, &extracted, NULL, 1);
	hmac_key_wipe(&extracted);
}

void kdf2(uint8_t first[static KDF_BYTES], uint8_t second[static KDF_BYTES],
	const uint8_t chaining_key[static KDF_BYTES], const void *input, size_t bytes)
{
	struct hmac_key extracted;

	extract_from_bytes(&extracted, chaining_key, input, bytes);
	expand(first, &extracted, NULL, 1);
	expand(second, &extracted, first, 2);
	hmac_key_wipe(&extracted);
}
