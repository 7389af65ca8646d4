/* SPDX-License-Identifier: ISC */
/* The body of a 200. */
#include "fetcher/peer_body.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "fetcher/peer_json.h"
#include "fetcher/peer_msgpack.h"

/* RFC 9110 section 8.3.1: type and subtype in any case, parameters behind a semicolon. */
static bool is_type(const char *content_type, const char *type)
{
	size_t length = strcspn(content_type, "; \t");

	return length == strlen(type) && strncasecmp(content_type, type, length) == 0;
}

static bool is_msgpack(const char *content_type)
{
	return is_type(content_type, "application/msgpack") ||
	       is_type(content_type, "application/vnd.msgpack");
}

int peer_body_read(struct message_peer *peer, const struct peer_body *body,
	const uint8_t asked_key[static WIREGUARD_KEY_BYTES], uint64_t max_allowed_ips,
	char reason[static PEER_REASON_BYTES])
{
	json_t *members;
	int error;

	reason[0] = '\0';
	peer_fields_clear(peer);
	members = is_msgpack(body->content_type)
			  ? peer_msgpack_parse(body->bytes, body->length, reason)
			  : peer_json_parse(body->bytes, body->length, reason);
	if (members == NULL)
		return -EBADMSG;
	error = peer_fields_read(peer, members, asked_key, max_allowed_ips, reason);
	json_decref(members);
	return error;
}
