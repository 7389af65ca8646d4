/* SPDX-License-Identifier: ISC */
/*
 * What is stored of one key, as bytes: a found peer with its freshness and validators, or that the
 * origin doesn't know the key or has revoked it. Times are those of the wall clock, for the bytes are
 * read by another process, perhaps after a reboot. They are read as what anybody could have written.
 *
 * The bytes: when it was stored; how long it may be used while the origin is asked; Cache-Control;
 * the place of the origin that gave the two validators, and these; the answer as a PEER (message_table.h), which has the other times; a check sum.
 * Numbers are big-endian.
 */
#ifndef PULLGATE_FETCHER_CACHE_RECORD_H
#define PULLGATE_FETCHER_CACHE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/message.h"
#include "fetcher/freshness.h"
#include "fetcher/peer_cache.h"

/* A PEER has at most 1,400 bytes; a test holds it to that. */
#define CACHE_RECORD_BYTES_MAX 2048

struct cache_record {
	int64_t stored_ms; /* since 1970, by the wall clock */
	/* Its id is 0. From stored_ms on it is fresh for valid_ms, and then may be used for stale_ms
	 * while the origin fails. */
	struct message_peer peer;
	/* Of a found one. */
	uint32_t stale_while_revalidate_ms; /* as stale_ms, while the origin is asked */
	struct cache_control control;
	struct validators validators;
};

/* The length, or -EINVAL for an answer that is neither found, absent nor revoked. The caller wipes
 * bytes. */
int cache_record_encode(
	const struct cache_record *record, uint8_t bytes[static CACHE_RECORD_BYTES_MAX]);

/*
 * 0, or -EBADMSG for anything but one record of that key, each field within its limits, its check
 * sum right: what a disk lost or mixed up is not taken for a peer. record is then zeroed. The caller
 * wipes it.
 */
int cache_record_decode(struct cache_record *record, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t *bytes, size_t length);

/*
 * Takes from its times what has gone by since it was stored, and sets stored_ms to now_ms. Where
 * the clock says that it is yet to be stored, it was set back, and nobody knows how old the record
 * is: it is then fresh no more, and may be used as long as it was stored with while the origin
 * fails.
 */
void cache_record_age(struct cache_record *record, int64_t now_ms);

#endif
