/* SPDX-License-Identifier: ISC */
/* What the origin's response means: the table of the control plane's contract as code. */
#ifndef PULLGATE_FETCHER_ANSWER_H
#define PULLGATE_FETCHER_ANSWER_H

#include <stdbool.h>
#include <time.h>

#include "common/message.h"
#include "fetcher/freshness.h"
#include "fetcher/peer_body.h"

/* The longest time that a Retry-After can hold back all requests. */
#define ANSWER_HOLD_MAX_MS 60000

/* A complete response. The texts are never NULL: "" where the field is missing. */
struct origin_response {
	long status;
	const char *cache_control; /* several fields joined by commas */
	struct response_age age;
	const char *etag, *last_modified;
	const char *retry_after;
	const char *content_type;
	const char *body;
	size_t length;
};

struct answer_rules {
	struct freshness_defaults found; /* of a 200 that doesn't say */
	uint64_t negative_ttl_ms;        /* of a 404 or 410 that doesn't say */
	uint64_t max_allowed_ips;
};

struct answer {
	struct message_peer peer;       /* whole but for its id */
	struct cache_control control;   /* of one that is found */
	struct freshness freshness;     /* the same */
	bool credentials_refused;       /* 401, 403: the gateway's own */
	uint32_t hold_ms;               /* the origin wants no request for so long */
	char reason[PEER_REASON_BYTES]; /* of a failure; without secrets */
};

/*
 * 200 with a right body is found; 404 absent; 410 revoked; everything else failed, with a reason:
 * redirects, a 304 that nothing asked for, other 2xx, refused credentials, a body that peer_body
 * refuses. valid_ms and stale_ms follow freshness.h; a negative answer is never used stale. now is
 * the wall clock. The caller wipes answer.
 */
void answer_read(struct answer *answer, const struct origin_response *response,
	const uint8_t key[static WIREGUARD_KEY_BYTES], const struct answer_rules *rules,
	time_t now);

/* Makes it a failure with that reason, which must hold no secret. */
__attribute__((format(printf, 3, 4))) void answer_fail(struct answer *answer,
	const uint8_t key[static WIREGUARD_KEY_BYTES], const char *format, ...);

/* "found", "absent", "revoked", "failed". */
const char *answer_name(enum peer_answer answer);

#endif
