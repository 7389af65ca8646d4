/* SPDX-License-Identifier: ISC */
/* What becomes of a packet: the whole way, and each place where it can end. */
#include "unit.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdlib.h>

#include "gateway_fixture.h"
#include "tests/support/initiator.h"

static struct gateway_fixture fixture;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&fixture);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fixture);
	return 0;
}

static enum judgement judge_at(const struct arrival *arrival, int64_t now_ms)
{
	return judge_arrival_at(&fixture, arrival, now_ms, NULL);
}

static void test_first_packet_is_a_demand(void **state)
{
	struct party client;
	struct arrival arrival;
	struct key_demand *demand;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_arrival_at(&fixture, &arrival, 1000, &demand), JUDGED_DEMAND);
	assert_memory_equal(demand->key, client.public_key, 32);
	assert_memory_equal(demand->packet.initiation, arrival.data + 28, 148);
	assert_int_equal(demand->packet.source.bytes[3], 9);
	assert_int_equal(demand->packet.source_port, 40000);
	assert_int_equal(demand->packet.destination_port, FIXTURE_PORT);
	assert_int_equal(demand->packet.arrival_index, FIXTURE_UPLINK);
	assert_int_equal(fixture.judge.count[JUDGED_DEMAND], 1);
}

/* Whatever the judgement, no secret of the packet is left in the judge. */
static void check_wiped(void)
{
	assert_zeroed(&fixture.secrets.initiation, sizeof(fixture.secrets.initiation));
	assert_zeroed(fixture.secrets.static_secret, sizeof(fixture.secrets.static_secret));
}

static void test_secrets_are_wiped(void **state)
{
	struct party client;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	check_wiped();
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_REPLAY);
	check_wiped();
	end_demand_of(&fixture, &client, OUTCOME_ABSENT, 3000, 0);
	arrival = initiation_from(&fixture, &client, 3, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_NEGATIVE);
	check_wiped();
}

static void test_arrival(void **state)
{
	struct party client;
	struct arrival arrival, other;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);

	other = arrival;
	other.from.sll_pkttype = PACKET_OTHERHOST;
	assert_int_equal(judge_at(&other, 0), JUDGED_OTHER_HOST);
	other = arrival;
	other.from.sll_ifindex = FIXTURE_INTERFACE;
	assert_int_equal(judge_at(&other, 0), JUDGED_OWN_INTERFACE);
	other = arrival;
	other.from.sll_hatype = ARPHRD_LOOPBACK;
	assert_int_equal(judge_at(&other, 0), JUDGED_OWN_INTERFACE);
	other = arrival;
	other.data[23]++;
	assert_int_equal(judge_at(&other, 0), JUDGED_OTHER_PORT);
	other = arrival;
	other.data[19]++;
	assert_int_equal(judge_at(&other, 0), JUDGED_NOT_LOCAL);
	other = arrival;
	memcpy(other.data + 12, other.data + 16, 4);
	assert_int_equal(judge_at(&other, 0), JUDGED_FROM_LOCAL);
	other = arrival;
	other.bytes--;
	assert_int_equal(judge_at(&other, 0), JUDGED_MALFORMED);
	other = arrival;
	other.data[9] = 6;
	assert_int_equal(judge_at(&other, 0), JUDGED_UNSUPPORTED);
	other = arrival;
	other.data[28] = 2;
	assert_int_equal(judge_at(&other, 0), JUDGED_OTHER_KIND);
	other = sent_from(&arrival, 9);
	other.data[12] = 127;
	assert_int_equal(judge_at(&other, 0), JUDGED_BAD_ADDRESS);
	/* None of them stood in the way of the packet itself. */
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
}

/* Each sealed or hashed part spoilt, with mac1 made anew where it would hide the rest. */
static void test_spoilt_messages(void **state)
{
	static const struct {
		size_t at;
		enum judgement judgement;
	} cases[] = {
		{INITIATION_EPHEMERAL_AT, JUDGED_BAD_STATIC},
		{INITIATION_STATIC_AT, JUDGED_BAD_STATIC},
		{INITIATION_TIMESTAMP_AT, JUDGED_BAD_TIMESTAMP},
	};
	struct party client;
	struct arrival arrival, other;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	for (size_t i = 0; i < COUNT(cases); i++) {
		other = arrival;
		other.data[28 + cases[i].at] ^= 1;
		assert_int_equal(judge_at(&other, 0), JUDGED_BAD_MAC1);
		initiator_set_mac1(other.data + 28, fixture.gateway.public_key);
		assert_int_equal(judge_at(&other, 0), cases[i].judgement);
		check_wiped();
	}
	assert_int_equal(fixture.judge.keys.pending, 0);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
}

