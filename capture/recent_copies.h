/* SPDX-License-Identifier: ISC */
/*
 * Copies of one packet, merged before any curve work: a bridge and its port, a bond, a VLAN and the
 * interface below it, and a redirected replay each show the same packet again.
 *
 * Every initiation of an honest client has an ephemeral key of its own, retries too, so the same
 * message from the same source is only ever a copy. What is compared is the source, its port and
 * the message up to and with mac1. mac2 is left out: nothing checks it here, and 2^128 variants of
 * one recorded packet would each cost two Diffie-Hellmans. Packets go in after their mac1 was
 * checked, so that junk doesn't push out what is remembered. The source is part of it, so that a
 * recorded message sent from elsewhere can't suppress the client's own.
 *
 * Fixed size: sets of four fingerprints (SipHash-2-4 with a random key); in a full set the oldest
 * gives way. A forgotten copy costs its curve work and is then a replay to the timestamp's check.
 */
#ifndef PULLGATE_RECENT_COPIES_H
#define PULLGATE_RECENT_COPIES_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/packet.h"

struct recent_copy {
	uint64_t fingerprint;
	int64_t seen_ms;
};

struct recent_copies {
	struct recent_copy *entries;
	size_t sets; /* a power of two */
	int64_t keep_ms;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

/*
 * Room for at least `entries` packets, each remembered for `keep_ms` after it was last seen.
 * -EINVAL for zero or too many entries, -ENOMEM.
 */
int recent_copies_init(struct recent_copies *recent, size_t entries, int64_t keep_ms);
void recent_copies_free(struct recent_copies *recent);

/* Whether the packet is a copy of one seen within keep_ms; remembers it either way. */
bool recent_copies_check(struct recent_copies *recent, const struct packet *packet, int64_t now_ms);

#endif
