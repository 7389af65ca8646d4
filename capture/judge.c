/* SPDX-License-Identifier: ISC */
/* What becomes of a captured packet. */
#include "capture/judge.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

enum {
	/*
	 * Longer than a redirected replay of the same packet can take, which comes when the origin
	 * has answered; a client's packet lives no longer than that in the network either.
	 */
	COPIES_KEEP_MS = 10000,
	COPIES_MAX = 65536,
	SOURCES_MAX = 65536,
	/* A client that was away for the night is where it was. */
	KNOWN_SOURCES_KEEP_MS = 24 * 3600 * 1000,
	KNOWN_SOURCES_MIN = 65536,
	/* As many as the installer has tickets; some 5 MB when all are used. */
	PENDING_MAX = 16384,
	/* A time-out of the origin, retries and a restarted process lie well within it. */
	PENDING_MS = 15000,
	/* More than an origin is asked at a time by default, and less than a channel holds (167). */
	STRANGERS_MAX = 128,
	NEGATIVE_MAX = 65536,
	STATIC_MAX = 65536,
	PEERS_MAX = 1 << 20, /* the kernel's own limit (drivers/net/wireguard/messages.h) */
};

/* As many as are installed, and as many that were evicted. */
static size_t known_sources_max(uint32_t max_peers)
{
	size_t keys = (size_t)max_peers * 2;

	return keys > KNOWN_SOURCES_MIN ? keys : KNOWN_SOURCES_MIN;
}

int judge_init(struct judge *judge, struct judge_secrets *secrets, uint32_t max_peers,
	uint32_t per_source_rate, uint32_t per_source_burst, void *timestamps,
	size_t timestamps_bytes)
{
	const struct key_table_limits limits = {
		.installed = max_peers + PENDING_MAX, /* some wait for their eviction */
		.fixed = STATIC_MAX,
		.negative = NEGATIVE_MAX,
		.pending = PENDING_MAX,
		.pending_ms = PENDING_MS,
		.strangers = STRANGERS_MAX,
	};
	int error;

	memset(judge, 0, sizeof(*judge));
	judge->secrets = secrets;
	if (max_peers > PEERS_MAX)
		return -EINVAL;
	error = recent_copies_init(&judge->copies, COPIES_MAX, COPIES_KEEP_MS);
	if (error == 0)
		error = source_limit_init(
			&judge->sources, SOURCES_MAX, per_source_rate, per_source_burst);
	if (error == 0)
		error = known_sources_init(
			&judge->known_sources, known_sources_max(max_peers), KNOWN_SOURCES_KEEP_MS);
	if (error == 0)
		error = key_table_init(&judge->keys, &limits);
	if (error == 0)
		error = timestamp_record_attach(&judge->timestamps, timestamps, timestamps_bytes);
	if (error != 0)
		judge_free(judge);
	return error;
}

void judge_free(struct judge *judge)
{
	explicit_bzero(judge->secrets, sizeof(*judge->secrets));
	recent_copies_free(&judge->copies);
	source_limit_free(&judge->sources);
	known_sources_free(&judge->known_sources);
	key_table_free(&judge->keys);
	memset(judge, 0, sizeof(*judge));
}

int judge_set_gateway(struct judge *judge, const uint8_t private_key[static WIREGUARD_KEY_BYTES],
	uint32_t interface_index, uint16_t listen_port)
{
	int error = gateway_init(&judge->secrets->gateway, private_key);

	judge->has_gateway = error == 0;
	judge->interface_index = interface_index;
	judge->listen_port = listen_port;
	return error;
}

void judge_set_addresses(struct judge *judge, const struct message_local_addresses *local)
{
	judge->local = *local;
	judge->has_addresses = true;
}

bool judge_is_ready(const struct judge *judge)
{
	return judge->has_gateway && judge->has_addresses;
}

static bool is_local(const struct judge *judge, const struct address *address)
{
	for (uint32_t i = 0; i < judge->local.addresses.count; i++) {
		if (address_equal(&judge->local.addresses.item[i], address))
			return true;
	}
	return false;
}