static void test_low_order_keys(void **state)
{
	static const uint8_t zero[32];
	struct party client;
	struct initiator_parts parts;
	struct arrival arrival;
	uint8_t timestamp[12] = {0x40};

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(initiator_prepare(
				 &parts, client.private_key, fixture.gateway.public_key, timestamp),
		0);
	memcpy(parts.static_key, zero, 32);
	memcpy(parts.static_secret, zero, 32);
	initiator_seal(arrival.data + 28, fixture.gateway.public_key, &parts);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_LOW_ORDER_STATIC);
	check_wiped();
	memcpy(parts.ephemeral_key, zero, 32);
	memcpy(parts.ephemeral_secret, zero, 32);
	initiator_seal(arrival.data + 28, fixture.gateway.public_key, &parts);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_LOW_ORDER_EPHEMERAL);
	check_wiped();
	assert_int_equal(fixture.judge.keys.pending, 0);
}

static void test_copies_are_merged(void **state)
{
	struct party client;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	arrival.from.sll_ifindex++;
	for (int i = 0; i < 50; i++)
		assert_int_equal(judge_at(&arrival, i), JUDGED_COPY);
	/* They cost their source nothing. */
	arrival = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&arrival, 50), JUDGED_DEMAND_REPLACED);
}

/* A wrong mac1 neither is remembered as seen nor costs its source anything. */
static void test_junk_leaves_nothing(void **state)
{
	struct party client;
	struct arrival arrival, junk;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	junk = arrival;
	junk.data[28 + INITIATION_MAC1_AT] ^= 1;
	for (int i = 0; i < 100; i++)
		assert_int_equal(judge_at(&junk, 0), JUDGED_BAD_MAC1);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
}

static void test_source_limit(void **state)
{
	struct party client;
	struct arrival arrival;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		make_party(&client);
		arrival = initiation_from(&fixture, &client, 1, 9);
		assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	}
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_OVER_LIMIT);
	arrival = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&arrival, 99), JUDGED_OVER_LIMIT);
	arrival = sent_from(&arrival, 10);
	assert_int_equal(judge_at(&arrival, 99), JUDGED_DEMAND);
	arrival = initiation_from(&fixture, &client, 3, 9);
	assert_int_equal(judge_at(&arrival, 100), JUDGED_DEMAND_REPLACED);
}

static void test_replay_while_pending(void **state)
{
	struct party client;
	struct arrival first, second;

	(void)state;
	make_party(&client);
	first = initiation_from(&fixture, &client, 1, 9);
	second = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&second, 0), JUDGED_DEMAND);
	first = sent_from(&first, 66);
	assert_int_equal(judge_at(&first, 10), JUDGED_REPLAY);
	second = sent_from(&second, 66);
	assert_int_equal(judge_at(&second, 10), JUDGED_REPLAY);
}

/* The recorded first initiation, from elsewhere, after the peer was removed and capture restarted. */
static void test_replayed_first_initiation(void **state)
{
	struct party client;
	struct arrival recorded, replayed;

	(void)state;
	make_party(&client);
	recorded = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_at(&recorded, 0), JUDGED_DEMAND);
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 10);
	key_table_removed(&fixture.judge.keys, client.public_key);
	replayed = sent_from(&recorded, 66);
	assert_int_equal(judge_at(&replayed, 60000), JUDGED_REPLAY);
	fixture_restart(&fixture);
	replayed = sent_from(&recorded, 67);
	assert_int_equal(judge_at(&replayed, 60000), JUDGED_REPLAY);
	/* The client itself comes back. */
	recorded = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&recorded, 60000), JUDGED_DEMAND);
}

