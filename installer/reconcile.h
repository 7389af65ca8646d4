/* SPDX-License-Identifier: ISC */
/*
 * Brings the table of peers into line with what a dump shows, in one pass over it: the kernel is
 * right. What it finds that isn't in the table is static; what it doesn't find is gone.
 *
 * The kernel shows peers in the order in which they were made, and ends early when the one that it
 * was to go on with is removed meanwhile. So a dump during which peers change, as they do on a busy
 * gateway, still proves that a peer of the dump before is gone if it went beyond that dump's last.
 *
 * A packet of a dump shows the kernel as it was when the packet was made, up to a few packets before
 * it is read. So a peer that was installed while the dump went on is not judged by it, and while
 * peers are removed under it, unknown ones are left to the next dump.
 */
#ifndef PULLGATE_INSTALLER_RECONCILE_H
#define PULLGATE_INSTALLER_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "installer/device_message.h"
#include "installer/peers.h"

struct reconcile {
	struct peers *peers;
	uint32_t number;   /* of the dump, from 1 */
	uint32_t previous; /* of the last one before it that came to its end */
	int64_t began_ms;
	bool is_running;
	bool is_complete; /* it came to its end without being interrupted */
	/* The last peer that the previous dump showed, whether this one did, and its own last. */
	bool had_tail, has_passed_tail, has_tail;
	uint8_t previous_tail[WIREGUARD_KEY_BYTES], tail[WIREGUARD_KEY_BYTES];
	bool ignores_unknown;
	bool lacks_room;  /* a peer or prefix of the interface has no place in the table */
	bool lacked_room; /* the same, in the dump under way */
	bool found_static;
	/* The peer that is being shown; slot is KEY_INDEX_NONE when its allowed IPs don't count. */
	uint32_t slot;
	uint32_t matched;        /* its prefixes that are as the table has them */
	allowed_ips_place place; /* the first that isn't shown yet; valid within one packet */
};

void reconcile_init(struct reconcile *reconcile, struct peers *peers);

/* A dump begins; an unfinished one is forgotten. */
void reconcile_begin(struct reconcile *reconcile, int64_t now_ms);

/* What the dump shows, as struct device_reader has it. Always 0. */
int reconcile_peer(struct reconcile *reconcile, const struct device_peer *shown, bool is_continued);
int reconcile_allowed_ip(struct reconcile *reconcile, const struct prefix *shown);

/* A dump has come to its end. */
void reconcile_end(struct reconcile *reconcile, bool is_interrupted);

/* Whether the dump under way, though interrupted, has gone beyond all that the previous one showed. */
bool reconcile_has_passed_tail(const struct reconcile *reconcile);

/* To be called whenever pullgate installs or removes: see above. */
void reconcile_installed(struct reconcile *reconcile, uint32_t slot);
void reconcile_removed(struct reconcile *reconcile);

/* Whether the last dump proves that the kernel doesn't have this peer. */
bool reconcile_is_gone(const struct reconcile *reconcile, uint32_t slot);

/* Whether the last dump showed it. */
bool reconcile_was_seen(const struct reconcile *reconcile, uint32_t slot);

#endif
