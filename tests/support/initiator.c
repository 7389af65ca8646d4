/* SPDX-License-Identifier: ISC */
/* Makes handshake initiations. */
#include "tests/support/initiator.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";
static const char label_mac1[] = "mac1----";

/* HASH(first || second) */
static void hash_both(uint8_t result[static BLAKE2S_HASH_BYTES], const void *first,
	size_t first_bytes, const void *second, size_t second_bytes)
{
	struct blake2s state;

	blake2s_init(&state, BLAKE2S_HASH_BYTES);
	blake2s_update(&state, first, first_bytes);
	blake2s_update(&state, second, second_bytes);
	blake2s_final(&state, result);
}

struct noise {
	uint8_t hash[BLAKE2S_HASH_BYTES];
	uint8_t chaining_key[KDF_BYTES];
};

static void mix_hash(struct noise *noise, const void *input, size_t bytes)
{
	hash_both(noise->hash, noise->hash, sizeof(noise->hash), input, bytes);
}

static void seal(struct noise *noise, uint8_t *sealed, const uint8_t *field, size_t bytes,
	const uint8_t secret[static WIREGUARD_KEY_BYTES])
{
	static const uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
	uint8_t key[KDF_BYTES];

	kdf2(noise->chaining_key, key, noise->chaining_key, secret, WIREGUARD_KEY_BYTES);
	crypto_aead_chacha20poly1305_ietf_encrypt(
		sealed, NULL, field, bytes, noise->hash, sizeof(noise->hash), NULL, nonce, key);
	mix_hash(noise, sealed, bytes + SEAL_BYTES);
}

void initiator_set_mac1(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES])
{
	uint8_t key[BLAKE2S_HASH_BYTES];
	struct blake2s state;

	hash_both(key, label_mac1, sizeof(label_mac1) - 1, gateway_public_key, WIREGUARD_KEY_BYTES);
	blake2s_init_keyed(&state, MAC_BYTES, key, sizeof(key));
	blake2s_update(&state, message, INITIATION_MAC1_AT);
	blake2s_final(&state, message + INITIATION_MAC1_AT);
}

void initiator_seal(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const struct initiator_parts *parts)
{
	struct noise noise;

	memset(message, 0, WIREGUARD_INITIATION_BYTES);
	message[INITIATION_TYPE_AT] = 1;
	for (int i = 0; i < 4; i++)
		message[INITIATION_SENDER_AT + i] = (uint8_t)(parts->sender_index >> 8 * i);
	memcpy(message + INITIATION_EPHEMERAL_AT, parts->ephemeral_key, WIREGUARD_KEY_BYTES);

	hash_both(noise.chaining_key, construction, sizeof(construction) - 1, NULL, 0);
	hash_both(noise.hash, noise.chaining_key, sizeof(noise.chaining_key), identifier,
		sizeof(identifier) - 1);
	mix_hash(&noise, gateway_public_key, WIREGUARD_KEY_BYTES);
	mix_hash(&noise, parts->ephemeral_key, WIREGUARD_KEY_BYTES);
	kdf1(noise.chaining_key, noise.chaining_key, parts->ephemeral_key, WIREGUARD_KEY_BYTES);
	seal(&noise, message + INITIATION_STATIC_AT, parts->static_key, WIREGUARD_KEY_BYTES,
		parts->ephemeral_secret);
	seal(&noise, message + INITIATION_TIMESTAMP_AT, parts->timestamp, TIMESTAMP_BYTES,
		parts->static_secret);
	initiator_set_mac1(message, gateway_public_key);
}

int initiator_prepare(struct initiator_parts *parts,
	const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES])
{
	uint8_t ephemeral[WIREGUARD_KEY_BYTES];

	randombytes_buf(ephemeral, sizeof(ephemeral));
	parts->sender_index = randombytes_random();
	memcpy(parts->timestamp, timestamp, TIMESTAMP_BYTES);
	crypto_scalarmult_base(parts->ephemeral_key, ephemeral);
	crypto_scalarmult_base(parts->static_key, private_key);
	if (crypto_scalarmult(parts->ephemeral_secret, ephemeral, gateway_public_key) != 0)
		return -EINVAL;
	return crypto_scalarmult(parts->static_secret, private_key, gateway_public_key) == 0
		       ? 0
		       : -EINVAL;
}

int initiator_make(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES])
{
	struct initiator_parts parts;
	int error = initiator_prepare(&parts, private_key, gateway_public_key, timestamp);

	if (error == 0)
		initiator_seal(message, gateway_public_key, &parts);
	explicit_bzero(&parts, sizeof(parts));
	return error;
}

void initiator_timestamp(
	uint8_t timestamp[static TIMESTAMP_BYTES], uint64_t unix_seconds, uint32_t nanoseconds)
{
	uint64_t seconds = UINT64_C(0x400000000000000a) + unix_seconds;

	for (int i = 0; i < 8; i++)
		timestamp[i] = (uint8_t)(seconds >> (56 - 8 * i));
	for (int i = 0; i < 4; i++)
		timestamp[8 + i] = (uint8_t)(nanoseconds >> (24 - 8 * i));
}
