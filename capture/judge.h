/* SPDX-License-Identifier: ISC */
/*
 * What becomes of a captured packet: every check in its order, the cheap ones first, until it is
 * dropped, is the kernel's own business, or is a demand.
 *
 *     judge_arrival:
 *     parse, arrival, addresses       packet.h
 *     mac1                            initiation.h     made for this gateway at all?
 *     copies merged                   recent_copies.h
 *     the source's own limit          source_limit.h
 *     known source                    known_sources.h  which of two ways to wait?
 *
 *     judge_initiation, when its turn has come (schedule.h):
 *     first Diffie-Hellman            initiation.h     who does it claim to be?
 *     negative and fresh              key_table.h
 *     second Diffie-Hellman           initiation.h     proof, and the timestamp
 *     replayed, a stranger            timestamp_record.h
 *     installed, pending, new         key_table.h
 *
 * Nothing leaves capture for a packet that doesn't pass them all.
 */
#ifndef PULLGATE_JUDGE_H
#define PULLGATE_JUDGE_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/backlog.h"
#include "capture/initiation.h"
#include "capture/key_table.h"
#include "capture/known_sources.h"
#include "capture/packet.h"
#include "capture/recent_copies.h"
#include "capture/source_limit.h"
#include "capture/timestamp_record.h"
#include "common/message.h"

/* Every verdict and its name in logs. */
#define JUDGEMENT_TABLE(J)                                                                  \
	J(OTHER_HOST, "other_host")                                                         \
	J(MALFORMED, "malformed")                                                           \
	J(UNSUPPORTED, "unsupported")                                                       \
	J(OTHER_KIND, "other_kind")                                                         \
	J(BAD_ADDRESS, "bad_address")                                                       \
	J(OWN_INTERFACE, "own_interface") /* by the gateway's own interface, or lo */       \
	J(OTHER_PORT, "other_port")       /* not to the listen port */                      \
	J(NOT_LOCAL, "not_local")         /* not to an address of this host */              \
	J(FROM_LOCAL, "from_local")       /* from an address of this host */                \
	J(BAD_MAC1, "bad_mac1")           /* not made for this gateway's key */             \
	J(COPY, "copy")                   /* seen before */                                 \
	J(OVER_LIMIT, "over_limit")       /* more than its source may */                    \
	J(LOW_ORDER_EPHEMERAL, "low_order_ephemeral")                                       \
	J(BAD_STATIC, "bad_static") /* the static key's seal is wrong */                    \
	J(NEGATIVE, "negative")     /* the key was refused lately */                        \
	J(LOW_ORDER_STATIC, "low_order_static")                                             \
	J(BAD_TIMESTAMP, "bad_timestamp")     /* the sender doesn't hold the static key */  \
	J(REPLAY, "replay")                   /* not newer than what was seen of the key */ \
	J(REFUSED, "refused")                 /* too many demands are pending */            \
	J(STRANGER, "stranger")               /* too many that nobody vouched for are */    \
	J(ANSWERED, "answered")               /* the kernel answers it */                   \
	J(DEMAND, "demand")                   /* a new demand */                            \
	J(DEMAND_AGAIN, "demand_again")       /* the pending demand, to be asked again */   \
	J(DEMAND_REPLACED, "demand_replaced") /* the pending demand, with this packet */

enum judgement {
#define JUDGEMENT_ENUM(NAME, name) JUDGED_##NAME,
	JUDGEMENT_TABLE(JUDGEMENT_ENUM)
#undef JUDGEMENT_ENUM
		JUDGEMENTS,
};

/* What holds secrets; the caller keeps it in locked memory. */
struct judge_secrets {
	struct gateway gateway;
	struct initiation initiation;               /* of the packet under judgement */
	uint8_t static_secret[WIREGUARD_KEY_BYTES]; /* of the same */
};

struct judge {
	struct judge_secrets *secrets;
	bool has_gateway, has_addresses;
	uint32_t interface_index;
	uint16_t listen_port;
	struct message_local_addresses local;
	struct recent_copies copies;
	struct source_limit sources;
	struct known_sources known_sources;
	struct key_table keys;
	struct timestamp_record timestamps;
	struct packet packet; /* judged last; its source's family is 0 where it didn't parse */
	uint64_t count[JUDGEMENTS];
};

/*
 * Takes all memory that judging ever needs, sized for `max_peers` installed peers; `secrets` and the
 * memory of `timestamps`, for timestamp_record_attach, stay the caller's. -EINVAL: a limit that
 * isn't one, or memory that doesn't do; -ENOMEM.
 */
int judge_init(struct judge *judge, struct judge_secrets *secrets, uint32_t max_peers,
	uint32_t per_source_rate, uint32_t per_source_burst, void *timestamps,
	size_t timestamps_bytes);
void judge_free(struct judge *judge);

/* Whose responder it is. -EINVAL: no such private key; the gateway from before is then gone too. */
int judge_set_gateway(struct judge *judge, const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	uint32_t interface_index, uint16_t listen_port);
void judge_set_addresses(struct judge *judge, const struct message_local_addresses *local);

/* Whether both are known; before, packets must be left where they are. */
bool judge_is_ready(const struct judge *judge);

/*
 * Judges what can be judged without curve work of one packet, which begins at its IP header; `from`
 * is what the packet socket told beside it. JUDGEMENTS: nothing speaks against it, and judge->packet
 * is to be judged by judge_initiation; *from_known_source then says whose turn it is. Counts the
 * others. Must not be called before judge_is_ready.
 */
enum judgement judge_arrival(struct judge *judge, const uint8_t *data, size_t bytes,
	const struct sockaddr_ll *from, int64_t now_ms, bool *from_known_source);

/*
 * Judges and counts a packet that has passed judge_arrival. For the DEMAND judgements *demand is the
 * pending demand, valid until the next call into judge.h or key_table.h; else NULL. After
 * JUDGED_STRANGER `waiting` has key and timestamp too, for judge_stranger.
 */
enum judgement judge_initiation(
	struct judge *judge, struct waiting *waiting, int64_t now_ms, struct key_demand **demand);

/* Judges and counts a stranger's initiation once more, when judge_has_room. */
enum judgement judge_stranger(struct judge *judge, const struct waiting *waiting, int64_t now_ms,
	struct key_demand **demand);

/* Whether a stranger's demand can begin. */
bool judge_has_room(const struct judge *judge);

/*
 * Takes over how a demand ended. A key that was installed has its timestamp kept from now on, and
 * its source is known: the origin vouched for it. -ESRCH: no such demand is pending
 * (key_table_outcome).
 */
int judge_outcome(struct judge *judge, const struct message_outcome *outcome, int64_t now_ms);

/* Never NULL. */
const char *judgement_name(enum judgement judgement);

#endif
