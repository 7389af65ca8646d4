/* SPDX-License-Identifier: ISC */
/* The body of a 200, in JSON or in MessagePack: either gives the same peer. */
#ifndef PULLGATE_FETCHER_PEER_BODY_H
#define PULLGATE_FETCHER_PEER_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "common/message.h"
#include "fetcher/peer_fields.h"

struct peer_body {
	const char *content_type; /* the field's value; "" where it is missing */
	const char *bytes;
	size_t length;
};

/*
 * Reads body into the configuration's fields of peer, as peer_fields_read() does. It is msgpack
 * where its type is application/vnd.msgpack (IANA's), or application/msgpack (everybody's); else it
 * is taken for JSON, for static servers know no better than text/plain. The caller wipes body and
 * peer.
 */
int peer_body_read(struct message_peer *peer, const struct peer_body *body,
	const uint8_t asked_key[static WIREGUARD_KEY_BYTES], uint64_t max_allowed_ips,
	char reason[static PEER_REASON_BYTES]);

#endif
