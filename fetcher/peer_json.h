/* SPDX-License-Identifier: ISC */
/* A body in JSON (RFC 8259). */
#ifndef PULLGATE_FETCHER_PEER_JSON_H
#define PULLGATE_FETCHER_PEER_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "fetcher/peer_fields.h"

/*
 * The body's one value, whose references are the caller's, or NULL with a reason that never holds a
 * secret. The same member twice, anything behind the value, and zero characters are refused.
 */
json_t *peer_json_parse(const void *body, size_t length, char reason[static PEER_REASON_BYTES]);

#endif