/* The same with a re-handshake, which capture only ever saw pass by. */
static void test_replayed_rehandshake(void **state)
{
	struct party client;
	struct arrival first, recorded, replayed;

	(void)state;
	make_party(&client);
	first = initiation_from(&fixture, &client, 1, 9);
	recorded = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&first, 0), JUDGED_DEMAND);
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 10);
	assert_int_equal(judge_at(&recorded, 120000), JUDGED_ANSWERED);
	key_table_removed(&fixture.judge.keys, client.public_key);
	replayed = sent_from(&recorded, 66);
	assert_int_equal(judge_at(&replayed, 180000), JUDGED_REPLAY);
	fixture_restart(&fixture);
	replayed = sent_from(&recorded, 67);
	assert_int_equal(judge_at(&replayed, 180000), JUDGED_REPLAY);
}

/* The peer that the kernel held when capture started: its re-handshakes are recorded too. */
static void test_replayed_rehandshake_of_a_known_key(void **state)
{
	static const enum key_standing standings[] = {KEY_INSTALLED, KEY_STATIC};

	(void)state;
	for (size_t i = 0; i < COUNT(standings); i++) {
		struct party client;
		struct arrival recorded, replayed;

		make_party(&client);
		recorded = initiation_from(&fixture, &client, 1, 9);
		assert_int_equal(
			key_table_known(&fixture.judge.keys, client.public_key, standings[i]), 0);
		assert_int_equal(judge_at(&recorded, 0), JUDGED_ANSWERED);
		key_table_removed(&fixture.judge.keys, client.public_key);
		replayed = sent_from(&recorded, 66);
		assert_int_equal(judge_at(&replayed, 60000), JUDGED_REPLAY);
	}
}

/* A known key whose peer was evicted: its newest initiation is recorded before any outcome. */
static void test_replayed_demand_of_an_approved_key(void **state)
{
	struct party client;
	struct arrival arrival, replayed;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 10);
	key_table_removed(&fixture.judge.keys, client.public_key);
	arrival = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&arrival, 60000), JUDGED_DEMAND);
	fixture_restart(&fixture); /* before the outcome */
	replayed = sent_from(&arrival, 66);
	assert_int_equal(judge_at(&replayed, 60010), JUDGED_REPLAY);
}

/* Keys that nobody vouched for get no record, however they come. */
static void test_self_made_keys_get_no_record(void **state)
{
	static const enum outcome_result results[] = {
		OUTCOME_ABSENT, OUTCOME_REVOKED, OUTCOME_REJECTED, OUTCOME_FAILED};

	(void)state;
	for (size_t i = 0; i < COUNT(results); i++) {
		struct party client;
		struct arrival arrival;
		uint8_t zero[12] = {0};

		make_party(&client);
		arrival = initiation_from(&fixture, &client, 1, 9);
		assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
		end_demand_of(&fixture, &client, results[i], 1000, 0);
		assert_false(timestamp_record_is_replay(
			&fixture.judge.timestamps, client.public_key, zero));
	}
}

static void test_refusals_are_held(void **state)
{
	static const enum outcome_result results[] = {
		OUTCOME_ABSENT, OUTCOME_REVOKED, OUTCOME_REJECTED, OUTCOME_FAILED};

	(void)state;
	for (uint8_t i = 0; i < COUNT(results); i++) {
		struct party client;
		struct arrival arrival;

		make_party(&client);
		arrival = initiation_from(&fixture, &client, 1, i);
		assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
		end_demand_of(&fixture, &client, results[i], 3000, 100);
		arrival = initiation_from(&fixture, &client, 2, i);
		assert_int_equal(judge_at(&arrival, 3099), JUDGED_NEGATIVE);
		arrival = initiation_from(&fixture, &client, 3, i);
		assert_int_equal(judge_at(&arrival, 3100), JUDGED_DEMAND);
	}
}

static void test_stale_outcome(void **state)
{
	struct message_outcome outcome = {.id = 1, .result = OUTCOME_INSTALLED, .key = {1}};

	(void)state;
	assert_int_equal(judge_outcome(&fixture.judge, &outcome, 0), -ESRCH);
	outcome.result = OUTCOME_ABSENT;
	outcome.hold_ms = 60000;
	outcome.key[0] = 2;
	assert_int_equal(judge_outcome(&fixture.judge, &outcome, 0), -ESRCH);
	assert_int_equal(key_table_standing(&fixture.judge.keys, outcome.key, 0), KEY_UNKNOWN);
}

static bool is_known_source(uint8_t host, int64_t now_ms)
{
	struct address source = {.family = 4, .bytes = {203, 0, 113, host}};

	return known_sources_check(&fixture.judge.known_sources, &source, now_ms);
}

