/* SPDX-License-Identifier: ISC */
/*
 * pullgate's own table of what the kernel's interface holds: peers that it installed, and "static"
 * ones, the operator's own, which are never changed or removed. The kernel answers too many
 * mistakes with success (an allowed IP that moves, a missing peer that is removed) to be asked.
 *
 * Every peer here that this process did not install is static. A journal of what earlier runs
 * installed would be read by whoever calls peers_add() at the start.
 */
#ifndef PULLGATE_INSTALLER_PEERS_H
#define PULLGATE_INSTALLER_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "installer/allowed_ips.h"
#include "installer/due_queue.h"
#include "installer/freshness.h"
#include "installer/key_index.h"
#include "installer/removal_guard.h"

#define PEERS_KERNEL_MAX (1U << 20) /* drivers/net/wireguard/messages.h: MAX_PEERS_PER_DEVICE */

/* Why an answer of the control plane, or none for too long, makes an installed peer go. */
enum condemned {
	CONDEMNED_NOT,
	CONDEMNED_ABSENT,
	CONDEMNED_REVOKED,
	CONDEMNED_POLICY,
	CONDEMNED_STALE,
};

struct peer {
	enum known_state state;
	bool is_intent;        /* the kernel has not agreed yet */
	bool is_confirmed;     /* a handshake was seen since it was installed */
	bool is_stale;         /* its freshness is over, the origin fails, and it was kept */
	uint32_t announcement; /* the number under which capture was told of it */
	/* Numbers of dumps: the last that showed it; it was installed before the one behind `since`. */
	uint32_t seen, since;
	int64_t installed_ms; /* of this installation */
	int64_t active_ms;    /* when a dump last showed a newer handshake or more bytes received */
	int64_t handshake_seconds, handshake_nanoseconds; /* the kernel's wall clock; 0: none */
	uint64_t received_bytes;
	/* Of installed peers: what the control plane said of them, and is asked (renewal.h). */
	struct freshness freshness;
	struct removal_guard_mark guard_mark;
	enum condemned condemned; /* it goes as soon as it can */
	uint32_t load;            /* as freshness_load() has it */
	uint64_t question;        /* the id of the latest REVALIDATE that is out for it; 0: none */
	uint64_t fingerprint;     /* of preshared key and keepalive as the kernel was told them */
};

struct peers {
	struct key_index index;
	struct allowed_ips allowed_ips;
	struct peer *items;
	uint32_t installed;   /* state is KNOWN_INSTALLED */
	uint32_t unconfirmed; /* of these, without a handshake */
	struct due_queue due; /* those that are to be asked about, or to go, and when */
	uint64_t load;        /* the sum of theirs */
	uint32_t stale;       /* those that are */
	struct removal_guard guard;
};

/*
 * Takes memory for max_installed peers, as many static ones (4096 at least), and allowed_ips
 * prefixes for each on average. 0 or a negative errno of its parts.
 */
int peers_init(struct peers *peers, uint32_t max_installed, uint32_t allowed_ips);
void peers_destroy(struct peers *peers);

/* The key's slot, or KEY_INDEX_NONE. */
uint32_t peers_find(const struct peers *peers, const uint8_t key[static WIREGUARD_KEY_BYTES]);
const uint8_t *peers_key(const struct peers *peers, uint32_t slot);

/* Adds a peer that is not there yet, without allowed IPs; KEY_INDEX_NONE when there is no room. */
uint32_t peers_add(
	struct peers *peers, const uint8_t key[static WIREGUARD_KEY_BYTES], enum known_state state);
void peers_remove(struct peers *peers, uint32_t slot);

/* (Re)starts the life of a peer that pullgate installs: unconfirmed from now on. */
void peers_begin_installation(struct peers *peers, uint32_t slot, int64_t now_ms);
void peers_confirm(struct peers *peers, uint32_t slot);

void peers_set_load(struct peers *peers, uint32_t slot, uint32_t load);
void peers_set_stale(struct peers *peers, uint32_t slot, bool is_stale);

/* Whether the peer has just these allowed IPs, in whatever order. */
bool peers_has_allowed_ips(
	const struct peers *peers, uint32_t slot, const struct prefix *prefixes, uint32_t count);

/* Makes these its allowed IPs. 0, or -ENOSPC with none or some of them set. */
int peers_set_allowed_ips(
	struct peers *peers, uint32_t slot, const struct prefix *prefixes, uint32_t count);

#endif
