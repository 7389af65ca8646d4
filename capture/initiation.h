/* SPDX-License-Identifier: ISC */
/*
 * The handshake initiation as its responder checks it: WireGuard paper, sections 5.4.2 (first
 * message) and 5.4.4 (mac1), in separate steps, so that each is paid for only when the one before
 * it has passed:
 *
 *     initiation_check_mac1         made for this gateway's key at all?      (a hash)
 *     initiation_open_static        who does the sender claim to be?         (a Diffie-Hellman)
 *     initiation_static_secret      the secret of both static keys           (a Diffie-Hellman)
 *     initiation_open_timestamp     proof of it, and when it was made
 *
 * The static key that the second step yields proves nothing: whoever knows the gateway's and a
 * peer's public key can make one. Only the last step proves that the sender holds the key.
 *
 * No step judges mac2 (a gateway that sends no cookie cannot) nor the sender index; mac1 covers the
 * index and the reserved bytes, nothing covers mac2.
 */
#ifndef PULLGATE_INITIATION_H
#define PULLGATE_INITIATION_H

#include <stdint.h>

#include "capture/blake2s.h"
#include "capture/kdf.h"
#include "common/wireguard.h"

enum {
	TIMESTAMP_BYTES = 12, /* TAI64N; the greater is the later, compared as bytes */
	MAC_BYTES = 16,
	SEAL_BYTES = 16, /* what ChaCha20-Poly1305 adds */
};

/* Where the message's fields begin (WireGuard paper section 5.4.2). */
enum {
	INITIATION_TYPE_AT = 0, /* 01 00 00 00: the type and three reserved bytes */
	INITIATION_SENDER_AT = 4,
	INITIATION_EPHEMERAL_AT = 8,
	INITIATION_STATIC_AT = INITIATION_EPHEMERAL_AT + WIREGUARD_KEY_BYTES,
	INITIATION_TIMESTAMP_AT = INITIATION_STATIC_AT + WIREGUARD_KEY_BYTES + SEAL_BYTES,
	INITIATION_MAC1_AT = INITIATION_TIMESTAMP_AT + TIMESTAMP_BYTES + SEAL_BYTES,
	INITIATION_MAC2_AT = INITIATION_MAC1_AT + MAC_BYTES,
};

_Static_assert(INITIATION_MAC2_AT + MAC_BYTES == WIREGUARD_INITIATION_BYTES, "fields");

/*
 * The gateway's identity, with all that can be computed once. It holds the private key: the caller
 * keeps it in locked memory that no dump shows.
 */
struct gateway {
	uint8_t private_key[WIREGUARD_KEY_BYTES];
	uint8_t public_key[WIREGUARD_KEY_BYTES];
	struct blake2s mac1;              /* keyed for mac1, the key already hashed */
	uint8_t hash[BLAKE2S_HASH_BYTES]; /* of construction, identifier, public key */
	struct hmac_key chaining_key;     /* the construction's hash */
};

/* The state between the steps. Secret; initiation_wipe ends it. */
struct initiation {
	uint8_t hash[BLAKE2S_HASH_BYTES];
	uint8_t chaining_key[KDF_BYTES];
	uint8_t static_key[WIREGUARD_KEY_BYTES]; /* the initiator's public one */
	uint8_t timestamp[TIMESTAMP_BYTES];
};

/* Fails with -EINVAL when the private key has no usable public key; `gateway` is then wiped. */
int gateway_init(struct gateway *gateway, const uint8_t private_key[static WIREGUARD_KEY_BYTES]);
void gateway_wipe(struct gateway *gateway);

/* 0 or -EBADMSG. Compared in constant time. */
int initiation_check_mac1(
	const struct gateway *gateway, const uint8_t message[static WIREGUARD_INITIATION_BYTES]);

/*
 * Fills `initiation` up to static_key. -EKEYREJECTED: the ephemeral key is of low order; -EBADMSG:
 * the static key's seal is wrong. `initiation` is then wiped.
 */
int initiation_open_static(struct initiation *initiation, const struct gateway *gateway,
	const uint8_t message[static WIREGUARD_INITIATION_BYTES]);

/*
 * The secret that the gateway shares with the holder of a static key, always the same for that key:
 * the caller may keep it, and wipes it. -EKEYREJECTED: the key is of low order, `secret` is wiped.
 */
int initiation_static_secret(uint8_t secret[static WIREGUARD_KEY_BYTES],
	const struct gateway *gateway, const uint8_t static_key[static WIREGUARD_KEY_BYTES]);

/*
 * Fills `timestamp`, after initiation_open_static. -EBADMSG: its seal is wrong, so the sender
 * doesn't hold the static key; `initiation` is then wiped. The state that it derives from is used
 * up.
 */
int initiation_open_timestamp(struct initiation *initiation,
	const uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t static_secret[static WIREGUARD_KEY_BYTES]);

void initiation_wipe(struct initiation *initiation);

#endif