/* Known is where a client was installed from, and where it makes its handshakes from since. */
static void test_known_sources(void **state)
{
	struct party client;
	struct arrival arrival;
	bool is_known = true;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_arrival(&fixture.judge, arrival.data, arrival.bytes, &arrival.from,
				 0, &is_known),
		JUDGEMENTS);
	assert_false(is_known);
	arrival = initiation_from(&fixture, &client, 2, 9);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	assert_false(is_known_source(9, 0));
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 0);
	assert_true(is_known_source(9, 0));
	arrival = initiation_from(&fixture, &client, 3, 10);
	assert_int_equal(judge_at(&arrival, 120000), JUDGED_ANSWERED);
	assert_true(is_known_source(10, 120000));
	assert_false(is_known_source(9, 120000));
	/* Evicted, it is still known; a replay of its initiation from elsewhere makes nobody so. */
	key_table_removed(&fixture.judge.keys, client.public_key);
	arrival = sent_from(&arrival, 66);
	assert_int_equal(judge_at(&arrival, 120000), JUDGED_REPLAY);
	assert_false(is_known_source(66, 120000));
	arrival = initiation_from(&fixture, &client, 4, 10);
	assert_int_equal(judge_arrival(&fixture.judge, arrival.data, arrival.bytes, &arrival.from,
				 120000, &is_known),
		JUDGEMENTS);
	assert_true(is_known);
}

/* Whoever was not installed is at no known source, whatever he proves. */
static void test_self_made_keys_make_no_source_known(void **state)
{
	static const enum outcome_result results[] = {
		OUTCOME_ABSENT, OUTCOME_REVOKED, OUTCOME_REJECTED, OUTCOME_FAILED};

	(void)state;
	for (uint8_t i = 0; i < COUNT(results); i++) {
		struct party client;
		struct arrival arrival;

		make_party(&client);
		arrival = initiation_from(&fixture, &client, 1, i);
		assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
		end_demand_of(&fixture, &client, results[i], 1000, 0);
		assert_false(is_known_source(i, 0));
	}
}

/* Demands of keys that nobody vouched for, until no more may begin; the next client's number. */
static uint8_t crowd(void)
{
	uint8_t host = 0;

	while (judge_has_room(&fixture.judge)) {
		struct party client;
		struct arrival arrival;

		make_party(&client);
		arrival = initiation_from(&fixture, &client, 1, ++host);
		assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	}
	return (uint8_t)(host + 1);
}

/* In a crowd of strangers one more has to wait, and whoever was here before has not. */
static void test_strangers(void **state)
{
	struct party stranger, client;
	struct arrival arrival;
	struct waiting waiting;
	struct key_demand *demand;
	uint8_t host;

	(void)state;
	make_party(&stranger);
	make_party(&client);
	vouch_for(&fixture, &client);
	host = crowd();
	assert_in_range(fixture.judge.keys.pending, 64, 167); /* what a channel holds */
	arrival = initiation_from(&fixture, &stranger, 1, host);
	assert_int_equal(
		packet_parse(&waiting.packet, arrival.data, arrival.bytes, PACKET_HOST), PACKET_OK);
	assert_int_equal(judge_initiation(&fixture.judge, &waiting, 0, &demand), JUDGED_STRANGER);
	check_wiped();
	assert_null(demand);
	assert_memory_equal(waiting.key, stranger.public_key, 32);
	arrival = initiation_from(&fixture, &client, 1, host);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_DEMAND);
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 0);
	assert_false(judge_has_room(&fixture.judge));
	assert_int_equal(key_table_expire(&fixture.judge.keys, 15000), host - 1);
	assert_true(judge_has_room(&fixture.judge));
	assert_int_equal(judge_stranger(&fixture.judge, &waiting, 15000, &demand), JUDGED_DEMAND);
	assert_memory_equal(demand->key, stranger.public_key, 32);
	assert_memory_equal(demand->packet.initiation, waiting.packet.initiation, 148);
}

