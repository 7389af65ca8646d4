/* SPDX-License-Identifier: ISC */
/*
 * What capture knows of each static key: how it stands with the kernel and the origin, and the
 * demand that is pending for it.
 *
 * How a key stands:
 *   installed  pullgate put it into the kernel
 *   static     the operator did
 *   negative   the origin or the policy refused it; not asked again for a while
 *   unknown    none of these; not in the table unless a demand is pending
 *
 * `installed` and `static` are hints: what the kernel holds can change behind pullgate's back. A
 * second, newer initiation of such a key within KEY_ANSWER_MS means that the kernel doesn't answer,
 * and becomes a demand. The first one after an installation is none: where nothing is replayed
 * (connect = retry), or the replay's answer was lost, it is the one that the kernel answers. When such
 * a demand is refused, others are held back for the refusal's time, but the key stays what it is, for
 * the kernel holds it all the same.
 *
 * A pending demand holds the newest packet, for a client's retry makes its earlier ones worthless.
 * While it is pending the origin isn't asked again, except by a retry that comes so late that the
 * question or its answer must have been lost.
 *
 * Everybody can make keys, each worth a request to the origin. So the demands of strangers, keys that
 * nobody has vouched for, have a limit of their own, far below what would fill the queues of those
 * behind us. And they give way: the fetcher asks about the newest first, so if a stranger's demand
 * began for each that ends, it would always be newer than that of a client that we know. Once there
 * are many strangers, or more than a few beside others, none begins until they are few and nobody
 * else waits, or there are none.
 *
 * All memory is taken by key_table_init. What happens when a kind is full:
 *   pending    the new demand is refused; the client's retry may find room
 *   negative   the one that was made longest ago is forgotten, and costs a request if it comes back
 *   installed, static: not kept, and the key's next initiation becomes a demand, which changes
 *              nothing when the kernel has the key
 * The hash is SipHash-2-4 with a random key, so nobody can choose keys that collide.
 */
#ifndef PULLGATE_KEY_TABLE_H
#define PULLGATE_KEY_TABLE_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/initiation.h"
#include "capture/packet.h"

enum {
	KEY_ANSWER_MS = 30000,   /* a second initiation within it: the kernel doesn't answer */
	KEY_ASK_AGAIN_MS = 4500, /* shorter than a client's retry, 5 s and up to 1/3 s more */
};

enum key_standing { KEY_UNKNOWN, KEY_INSTALLED, KEY_STATIC, KEY_NEGATIVE, KEY_STANDINGS };

struct key_table_limits {
	uint32_t installed, fixed, negative, pending; /* greatest numbers; `fixed` of static keys */
	uint32_t strangers; /* of the pending ones; an eighth of it is a few */
	uint32_t buckets;   /* of the hash; 0: as many as suit, others are for tests */
	int64_t pending_ms; /* a demand is given up so long after its newest packet */
};

struct key_demand {
	uint64_t id;
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint8_t timestamp[TIMESTAMP_BYTES]; /* of `packet` */
	struct packet packet;
	int64_t renewed_ms; /* when `packet` came */
	int64_t asked_ms;   /* when the origin was last asked */
	/* What has yet to be sent for it: set here, cleared (or set again) by whoever sends. */
	bool owes_demand, owes_lookup;
	bool is_stranger;
	uint32_t entry; /* key_table's own, like the next two */
	uint32_t older, newer;
};

enum key_verdict {
	KEY_DONE,           /* the kernel answers it */
	KEY_HELD,           /* negative */
	KEY_REPLAY,         /* not newer than the one that is pending */
	KEY_REFUSED,        /* too many demands are pending */
	KEY_CROWDED,        /* too many of strangers are */
	KEY_DEMAND,         /* a new demand: send DEMAND and LOOKUP */
	KEY_DEMAND_AGAIN,   /* asked too long ago: send both again, with the same id */
	KEY_DEMAND_REPLACE, /* another packet: send DEMAND again, with the same id */
};

struct key_entry;

struct key_list {
	uint32_t oldest, newest;
};

struct key_table {
	struct key_entry *entries;
	struct key_demand *demands;
	uint32_t *buckets;
	uint32_t entry_count, bucket_count;
	uint32_t free_entry, free_demand;   /* given back */
	uint32_t fresh_entry, fresh_demand; /* and behind these, never used */
	uint32_t count[KEY_STANDINGS];      /* of entries by standing; [KEY_UNKNOWN] isn't used */
	uint32_t limit[KEY_STANDINGS];
	uint32_t pending, pending_limit;            /* demands */
	uint32_t strangers, stranger_limit;         /* of them */
	bool is_crowded;                            /* no stranger's demand may begin */
	struct key_list demand_list, negative_list; /* in the order they were made */
	int64_t pending_ms;
	uint64_t next_id;
	uint64_t recycled; /* negative keys forgotten for others */
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

/* -EINVAL for a limit of zero or 2^28 and more, or a pending_ms that isn't positive; -ENOMEM. */
int key_table_init(struct key_table *table, const struct key_table_limits *limits);
void key_table_free(struct key_table *table);

/* How the key stands; a negative one whose time is over is unknown. */
enum key_standing key_table_standing(
	struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES], int64_t now_ms);

/*
 * Judges a verified initiation whose timestamp is no replay by the timestamp record; `is_stranger`
 * says that nobody vouched for the key. For the KEY_DEMAND verdicts *demand is the pending demand,
 * valid until the next call; else it is NULL. A new demand's id is unique to this table; ids of
 * different tables hardly meet.
 */
enum key_verdict key_table_initiation(struct key_table *table,
	const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t timestamp[static TIMESTAMP_BYTES], bool is_stranger,
	const struct packet *packet, int64_t now_ms, struct key_demand **demand);

/*
 * Ends the demand `id` of that key and sets how the key now stands; `hold_ms` is for how long it is
 * negative, and a negative one with 0 is unknown; an installed or static key stays that when it is
 * refused, and is only held. `ended` becomes a copy of the demand. -ESRCH when no such demand is
 * pending: then only "installed" is taken over, for it says what the kernel holds, while a late
 * refusal must not overtake a newer answer.
 */
int key_table_outcome(struct key_table *table, uint64_t id,
	const uint8_t key[static WIREGUARD_KEY_BYTES], enum key_standing standing, int64_t hold_ms,
	int64_t now_ms, struct key_demand *ended);

/* Notes that the kernel holds the key. -ENOSPC: too many, not kept. -EINVAL: not such a standing.
 */
int key_table_known(struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES],
	enum key_standing standing);

/* Notes that the kernel no longer holds the key; a pending demand stays. */
void key_table_removed(struct key_table *table, const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* Forgets all that is installed or static, for a whole new list of them. */
void key_table_forget_known(struct key_table *table);

/* Forgets who was refused: the origin or the policy may be another one now. */
void key_table_forget_refusals(struct key_table *table);

/* Gives up demands whose newest packet is older than pending_ms; returns how many. */
size_t key_table_expire(struct key_table *table, int64_t now_ms);

/*
 * Walks the pending demands, the one renewed longest ago first: NULL begins, NULL ends. The table
 * must stay as it is.
 */
struct key_demand *key_table_next_demand(
	const struct key_table *table, const struct key_demand *demand);

#endif
