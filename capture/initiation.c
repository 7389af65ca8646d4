/* SPDX-License-Identifier: ISC */
/* The handshake initiation, responder's side. */
#include "capture/initiation.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* WireGuard paper section 5.4: CONSTRUCTION, IDENTIFIER and LABEL-MAC1. */
static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";
static const char label_mac1[] = "mac1----";

/* Every sealed field has a key of its own, so the nonce is always zero. */
static const uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

/* hash = HASH(hash || input); the result may take the place of the first part. */
static void mix_hash(uint8_t result[static BLAKE2S_HASH_BYTES],
	const uint8_t hash[static BLAKE2S_HASH_BYTES], const void *input, size_t bytes)
{
	struct blake2s state;

	blake2s_init(&state, BLAKE2S_HASH_BYTES);
	blake2s_update(&state, hash, BLAKE2S_HASH_BYTES);
	blake2s_update(&state, input, bytes);
	blake2s_final(&state, result);
}

static void prepare_mac1(struct gateway *gateway)
{
	struct blake2s state;
	uint8_t key[BLAKE2S_HASH_BYTES];

	blake2s_init(&state, BLAKE2S_HASH_BYTES);
	blake2s_update(&state, label_mac1, sizeof(label_mac1) - 1);
	blake2s_update(&state, gateway->public_key, sizeof(gateway->public_key));
	blake2s_final(&state, key);
	blake2s_init_keyed(&gateway->mac1, MAC_BYTES, key, sizeof(key));
	blake2s_compress_full_block(&gateway->mac1);
}

static void prepare_noise(struct gateway *gateway)
{
	struct blake2s state;
	uint8_t chaining_key[BLAKE2S_HASH_BYTES];

	blake2s_init(&state, BLAKE2S_HASH_BYTES);
	blake2s_update(&state, construction, sizeof(construction) - 1);
	blake2s_final(&state, chaining_key);
	hmac_key_init(&gateway->chaining_key, chaining_key, sizeof(chaining_key));
	mix_hash(gateway->hash, chaining_key, identifier, sizeof(identifier) - 1);
	mix_hash(gateway->hash, gateway->hash, gateway->public_key, sizeof(gateway->public_key));
}

int gateway_init(struct gateway *gateway, const uint8_t private_key[static WIREGUARD_KEY_BYTES])
{
	memcpy(gateway->private_key, private_key, WIREGUARD_KEY_BYTES);
	if (sodium_is_zero(private_key, WIREGUARD_KEY_BYTES) ||
		crypto_scalarmult_base(gateway->public_key, private_key) != 0) {
		gateway_wipe(gateway);
		return -EINVAL;
	}
	prepare_mac1(gateway);
	prepare_noise(gateway);
	return 0;
}

void gateway_wipe(struct gateway *gateway)
{
	explicit_bzero(gateway, sizeof(*gateway));
}

int initiation_check_mac1(
	const struct gateway *gateway, const uint8_t message[static WIREGUARD_INITIATION_BYTES])
{
	struct blake2s state = gateway->mac1;
	uint8_t mac[MAC_BYTES];

	blake2s_update(&state, message, INITIATION_MAC1_AT);
	blake2s_final(&state, mac);
	return sodium_memcmp(mac, message + INITIATION_MAC1_AT, MAC_BYTES) == 0 ? 0 : -EBADMSG;
}

/* libsodium returns -1 for a result of zero, which is what a point of low order gives. */
static int diffie_hellman(uint8_t secret[static WIREGUARD_KEY_BYTES],
	const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	const uint8_t public_key[static WIREGUARD_KEY_BYTES])
{
	if (crypto_scalarmult(secret, private_key, public_key) == 0)
		return 0;
	explicit_bzero(secret, WIREGUARD_KEY_BYTES);
	return -EKEYREJECTED;
}

/*
 * Derives the next sealed field's key from a Diffie-Hellman secret and opens the field, which is
 * `bytes` long and SEAL_BYTES more when sealed; the hash so far is its associated data.
 */
static int open_field(struct initiation *initiation, uint8_t *opened, const uint8_t *sealed,
	size_t bytes, const uint8_t secret[static WIREGUARD_KEY_BYTES])
{
	uint8_t key[KDF_BYTES];
	int error;

	kdf2(initiation->chaining_key, key, initiation->chaining_key, secret, WIREGUARD_KEY_BYTES);
	error = crypto_aead_chacha20poly1305_ietf_decrypt(opened, NULL, NULL, sealed,
		bytes + SEAL_BYTES, initiation->hash, sizeof(initiation->hash), nonce, key);
	explicit_bzero(key, sizeof(key));
	if (error != 0) {
		initiation_wipe(initiation);
		return -EBADMSG;
	}
	return 0;
}

int initiation_open_static(struct initiation *initiation, const struct gateway *gateway,
	const uint8_t message[static WIREGUARD_INITIATION_BYTES])
{
	const uint8_t *ephemeral = message + INITIATION_EPHEMERAL_AT;
	const uint8_t *sealed = message + INITIATION_STATIC_AT;
	uint8_t secret[WIREGUARD_KEY_BYTES];
	int error;

	error = diffie_hellman(secret, gateway->private_key, ephemeral);
	if (error != 0) {
		initiation_wipe(initiation);
		return error;
	}
	mix_hash(initiation->hash, gateway->hash, ephemeral, WIREGUARD_KEY_BYTES);
	kdf1_prepared(
		initiation->chaining_key, &gateway->chaining_key, ephemeral, WIREGUARD_KEY_BYTES);
	explicit_bzero(initiation->timestamp, sizeof(initiation->timestamp));
	error = open_field(initiation, initiation->static_key, sealed, WIREGUARD_KEY_BYTES, secret);
	explicit_bzero(secret, sizeof(secret));
	if (error != 0)
		return error;
	mix_hash(initiation->hash, initiation->hash, sealed, WIREGUARD_KEY_BYTES + SEAL_BYTES);
	return 0;
}

int initiation_static_secret(uint8_t secret[static WIREGUARD_KEY_BYTES],
	const struct gateway *gateway, const uint8_t static_key[static WIREGUARD_KEY_BYTES])
{
	return diffie_hellman(secret, gateway->private_key, static_key);
}

int initiation_open_timestamp(struct initiation *initiation,
	const uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t static_secret[static WIREGUARD_KEY_BYTES])
{
	return open_field(initiation, initiation->timestamp, message + INITIATION_TIMESTAMP_AT,
		TIMESTAMP_BYTES, static_secret);
}

void initiation_wipe(struct initiation *initiation)
{
	explicit_bzero(initiation, sizeof(*initiation));
}
