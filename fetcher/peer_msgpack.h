/* SPDX-License-Identifier: ISC */
/*
 * A body in MessagePack (github.com/msgpack/msgpack/blob/master/spec.md): the same members as in
 * JSON, with the same values. So it is read into the tree that JSON would make, and what holds for
 * the one holds for the other: a map is an object, and its names are strings, none of them twice;
 * strings are UTF-8 without zero characters; numbers are such as JSON can write. bin and ext, which
 * JSON hasn't, are no value of a field, and are ignored where fields are.
 */
#ifndef PULLGATE_FETCHER_PEER_MSGPACK_H
#define PULLGATE_FETCHER_PEER_MSGPACK_H

#include <jansson.h>
#include <stddef.h>

#include "fetcher/peer_fields.h"

/* How deep arrays and maps may lie in each other. */
#define PEER_MSGPACK_DEPTH 128

/*
 * The body's one value, whose references are the caller's, or NULL with a reason that never holds a
 * secret. What it takes in memory is bounded by the bytes that are there, not by the sizes that they
 * claim.
 */
json_t *peer_msgpack_parse(const void *body, size_t length, char reason[static PEER_REASON_BYTES]);

#endif
