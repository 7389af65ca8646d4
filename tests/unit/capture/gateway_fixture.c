/* SPDX-License-Identifier: ISC */
/* A judge with a gateway's key and address, and clients. */
#include "gateway_fixture.h"

#include <net/if_arp.h>
#include <stdlib.h>

#include "tests/support/initiator.h"
#include "unit.h"

void make_party(struct party *party)
{
	crypto_box_keypair(party->public_key, party->private_key);
}

static void open_judge(struct gateway_fixture *fixture)
{
	struct message_local_addresses local = {.addresses.count = 2};

	local.addresses.item[0] = (struct address){.family = 4, .bytes = {192, 0, 2, 1}};
	local.addresses.item[1] =
		(struct address){.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	assert_int_equal(judge_init(&fixture->judge, &fixture->secrets, 100, 10, 20,
				 fixture->timestamps, fixture->timestamps_bytes),
		0);
	assert_false(judge_is_ready(&fixture->judge));
	assert_int_equal(judge_set_gateway(&fixture->judge, fixture->gateway.private_key,
				 FIXTURE_INTERFACE, FIXTURE_PORT),
		0);
	assert_false(judge_is_ready(&fixture->judge));
	judge_set_addresses(&fixture->judge, &local);
	assert_true(judge_is_ready(&fixture->judge));
}

void fixture_open(struct gateway_fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	make_party(&fixture->gateway);
	fixture->timestamps_bytes = timestamp_record_bytes(4096);
	fixture->timestamps = calloc(1, fixture->timestamps_bytes);
	assert_non_null(fixture->timestamps);
	open_judge(fixture);
}

void fixture_close(struct gateway_fixture *fixture)
{
	judge_free(&fixture->judge);
	free(fixture->timestamps);
}

void fixture_restart(struct gateway_fixture *fixture)
{
	judge_free(&fixture->judge);
	open_judge(fixture);
	assert_true(fixture->judge.timestamps.continued);
}

struct arrival initiation_from(const struct gateway_fixture *fixture, const struct party *client,
	uint32_t number, uint8_t host)
{
	static const uint8_t header[28] = {0x45, 0, 0, 176, 0, 0, 0x40, 0, 64, 17, 0, 0, 203, 0,
		113, 0, 192, 0, 2, 1, 40000 >> 8, 40000 & 0xff, FIXTURE_PORT >> 8,
		FIXTURE_PORT & 0xff, 0, 156};
	struct arrival arrival = {.bytes = 176,
		.from = {.sll_family = AF_PACKET,
			.sll_pkttype = PACKET_HOST,
			.sll_hatype = ARPHRD_ETHER,
			.sll_ifindex = FIXTURE_UPLINK}};
	uint8_t timestamp[TIMESTAMP_BYTES];

	memcpy(arrival.data, header, sizeof(header));
	arrival.data[15] = host;
	initiator_timestamp(timestamp, 1700000000 + number, 0);
	assert_int_equal(initiator_make(arrival.data + 28, client->private_key,
				 fixture->gateway.public_key, timestamp),
		0);
	return arrival;
}

struct arrival sent_from(const struct arrival *arrival, uint8_t host)
{
	struct arrival copy = *arrival;

	copy.data[15] = host;
	return copy;
}

enum judgement judge_arrival_at(struct gateway_fixture *fixture, const struct arrival *arrival,
	int64_t now_ms, struct key_demand **demand)
{
	struct key_demand *unwanted;
	bool from_known_source;
	enum judgement judgement = judge_arrival(&fixture->judge, arrival->data, arrival->bytes,
		&arrival->from, now_ms, &from_known_source);
	struct waiting waiting = {.packet = fixture->judge.packet};

	if (demand == NULL)
		demand = &unwanted;
	*demand = NULL;
	return judgement != JUDGEMENTS
		       ? judgement
		       : judge_initiation(&fixture->judge, &waiting, now_ms, demand);
}

void vouch_for(struct gateway_fixture *fixture, const struct party *client)
{
	static const uint8_t earlier[TIMESTAMP_BYTES];

	timestamp_record_keep(&fixture->judge.timestamps, client->public_key, earlier, 0);
}

void end_demand_of(struct gateway_fixture *fixture, const struct party *client,
	enum outcome_result result, uint64_t hold_ms, int64_t now_ms)
{
	struct message_outcome outcome = {.result = result, .hold_ms = hold_ms};
	struct key_demand *demand = NULL;

	memcpy(outcome.key, client->public_key, sizeof(outcome.key));
	while ((demand = key_table_next_demand(&fixture->judge.keys, demand)) != NULL) {
		if (memcmp(demand->key, client->public_key, sizeof(outcome.key)) == 0)
			break;
	}
	assert_non_null(demand);
	outcome.id = demand->id;
	assert_int_equal(judge_outcome(&fixture->judge, &outcome, now_ms), 0);
}