static enum judgement judgement_of_verdict(enum packet_verdict verdict)
{
	switch (verdict) {
	case PACKET_OTHER_HOST:
		return JUDGED_OTHER_HOST;
	case PACKET_UNSUPPORTED:
		return JUDGED_UNSUPPORTED;
	case PACKET_OTHER_KIND:
		return JUDGED_OTHER_KIND;
	case PACKET_BAD_ADDRESS:
		return JUDGED_BAD_ADDRESS;
	default:
		return JUDGED_MALFORMED;
	}
}

/* What needs no cryptography. JUDGEMENTS: passed. */
static enum judgement judge_addresses(
	const struct judge *judge, const struct packet *packet, const struct sockaddr_ll *from)
{
	if (packet->arrival_index == judge->interface_index || from->sll_hatype == ARPHRD_LOOPBACK)
		return JUDGED_OWN_INTERFACE;
	if (packet->destination_port != judge->listen_port)
		return JUDGED_OTHER_PORT;
	if (!is_local(judge, &packet->destination))
		return JUDGED_NOT_LOCAL;
	if (is_local(judge, &packet->source))
		return JUDGED_FROM_LOCAL;
	return JUDGEMENTS;
}

/* What needs no curve work. JUDGEMENTS: passed. */
static enum judgement judge_cheaply(
	struct judge *judge, const struct sockaddr_ll *from, int64_t now_ms)
{
	const struct packet *packet = &judge->packet;
	enum judgement judgement = judge_addresses(judge, packet, from);

	if (judgement != JUDGEMENTS)
		return judgement;
	if (initiation_check_mac1(&judge->secrets->gateway, packet->initiation) != 0)
		return JUDGED_BAD_MAC1;
	if (recent_copies_check(&judge->copies, packet, now_ms))
		return JUDGED_COPY;
	if (!source_limit_take(&judge->sources, &packet->source, now_ms))
		return JUDGED_OVER_LIMIT;
	return JUDGEMENTS;
}

enum judgement judge_arrival(struct judge *judge, const uint8_t *data, size_t bytes,
	const struct sockaddr_ll *from, int64_t now_ms, bool *from_known_source)
{
	enum packet_verdict verdict;
	enum judgement judgement;

	judge->packet.source.family = 0;
	verdict = packet_parse(&judge->packet, data, bytes, from->sll_pkttype);
	judge->packet.arrival_index = (uint32_t)from->sll_ifindex;
	judgement = verdict == PACKET_OK ? judge_cheaply(judge, from, now_ms)
					 : judgement_of_verdict(verdict);
	if (judgement == JUDGEMENTS)
		*from_known_source =
			known_sources_check(&judge->known_sources, &judge->packet.source, now_ms);
	else
		judge->count[judgement]++;
	return judgement;
}

/* The first Diffie-Hellman and what it shows. JUDGEMENTS: passed. */
static enum judgement judge_claim(struct judge *judge, const struct packet *packet, int64_t now_ms)
{
	struct judge_secrets *secrets = judge->secrets;
	int error;

	error = initiation_open_static(&secrets->initiation, &secrets->gateway, packet->initiation);
	if (error != 0)
		return error == -EKEYREJECTED ? JUDGED_LOW_ORDER_EPHEMERAL : JUDGED_BAD_STATIC;
	if (key_table_standing(&judge->keys, secrets->initiation.static_key, now_ms) ==
		KEY_NEGATIVE)
		return JUDGED_NEGATIVE;
	return JUDGEMENTS;
}

/* The second Diffie-Hellman. JUDGEMENTS: the sender holds the key. */
static enum judgement judge_proof(struct judge *judge, const struct packet *packet)
{
	struct judge_secrets *secrets = judge->secrets;
	struct initiation *initiation = &secrets->initiation;

	if (initiation_static_secret(
		    secrets->static_secret, &secrets->gateway, initiation->static_key) != 0)
		return JUDGED_LOW_ORDER_STATIC;
	if (initiation_open_timestamp(initiation, packet->initiation, secrets->static_secret) != 0)
		return JUDGED_BAD_TIMESTAMP;
	return JUDGEMENTS;
}

/*
 * Records what was proven; returns whether somebody has vouched for the key. One that the kernel
 * holds has a record for its re-handshakes, which could be replayed once it is evicted; others only
 * if they had one: self-made keys must not fill it. The same goes for where they come from.
 */
