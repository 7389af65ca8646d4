/* SPDX-License-Identifier: ISC */
/*
 * The other side of capture/initiation.h: makes handshake initiations (WireGuard paper sections
 * 5.4.2 and 5.4.4), right ones and, given the parts, wrong ones. For tests and tools alone.
 */
#ifndef PULLGATE_INITIATOR_H
#define PULLGATE_INITIATOR_H

#include <stdint.h>

#include "capture/initiation.h"

/*
 * Everything an initiation is sealed from. For a right one each secret is the Diffie-Hellman of the
 * keys that it names; a forged one may hold any.
 */
struct initiator_parts {
	uint32_t sender_index;
	uint8_t ephemeral_key[WIREGUARD_KEY_BYTES];
	uint8_t ephemeral_secret[WIREGUARD_KEY_BYTES]; /* ephemeral and gateway's key */
	uint8_t static_key[WIREGUARD_KEY_BYTES];
	uint8_t static_secret[WIREGUARD_KEY_BYTES]; /* static and gateway's key */
	uint8_t timestamp[TIMESTAMP_BYTES];
};

/* Seals the parts into a message with the right mac1 and no mac2. */
void initiator_seal(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const struct initiator_parts *parts);

/* Computes mac1 anew, after a message was changed. */
void initiator_set_mac1(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES]);

/*
 * The parts of a right initiation: a random ephemeral key and sender index. -EINVAL when one of the
 * keys is of low order.
 */
int initiator_prepare(struct initiator_parts *parts,
	const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES]);

/* initiator_prepare and initiator_seal. */
int initiator_make(uint8_t message[static WIREGUARD_INITIATION_BYTES],
	const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	const uint8_t gateway_public_key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES]);

/* TAI64N of a Unix time, with the ten seconds that WireGuard's own implementations add. */
void initiator_timestamp(
	uint8_t timestamp[static TIMESTAMP_BYTES], uint64_t unix_seconds, uint32_t nanoseconds);

#endif
