/* SPDX-License-Identifier: ISC */
/*
 * Packets from the packet socket, parsed and judged by a gateway whose key is that of the recorded
 * vectors. The input is a sequence of packets, each with
 *   1 byte   how: FIX_MAC1, SEAL, OUTGOING, FOREIGN, and how long after the one before
 *   1 byte   what sll_ifindex is
 *   piece    the packet, from its IP header on
 *
 * Nobody guesses a mac1 or a seal, so the target makes them where `how` says so, from the packet's
 * own bytes: it holds the gateway's key. What it didn't make, and no client did, must not pass.
 */
#include "capture/judge.h"

#include <net/if_arp.h>
#include <sodium.h>
#include <string.h>

#include "capture/packet.h"
#include "installer/replay.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/initiator.h"
#include "tests/vectors/initiation_vectors.h"

enum { FIX_MAC1 = 1, SEAL = 2, OUTGOING = 4, FOREIGN = 8, LATER_SHIFT = 4 };
enum { INTERFACE = 7, PORT = 51820, PACKETS_MAX = 16, INITIATION_AT_IPV6 = 48 };

static struct judge judge;
static struct judge_secrets secrets;
static uint64_t timestamps[8192];
static int64_t now_ms = 1000000;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	struct message_local_addresses local = {.addresses.count = 2};

	(void)argument_count, (void)arguments;
	local.addresses.item[0] = (struct address){.family = 4, .bytes = {192, 0, 2, 1}};
	local.addresses.item[1] =
		(struct address){.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	FUZZ_CHECK(sodium_init() >= 0);
	FUZZ_CHECK(timestamp_record_bytes(8) <= sizeof(timestamps));
	FUZZ_CHECK(judge_init(&judge, &secrets, 100, 10, 20, timestamps,
			   timestamp_record_bytes(8)) == 0);
	FUZZ_CHECK(judge_set_gateway(&judge, initiation_vectors[0].gateway_private_key, INTERFACE,
			   PORT) == 0);
	judge_set_addresses(&judge, &local);
	FUZZ_CHECK(judge_is_ready(&judge));
	return 0;
}

/* Where the message begins if the packet is IPv4 or IPv6 with one behind its header; NULL if not. */
static uint8_t *find_message(uint8_t *packet, size_t length)
{
	size_t at = 0;

	if (length > 0 && packet[0] >> 4 == 4)
		at = (size_t)(packet[0] & 15) * 4 + 8;
	else if (length > 0 && packet[0] >> 4 == 6)
		at = INITIATION_AT_IPV6;
	return at > 0 && length >= at + WIREGUARD_INITIATION_BYTES ? packet + at : NULL;
}

static void share(uint8_t secret[static WIREGUARD_KEY_BYTES], const uint8_t *public_key)
{
	if (crypto_scalarmult(secret, secrets.gateway.private_key, public_key) != 0)
		memset(secret, 0, WIREGUARD_KEY_BYTES);
}

/* Seals what stands in the fields' places, as if a client had. Type and reserved bytes stay. */
static void seal(uint8_t *message, struct initiator_parts *parts)
{
	uint8_t sealed[WIREGUARD_INITIATION_BYTES];

	memset(parts, 0, sizeof(*parts));
	memcpy(&parts->sender_index, message + INITIATION_SENDER_AT, sizeof(parts->sender_index));
	memcpy(parts->ephemeral_key, message + INITIATION_EPHEMERAL_AT, WIREGUARD_KEY_BYTES);
	memcpy(parts->static_key, message + INITIATION_STATIC_AT, WIREGUARD_KEY_BYTES);
	memcpy(parts->timestamp, message + INITIATION_TIMESTAMP_AT, TIMESTAMP_BYTES);
	share(parts->ephemeral_secret, parts->ephemeral_key);
	share(parts->static_secret, parts->static_key);
	initiator_seal(sealed, secrets.gateway.public_key, parts);
	memcpy(message + INITIATION_SENDER_AT, sealed + INITIATION_SENDER_AT,
		INITIATION_MAC1_AT - INITIATION_SENDER_AT);
}