/* What a stranger sent before he was installed is a replay when its turn comes at last. */
static void test_stranger_overtaken_by_himself(void **state)
{
	struct party client;
	struct arrival arrival;
	struct waiting waiting;
	struct key_demand *demand;
	uint8_t host;

	(void)state;
	make_party(&client);
	host = crowd();
	arrival = initiation_from(&fixture, &client, 1, host);
	assert_int_equal(
		packet_parse(&waiting.packet, arrival.data, arrival.bytes, PACKET_HOST), PACKET_OK);
	assert_int_equal(judge_initiation(&fixture.judge, &waiting, 0, &demand), JUDGED_STRANGER);
	key_table_expire(&fixture.judge.keys, 15000);
	arrival = initiation_from(&fixture, &client, 2, host);
	assert_int_equal(judge_at(&arrival, 15000), JUDGED_DEMAND);
	end_demand_of(&fixture, &client, OUTCOME_INSTALLED, 0, 15000);
	key_table_removed(&fixture.judge.keys, client.public_key);
	assert_int_equal(judge_stranger(&fixture.judge, &waiting, 15000, &demand), JUDGED_REPLAY);
	assert_null(demand);
}

/* The gateway's key was changed: what was made for the one before is nobody's now. */
static void test_another_gateway_key(void **state)
{
	static const uint8_t zero[32];
	struct party client, other;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	make_party(&other);
	arrival = initiation_from(&fixture, &client, 1, 9);
	assert_int_equal(judge_set_gateway(&fixture.judge, other.private_key, FIXTURE_INTERFACE,
				 FIXTURE_PORT),
		0);
	assert_int_equal(judge_at(&arrival, 0), JUDGED_BAD_MAC1);
	assert_int_equal(
		judge_set_gateway(&fixture.judge, zero, FIXTURE_INTERFACE, FIXTURE_PORT), -EINVAL);
	assert_false(judge_is_ready(&fixture.judge));
	assert_zeroed(&fixture.secrets.gateway, sizeof(fixture.secrets.gateway));
}

static void test_free_wipes(void **state)
{
	struct gateway_fixture own;

	(void)state;
	fixture_open(&own);
	assert_false(sodium_is_zero((uint8_t *)&own.secrets, sizeof(own.secrets)));
	judge_free(&own.judge);
	assert_zeroed(&own.secrets, sizeof(own.secrets));
	free(own.timestamps);
}

static void test_init_refuses(void **state)
{
	struct judge judge;
	struct judge_secrets secrets;
	uint64_t memory[512];

	(void)state;
	assert_int_equal(judge_init(&judge, &secrets, 100, 0, 20, memory, sizeof(memory)), -EINVAL);
	assert_int_equal(judge_init(&judge, &secrets, 100, 10, 0, memory, sizeof(memory)), -EINVAL);
	assert_int_equal(judge_init(&judge, &secrets, 100, 10, 20, memory, 16), -EINVAL);
	assert_int_equal(
		judge_init(&judge, &secrets, (1 << 20) + 1, 10, 20, memory, sizeof(memory)),
		-EINVAL);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(judgement_name(JUDGED_OTHER_HOST), "other_host");
	assert_string_equal(judgement_name(JUDGED_DEMAND_REPLACED), "demand_replaced");
	assert_string_equal(judgement_name(JUDGEMENTS), "unknown");
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_first_packet_is_a_demand),
		FIXTURE_TEST(test_secrets_are_wiped),
		FIXTURE_TEST(test_arrival),
		FIXTURE_TEST(test_spoilt_messages),
		FIXTURE_TEST(test_low_order_keys),
		FIXTURE_TEST(test_copies_are_merged),
		FIXTURE_TEST(test_junk_leaves_nothing),
		FIXTURE_TEST(test_source_limit),
		FIXTURE_TEST(test_replay_while_pending),
		FIXTURE_TEST(test_replayed_first_initiation),
		FIXTURE_TEST(test_replayed_rehandshake),
		FIXTURE_TEST(test_replayed_rehandshake_of_a_known_key),
		FIXTURE_TEST(test_replayed_demand_of_an_approved_key),
		FIXTURE_TEST(test_self_made_keys_get_no_record),
		FIXTURE_TEST(test_refusals_are_held),
		FIXTURE_TEST(test_stale_outcome),
		FIXTURE_TEST(test_known_sources),
		FIXTURE_TEST(test_self_made_keys_make_no_source_known),
		FIXTURE_TEST(test_strangers),
		FIXTURE_TEST(test_stranger_overtaken_by_himself),
		FIXTURE_TEST(test_another_gateway_key),
		cmocka_unit_test(test_free_wipes),
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("judge", tests, start_sodium, NULL);
}