static bool record_proven(struct judge *judge, const struct waiting *proven, int64_t now_ms)
{
	enum key_standing standing = key_table_standing(&judge->keys, proven->key, now_ms);

	if (standing != KEY_INSTALLED && standing != KEY_STATIC)
		return timestamp_record_raise(
			&judge->timestamps, proven->key, proven->timestamp, now_ms);
	timestamp_record_keep(&judge->timestamps, proven->key, proven->timestamp, now_ms);
	known_sources_note(&judge->known_sources, proven->key, &proven->packet.source, now_ms);
	return true;
}

static enum judgement judge_proven(struct judge *judge, const struct waiting *proven,
	int64_t now_ms, struct key_demand **demand)
{
	bool is_vouched_for;

	if (timestamp_record_is_replay(&judge->timestamps, proven->key, proven->timestamp))
		return JUDGED_REPLAY;
	is_vouched_for = record_proven(judge, proven, now_ms);
	switch (key_table_initiation(&judge->keys, proven->key, proven->timestamp, !is_vouched_for,
		&proven->packet, now_ms, demand)) {
	case KEY_DONE:
		return JUDGED_ANSWERED;
	case KEY_HELD:
		return JUDGED_NEGATIVE;
	case KEY_REPLAY:
		return JUDGED_REPLAY;
	case KEY_CROWDED:
		return JUDGED_STRANGER;
	case KEY_DEMAND:
		return JUDGED_DEMAND;
	case KEY_DEMAND_AGAIN:
		return JUDGED_DEMAND_AGAIN;
	case KEY_DEMAND_REPLACE:
		return JUDGED_DEMAND_REPLACED;
	default:
		return JUDGED_REFUSED;
	}
}

enum judgement judge_initiation(
	struct judge *judge, struct waiting *waiting, int64_t now_ms, struct key_demand **demand)
{
	const struct initiation *initiation = &judge->secrets->initiation;
	enum judgement judgement = judge_claim(judge, &waiting->packet, now_ms);

	*demand = NULL;
	if (judgement == JUDGEMENTS)
		judgement = judge_proof(judge, &waiting->packet);
	if (judgement == JUDGEMENTS) {
		memcpy(waiting->key, initiation->static_key, sizeof(waiting->key));
		memcpy(waiting->timestamp, initiation->timestamp, sizeof(waiting->timestamp));
		judgement = judge_proven(judge, waiting, now_ms, demand);
	}
	initiation_wipe(&judge->secrets->initiation);
	explicit_bzero(judge->secrets->static_secret, sizeof(judge->secrets->static_secret));
	judge->count[judgement]++;
	return judgement;
}

enum judgement judge_stranger(struct judge *judge, const struct waiting *waiting, int64_t now_ms,
	struct key_demand **demand)
{
	enum judgement judgement;

	*demand = NULL;
	judgement = judge_proven(judge, waiting, now_ms, demand);
	judge->count[judgement]++;
	return judgement;
}

bool judge_has_room(const struct judge *judge)
{
	return !judge->keys.is_crowded;
}

int judge_outcome(struct judge *judge, const struct message_outcome *outcome, int64_t now_ms)
{
	bool installed = outcome->result == OUTCOME_INSTALLED;
	struct key_demand ended;
	int error = key_table_outcome(&judge->keys, outcome->id, outcome->key,
		installed ? KEY_INSTALLED : KEY_NEGATIVE, (int64_t)outcome->hold_ms, now_ms,
		&ended);

	if (error == 0 && installed) {
		timestamp_record_keep(&judge->timestamps, ended.key, ended.timestamp, now_ms);
		known_sources_note(&judge->known_sources, ended.key, &ended.packet.source, now_ms);
	}
	return error;
}

const char *judgement_name(enum judgement judgement)
{
	static const char *const names[] = {
#define JUDGEMENT_NAME(NAME, name) name,
		JUDGEMENT_TABLE(JUDGEMENT_NAME)
#undef JUDGEMENT_NAME
	};

	return judgement < JUDGEMENTS ? names[judgement] : "unknown";
}