/* The vector whose message it is, up to mac1; NULL for none. */
static const struct initiation_vector *find_vector(const uint8_t *message)
{
	for (size_t i = 0; i < sizeof(initiation_vectors) / sizeof(initiation_vectors[0]); i++) {
		if (memcmp(initiation_vectors[i].message, message, INITIATION_MAC2_AT) == 0)
			return &initiation_vectors[i];
	}
	return NULL;
}

/* What the demand is sent with must lie in the message's limits, and in what a replay may be. */
static void check_demand_message(const struct key_demand *demand)
{
	static struct message message, again;
	struct addresses local = {.count = judge.local.addresses.count};
	uint8_t bytes[MESSAGE_BYTES_MAX], packet_bytes[REPLAY_IPV6_BYTES];
	struct packet packet;
	int length;

	memset(&message, 0, sizeof(message));
	message.type = MESSAGE_TYPE_DEMAND;
	message.demand.id = demand->id;
	memcpy(message.demand.key, demand->key, WIREGUARD_KEY_BYTES);
	message.demand.source = demand->packet.source;
	message.demand.source_port = demand->packet.source_port;
	message.demand.destination = demand->packet.destination;
	message.demand.destination_port = demand->packet.destination_port;
	message.demand.arrival_index = demand->packet.arrival_index;
	memcpy(message.demand.initiation, demand->packet.initiation, WIREGUARD_INITIATION_BYTES);
	length = message_encode(&message, bytes, sizeof(bytes));
	FUZZ_CHECK(length > 0 || demand->packet.arrival_index > INT32_MAX);
	FUZZ_CHECK(length < 0 || message_decode(&again, bytes, (size_t)length) == 0);
	memcpy(local.item, judge.local.addresses.item, local.count * sizeof(local.item[0]));
	if (replay_refusal(&message.demand, &local, PORT) != NULL)
		return;
	/* The replayed packet is the captured one, to whoever parses it. */
	FUZZ_CHECK(packet_parse(&packet, packet_bytes, replay_build(packet_bytes, &message.demand),
			   PACKET_HOST) == PACKET_OK);
	FUZZ_CHECK(address_equal(&packet.source, &demand->packet.source));
	FUZZ_CHECK(address_equal(&packet.destination, &demand->packet.destination));
	FUZZ_CHECK(packet.source_port == demand->packet.source_port);
	FUZZ_CHECK(packet.destination_port == PORT);
	FUZZ_CHECK(memcmp(packet.initiation, demand->packet.initiation,
			   WIREGUARD_INITIATION_BYTES) == 0);
}

/* What packet.h and judge.h say of a packet that became a demand. */
static void check_demand(const struct key_demand *demand, const uint8_t *message,
	const struct initiator_parts *parts)
{
	const struct initiation_vector *vector = find_vector(message);
	const struct packet *packet = &demand->packet;

	FUZZ_CHECK(memcmp(packet->initiation, message, WIREGUARD_INITIATION_BYTES) == 0);
	FUZZ_CHECK(fuzz_is_address(&packet->source) && fuzz_is_address(&packet->destination));
	FUZZ_CHECK(packet->source.family == packet->destination.family);
	FUZZ_CHECK(packet->destination_port == PORT && packet->source_port != 0);
	FUZZ_CHECK(packet->arrival_index != INTERFACE);
	/* Only whoever holds the key can have made it: a client, or we. */
	FUZZ_CHECK(vector != NULL || parts != NULL);
	if (parts != NULL) {
		FUZZ_CHECK(memcmp(demand->key, parts->static_key, WIREGUARD_KEY_BYTES) == 0);
		FUZZ_CHECK(memcmp(demand->timestamp, parts->timestamp, TIMESTAMP_BYTES) == 0);
		FUZZ_CHECK(!sodium_is_zero(parts->static_secret, WIREGUARD_KEY_BYTES));
		FUZZ_CHECK(!sodium_is_zero(parts->ephemeral_secret, WIREGUARD_KEY_BYTES));
	} else {
		FUZZ_CHECK(memcmp(demand->key, vector->initiator_public_key, WIREGUARD_KEY_BYTES) ==
			   0);
		FUZZ_CHECK(memcmp(demand->timestamp, vector->timestamp, TIMESTAMP_BYTES) == 0);
	}
	check_demand_message(demand);
}

static bool is_demand(enum judgement judgement)
{
	return judgement == JUDGED_DEMAND || judgement == JUDGED_DEMAND_AGAIN ||
	       judgement == JUDGED_DEMAND_REPLACED;
}

