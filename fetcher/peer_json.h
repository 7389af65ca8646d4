/* SPDX-License-Identifier: ISC */
/*
 * The body of a 200: a JSON object (RFC 8259) with
 *   public_key            string, padded base64; must be the key asked for
 *   allowed_ips           array of at least one string, ADDRESS/LENGTH or ADDRESS, none twice, no
 *                         bits set behind the length
 *   preshared_key         optional: string, padded base64, or null
 *   persistent_keepalive  optional: integer, 0 to 65535 seconds
 * Other members are ignored, so that an origin may add some before its gateways know them. The same
 * member twice, anything behind the object, and zero characters are refused.
 */
#ifndef PULLGATE_FETCHER_PEER_JSON_H
#define PULLGATE_FETCHER_PEER_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "common/message.h"

#define PEER_JSON_REASON_BYTES 128

/*
 * Reads body into the configuration's fields of peer; the others are left alone. 0, or -EBADMSG
 * with a reason that names the field ("allowed_ips[1]: host bits set") and never holds a secret;
 * the configuration's fields are then zero. The caller wipes body and peer.
 */
int peer_json_read(struct message_peer *peer, const uint8_t asked_key[static WIREGUARD_KEY_BYTES],
	uint64_t max_allowed_ips, const char *body, size_t length,
	char reason[static PEER_JSON_REASON_BYTES]);

#endif
