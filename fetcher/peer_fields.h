/* SPDX-License-Identifier: ISC */
/*
 * A peer's configuration, out of the members of a body, whichever format they came in:
 *   public_key            string, padded base64; must be the key asked for
 *   allowed_ips           array of at least one string, ADDRESS/LENGTH or ADDRESS, none twice, no
 *                         bits set behind the length
 *   preshared_key         optional: string, padded base64, or null
 *   persistent_keepalive  optional: integer, 0 to 65535 seconds
 * Other members are ignored, so that an origin may add some before its gateways know them.
 */
#ifndef PULLGATE_FETCHER_PEER_FIELDS_H
#define PULLGATE_FETCHER_PEER_FIELDS_H

#include <jansson.h>
#include <stdint.h>

#include "common/message.h"

#define PEER_REASON_BYTES 128

/*
 * Reads body's members into the configuration's fields of peer; the others are left alone. 0, or
 * -EBADMSG with a reason that names the field ("allowed_ips[1]: host bits set") and never holds a
 * secret; the configuration's fields are then zero.
 */
int peer_fields_read(struct message_peer *peer, const json_t *body,
	const uint8_t asked_key[static WIREGUARD_KEY_BYTES], uint64_t max_allowed_ips,
	char reason[static PEER_REASON_BYTES]);

/* Makes the configuration's fields zero. */
void peer_fields_clear(struct message_peer *peer);

/* Writes the reason, which must hold no secret. Returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) int peer_refuse(
	char reason[static PEER_REASON_BYTES], const char *format, ...);

#endif