/* The pending demand's timestamp for a key; false without one. */
static bool find_pending(const uint8_t *key, uint8_t timestamp[static TIMESTAMP_BYTES])
{
	struct key_demand *demand = NULL;

	while ((demand = key_table_next_demand(&judge.keys, demand)) != NULL) {
		if (memcmp(demand->key, key, WIREGUARD_KEY_BYTES) != 0)
			continue;
		memcpy(timestamp, demand->timestamp, TIMESTAMP_BYTES);
		return true;
	}
	return false;
}

/* Both parts of the judgement, one after the other. */
static enum judgement judge_whole(const uint8_t *packet, size_t length,
	const struct sockaddr_ll *from, struct key_demand **demand)
{
	bool from_known_source;
	enum judgement judgement =
		judge_arrival(&judge, packet, length, from, now_ms, &from_known_source);
	struct waiting waiting = {.packet = judge.packet};

	*demand = NULL;
	if (judgement != JUDGEMENTS)
		return judgement;
	return judge_initiation(&judge, &waiting, now_ms, demand);
}

static void judge_one(struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input), before[TIMESTAMP_BYTES];
	struct sockaddr_ll from = {.sll_family = AF_PACKET,
		.sll_ifindex = fuzz_byte(input),
		.sll_pkttype = (how & OUTGOING) != 0 ? PACKET_OUTGOING : PACKET_HOST,
		.sll_hatype = (how & FOREIGN) != 0 ? ARPHRD_LOOPBACK : ARPHRD_ETHER};
	size_t length;
	uint8_t *packet = fuzz_piece(input, &length), *message = find_message(packet, length);
	struct initiator_parts parts;
	struct key_demand *demand;
	enum judgement judgement;
	bool is_sealed = message != NULL && (how & SEAL) != 0, was_pending = false;

	if (is_sealed) {
		seal(message, &parts);
		was_pending = find_pending(parts.static_key, before);
	}
	if (message != NULL && (how & FIX_MAC1) != 0)
		initiator_set_mac1(message, secrets.gateway.public_key);
	now_ms += (int64_t)(how >> LATER_SHIFT) * 400;
	judgement = judge_whole(packet, length, &from, &demand);
	FUZZ_CHECK(judgement < JUDGEMENTS);
	FUZZ_CHECK(is_demand(judgement) == (demand != NULL));
	FUZZ_CHECK(
		sodium_is_zero((const uint8_t *)&secrets.initiation, sizeof(secrets.initiation)));
	FUZZ_CHECK(sodium_is_zero(secrets.static_secret, sizeof(secrets.static_secret)));
	if (demand != NULL) {
		FUZZ_CHECK((how & (OUTGOING | FOREIGN)) == 0);
		check_demand(demand, message, is_sealed ? &parts : NULL);
		/* A pending demand gives way to a later initiation alone. */
		if (was_pending)
			FUZZ_CHECK(memcmp(demand->timestamp, before, TIMESTAMP_BYTES) > 0);
	}
	free(packet);
}

/* Every demand ends, every second one as installed; then the table and the clock are as if new. */
static void forget(void)
{
	struct key_demand *demand;

	for (unsigned i = 0; (demand = key_table_next_demand(&judge.keys, NULL)) != NULL; i++) {
		struct message_outcome outcome = {.id = demand->id,
			.result = i % 2 == 0 ? OUTCOME_FAILED : OUTCOME_INSTALLED};

		memcpy(outcome.key, demand->key, WIREGUARD_KEY_BYTES);
		FUZZ_CHECK(judge_outcome(&judge, &outcome, now_ms) == 0);
	}
	FUZZ_CHECK(judge.keys.pending == 0);
	key_table_forget_known(&judge.keys);
	key_table_forget_refusals(&judge.keys);
	FUZZ_CHECK(judge.keys.count[KEY_INSTALLED] == 0);
	memset(timestamps, 0, sizeof(timestamps));
	FUZZ_CHECK(timestamp_record_attach(
			   &judge.timestamps, timestamps, timestamp_record_bytes(8)) == 0);
	now_ms += 3600 * 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	for (int i = 0; i < PACKETS_MAX && input.left > 0; i++)
		judge_one(&input);
	forget();
	return 0;
}
