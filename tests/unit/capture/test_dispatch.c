/* SPDX-License-Identifier: ISC */
/* Messages in and out, over real socketpairs. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "capture/dispatch.h"
#include "common/log.h"
#include "gateway_fixture.h"

/* capture and the others' ends of its channels. */
struct bench {
	struct gateway_fixture fixture;
	struct capture_secrets secrets;
	struct process process;
	struct dispatch dispatch;
	struct channel installer, fetcher;
	struct message message; /* the last one read */
};

static struct bench bench;

/* A clock that moves when the test says so, and by a step each time it is read. */
static int64_t clock_now_us, clock_step_us;

static int64_t fake_clock(void)
{
	clock_now_us += clock_step_us;
	return clock_now_us;
}

static void connect_to(struct channel *other, enum role role)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	bench.process.channels[role] =
		(struct channel){.fd = ends[0], .self = ROLE_CAPTURE, .peer = role};
	*other = (struct channel){.fd = ends[1], .self = role, .peer = ROLE_CAPTURE};
}

static void disconnect_from(struct channel *other, enum role role)
{
	channel_close(other);
	channel_close(&bench.process.channels[role]);
}

static int open_bench(void **state)
{
	const struct message_capture_settings settings = {
		.per_source_rate = 10, .per_source_burst = 20, .max_peers = 100};

	(void)state;
	memset(&bench, 0, sizeof(bench));
	fixture_open(&bench.fixture);
	bench.process.role = ROLE_CAPTURE;
	for (enum role role = 0; role < ROLE_COUNT; role++)
		bench.process.channels[role].fd = -1;
	connect_to(&bench.installer, ROLE_INSTALLER);
	connect_to(&bench.fetcher, ROLE_FETCHER);
	dispatch_init(
		&bench.dispatch, &bench.process, &bench.fixture.judge, &bench.secrets, &settings);
	bench.dispatch.clock_us = fake_clock;
	clock_now_us = clock_step_us = 0;
	return 0;
}

static int close_bench(void **state)
{
	(void)state;
	disconnect_from(&bench.installer, ROLE_INSTALLER);
	disconnect_from(&bench.fetcher, ROLE_FETCHER);
	fixture_close(&bench.fixture);
	return 0;
}

static void arrive(const struct arrival *arrival, int64_t now_ms)
{
	clock_now_us = now_ms * 1000;
	dispatch_packet(&bench.dispatch, arrival->data, arrival->bytes, &arrival->from, now_ms);
	dispatch_work(&bench.dispatch);
}

/* The client's initiation number `number` arrives; returns it. */
static struct arrival initiate(
	const struct party *client, uint32_t number, uint8_t host, int64_t now_ms)
{
	struct arrival arrival = initiation_from(&bench.fixture, client, number, host);

	arrive(&arrival, now_ms);
	return arrival;
}

static bool has_message(struct channel *channel)
{
	return channel_receive(channel, &bench.message) == 0;
}

/* Reads a DEMAND with that packet and returns its id. */
static uint64_t expect_demand(const struct party *client, const struct arrival *arrival)
{
	const struct message_demand *demand = &bench.message.demand;

	assert_true(has_message(&bench.installer));
	assert_int_equal(bench.message.type, MESSAGE_TYPE_DEMAND);
	assert_memory_equal(demand->key, client->public_key, 32);
	assert_memory_equal(demand->initiation, arrival->data + 28, 148);
	assert_int_equal(demand->source.family, 4);
	assert_memory_equal(demand->source.bytes, arrival->data + 12, 4);
	assert_int_equal(demand->source_port, 40000);
	assert_int_equal(demand->destination.family, 4);
	assert_memory_equal(demand->destination.bytes, arrival->data + 16, 4);
	assert_int_equal(demand->destination_port, FIXTURE_PORT);
	assert_int_equal(demand->arrival_index, FIXTURE_UPLINK);
	return demand->id;
}

static void expect_lookup(const struct party *client, uint64_t id)
{
	assert_true(has_message(&bench.fetcher));
	assert_int_equal(bench.message.type, MESSAGE_TYPE_LOOKUP);
	assert_int_equal(bench.message.lookup.id, id);
	assert_memory_equal(bench.message.lookup.key, client->public_key, 32);
}

static void expect_silence(void)
{
	assert_false(has_message(&bench.installer));
	assert_false(has_message(&bench.fetcher));
}

static void from_installer(const struct message *message, int64_t now_ms)
{
	struct message copy = *message;

	dispatch_installer(&bench.dispatch, &copy, now_ms);
}

static void outcome(const struct party *client, uint64_t id, enum outcome_result result,
	uint64_t hold_ms, int64_t now_ms)
{
	struct message message = {.type = MESSAGE_TYPE_OUTCOME,
		.outcome = {.id = id, .result = result, .hold_ms = hold_ms}};

	memcpy(message.outcome.key, client->public_key, 32);
	from_installer(&message, now_ms);
}

static void renewed(enum role role)
{
	struct message message = {.type = MESSAGE_TYPE_RENEW, .renew = {.role = role}};

	dispatch_control(&bench.dispatch, &message);
}

static void test_a_demand_and_its_lookup(void **state)
{
	struct party client;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, 9, 0);
	expect_lookup(&client, expect_demand(&client, &arrival));
	arrive(&arrival, 10); /* a copy */
	expect_silence();
}

static void test_nothing_leaves_without_proof(void **state)
{
	struct party client;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	arrival = initiation_from(&bench.fixture, &client, 1, 9);
	arrival.data[28 + INITIATION_TIMESTAMP_AT] ^= 1;
	arrive(&arrival, 0);
	expect_silence();
	assert_int_equal(bench.dispatch.packets, 1);
}

/* A newer packet goes to the installer alone; a late retry asks the fetcher again. */
static void test_newer_packets(void **state)
{
	struct party client;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, 9, 0);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
	arrival = initiate(&client, 2, 9, 100);
	assert_int_equal(expect_demand(&client, &arrival), id);
	expect_silence();
	arrival = initiate(&client, 3, 9, 5000);
	assert_int_equal(expect_demand(&client, &arrival), id);
	expect_lookup(&client, id);
	expect_silence();
}

static void test_outcomes(void **state)
{
	struct party client, other;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, 9, 0);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
	outcome(&client, id, OUTCOME_INSTALLED, 0, 10);
	initiate(&client, 2, 9, 120000);
	expect_silence();
	assert_int_equal(bench.dispatch.stale_outcomes, 0);
	make_party(&other);
	arrival = initiate(&other, 1, 10, 120000);
	id = expect_demand(&other, &arrival);
	expect_lookup(&other, id);
	outcome(&other, id, OUTCOME_ABSENT, 3000, 120000);
	initiate(&other, 2, 10, 122000);
	expect_silence();
	outcome(&other, id, OUTCOME_ABSENT, 3000, 120000);
	assert_int_equal(bench.dispatch.stale_outcomes, 1);
}

static void test_known_and_removed(void **state)
{
	struct message known = {
		.type = MESSAGE_TYPE_KNOWN, .known = {.state = KNOWN_STATIC, .keys.count = 2}};
	struct message removed = {.type = MESSAGE_TYPE_REMOVED};
	struct party one, two;
	struct arrival arrival;

	(void)state;
	make_party(&one);
	make_party(&two);
	memcpy(known.known.keys.item[0], one.public_key, 32);
	memcpy(known.known.keys.item[1], two.public_key, 32);
	from_installer(&known, 0);
	assert_int_equal(
		key_table_standing(&bench.fixture.judge.keys, one.public_key, 0), KEY_STATIC);
	known.known.state = KNOWN_INSTALLED;
	from_installer(&known, 0);
	assert_int_equal(
		key_table_standing(&bench.fixture.judge.keys, two.public_key, 0), KEY_INSTALLED);
	initiate(&one, 1, 9, 0);
	initiate(&two, 1, 9, 0);
	expect_silence();
	memcpy(removed.removed.key, one.public_key, 32);
	from_installer(&removed, 0);
	arrival = initiate(&one, 2, 9, 40000);
	expect_lookup(&one, expect_demand(&one, &arrival));
	initiate(&two, 2, 9, 40000);
	expect_silence();
}

static void test_gateway(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_GATEWAY,
		.gateway = {.interface_index = 70, .listen_port = 12345}};
	struct judge *judge = &bench.fixture.judge;
	struct party other;

	(void)state;
	make_party(&other);
	memcpy(message.gateway.private_key, other.private_key, 32);
	dispatch_installer(&bench.dispatch, &message, 0);
	assert_zeroed(&message.gateway, sizeof(message.gateway));
	assert_memory_equal(judge->secrets->gateway.public_key, other.public_key, 32);
	assert_int_equal(judge->interface_index, 70);
	assert_int_equal(judge->listen_port, 12345);
	/* No key at all, as of an interface that hasn't one. */
	dispatch_installer(&bench.dispatch,
		&(struct message){.type = MESSAGE_TYPE_GATEWAY, .gateway = {.listen_port = 1}}, 0);
	assert_false(judge_is_ready(judge));
}

static void test_local_addresses(void **state)
{
	struct message message = {
		.type = MESSAGE_TYPE_LOCAL_ADDRESSES, .local_addresses = {.addresses.count = 1}};
	struct party client;

	(void)state;
	make_party(&client);
	message.local_addresses.addresses.item[0] =
		(struct address){.family = 4, .bytes = {198, 51, 100, 1}};
	from_installer(&message, 0);
	initiate(&client, 1, 9, 0);
	expect_silence();
	assert_int_equal(bench.fixture.judge.count[JUDGED_NOT_LOCAL], 1);
}

/* The installer is gone: the demand waits, nothing is asked, and the new one gets it. */
static void test_renewed_installer(void **state)
{
	struct message known = {
		.type = MESSAGE_TYPE_KNOWN, .known = {.state = KNOWN_INSTALLED, .keys.count = 1}};
	struct party client;
	struct arrival arrival;

	(void)state;
	make_party(&client);
	memcpy(known.known.keys.item[0], bench.fixture.gateway.public_key, 32);
	from_installer(&known, 0);
	disconnect_from(&bench.installer, ROLE_INSTALLER);
	arrival = initiate(&client, 1, 9, 0);
	assert_false(has_message(&bench.fetcher));
	assert_int_equal(bench.fixture.judge.keys.pending, 1);
	connect_to(&bench.installer, ROLE_INSTALLER);
	renewed(ROLE_INSTALLER);
	expect_lookup(&client, expect_demand(&client, &arrival));
	expect_silence();
	/* It tells anew what the kernel holds. */
	assert_int_equal(
		key_table_standing(&bench.fixture.judge.keys, bench.fixture.gateway.public_key, 0),
		KEY_UNKNOWN);
	/* Gone again, with the answer on its way: both are sent again. */
	renewed(ROLE_INSTALLER);
	expect_lookup(&client, expect_demand(&client, &arrival));
}

static void test_renewed_fetcher(void **state)
{
	struct party one, two;
	struct arrival arrival;
	uint64_t one_id, two_id;

	(void)state;
	make_party(&one);
	make_party(&two);
	arrival = initiate(&one, 1, 9, 0);
	one_id = expect_demand(&one, &arrival);
	expect_lookup(&one, one_id);
	disconnect_from(&bench.fetcher, ROLE_FETCHER);
	arrival = initiate(&two, 1, 10, 0);
	two_id = expect_demand(&two, &arrival);
	connect_to(&bench.fetcher, ROLE_FETCHER);
	renewed(ROLE_FETCHER);
	expect_lookup(&one, one_id);
	expect_lookup(&two, two_id);
	expect_silence();
}

/* Reads all DEMANDs that are there, counting each client's. */
static size_t drain(const struct party *clients, size_t *seen, size_t count)
{
	size_t total = 0;

	while (has_message(&bench.installer)) {
		for (size_t i = 0; i < count; i++)
			seen[i] += memcmp(bench.message.demand.key, clients[i].public_key, 32) == 0;
		total++;
	}
	return total;
}

/* A full queue stalls nothing and loses nothing: what didn't fit goes out later, once. */
static void test_full_queue(void **state)
{
	enum { CLIENTS = 1000 };
	static struct party clients[CLIENTS];
	static size_t seen[CLIENTS];
	size_t total, lookups = 0;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < CLIENTS; i++) {
		make_party(&clients[i]);
		vouch_for(&bench.fixture, &clients[i]);
		initiate(&clients[i], 1, (uint8_t)(i % 250 + 1), 0);
	}
	total = drain(clients, seen, CLIENTS);
	assert_in_range(total, 1, CLIENTS - 1);
	assert_int_equal(bench.fixture.judge.keys.pending, CLIENTS);
	assert_true(bench.dispatch.owes);
	assert_in_range(dispatch_timeout(&bench.dispatch), 1, 100);
	for (int turn = 0; turn < CLIENTS && bench.dispatch.owes; turn++) {
		while (has_message(&bench.fetcher))
			lookups++;
		dispatch_due(&bench.dispatch, turn);
		total += drain(clients, seen, CLIENTS);
	}
	while (has_message(&bench.fetcher))
		lookups++;
	assert_false(bench.dispatch.owes);
	assert_int_equal(total, CLIENTS);
	assert_int_equal(lookups, CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(seen[i], 1);
}

/* Initiations of `count` new clients arrive, each from another source, and wait. */
static void flood(struct party *clients, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct arrival arrival;

		make_party(&clients[i]);
		arrival = initiation_from(&bench.fixture, &clients[i], 1, (uint8_t)i);
		dispatch_packet(&bench.dispatch, arrival.data, arrival.bytes, &arrival.from,
			clock_now_us / 1000);
	}
}

/* Whose DEMAND is next at the installer. */
static void expect_demand_of(const struct party *client)
{
	assert_true(has_message(&bench.installer));
	assert_int_equal(bench.message.type, MESSAGE_TYPE_DEMAND);
	assert_memory_equal(bench.message.demand.key, client->public_key, 32);
}

enum { FLOOD = 200, KNOWN_HOST = 250 };

/* A client that was installed before comes after all the others, from the same source, or not. */
static void test_known_sources_go_first(void **state)
{
	static struct party others[FLOOD];
	struct party client;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, KNOWN_HOST, 0);
	id = expect_demand(&client, &arrival);
	outcome(&client, id, OUTCOME_INSTALLED, 0, 0);
	key_table_removed(&bench.fixture.judge.keys, client.public_key);

	clock_step_us = 1000;
	arrival = initiation_from(&bench.fixture, &client, 2, KNOWN_HOST);
	dispatch_packet(&bench.dispatch, arrival.data, arrival.bytes, &arrival.from, 0);
	flood(others, FLOOD);
	dispatch_work(&bench.dispatch);
	expect_demand_of(&client);
	expect_demand_of(&others[FLOOD - 1]);
	expect_demand_of(&others[FLOOD - 2]);
}

/* Unknown sources have work done for a burst's time, and then for their share of it. */
static void test_unknown_sources_have_a_budget(void **state)
{
	static struct party clients[FLOOD];
	const uint64_t *judged = &bench.fixture.judge.count[JUDGED_DEMAND];
	int64_t worked_us;

	(void)state;
	flood(clients, FLOOD);
	do {
		clock_step_us = 1000;
		dispatch_work(&bench.dispatch);
		clock_step_us = 0;
	} while (dispatch_timeout(&bench.dispatch) == 0);
	worked_us = (int64_t)*judged * 1000;
	assert_in_range(worked_us, WORK_BUDGET_BURST_US,
		WORK_BUDGET_BURST_US + clock_now_us / WORK_BUDGET_SHARE);
	dispatch_work(&bench.dispatch);
	assert_int_equal(*judged * 1000, worked_us);
	clock_now_us += dispatch_timeout(&bench.dispatch) * 1000;
	clock_step_us = 1000;
	dispatch_work(&bench.dispatch);
	assert_true((int64_t)*judged * 1000 > worked_us);
	assert_true(*judged < FLOOD);
}

/* However much waits, messages and the packet socket are looked at in between. */
static void test_a_turn_is_bounded(void **state)
{
	static struct party clients[FLOOD];

	(void)state;
	flood(clients, FLOOD);
	clock_step_us = 1000;
	dispatch_work(&bench.dispatch);
	assert_in_range(bench.fixture.judge.count[JUDGED_DEMAND], 1, 10);
	clock_step_us = 0;
	assert_int_equal(dispatch_timeout(&bench.dispatch), 0);
}

/* More strangers than may be asked about wait, the newest first, until others have ended. */
static void test_strangers_wait(void **state)
{
	static struct party clients[FLOOD];
	size_t asked = 0;

	(void)state;
	flood(clients, FLOOD);
	dispatch_work(&bench.dispatch);
	assert_false(judge_has_room(&bench.fixture.judge));
	assert_true(dispatch_timeout(&bench.dispatch) > 0);
	while (asked < FLOOD) {
		size_t before = asked;

		while (has_message(&bench.installer)) {
			assert_memory_equal(bench.message.demand.key,
				clients[FLOOD - 1 - asked].public_key, 32);
			asked++;
		}
		assert_true(asked > before);
		for (size_t i = before; i < asked; i++) {
			assert_true(has_message(&bench.fetcher));
			outcome(&clients[FLOOD - 1 - i], bench.message.lookup.id, OUTCOME_ABSENT,
				3000, 0);
		}
		dispatch_work(&bench.dispatch);
	}
	expect_silence();
	assert_int_equal(bench.fixture.judge.count[JUDGED_DEMAND], FLOOD);
}

/* Without a gateway's key what waits goes on waiting, and the loop with it. */
static void test_work_waits_for_the_gateway(void **state)
{
	static const uint8_t none[32];
	struct party client;

	(void)state;
	flood(&client, 1);
	judge_set_gateway(&bench.fixture.judge, none, FIXTURE_INTERFACE, FIXTURE_PORT);
	dispatch_work(&bench.dispatch);
	expect_silence();
	assert_true(dispatch_timeout(&bench.dispatch) > 0);
	judge_set_gateway(&bench.fixture.judge, bench.fixture.gateway.private_key,
		FIXTURE_INTERFACE, FIXTURE_PORT);
	dispatch_work(&bench.dispatch);
	expect_demand_of(&client);
}

static void test_demands_expire(void **state)
{
	struct party client;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	assert_true(dispatch_timeout(&bench.dispatch) > 1000);
	arrival = initiate(&client, 1, 9, 0);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
	assert_in_range(dispatch_timeout(&bench.dispatch), 1, 1000);
	dispatch_due(&bench.dispatch, 14999);
	assert_int_equal(bench.fixture.judge.keys.pending, 1);
	dispatch_due(&bench.dispatch, 15000);
	assert_int_equal(bench.fixture.judge.keys.pending, 0);
	assert_int_equal(bench.dispatch.expired, 1);
	arrival = initiate(&client, 2, 9, 15000);
	assert_true(expect_demand(&client, &arrival) != id);
}

static void test_settings(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_CAPTURE_SETTINGS,
		.capture_settings = {.verbose = 0,
			.per_source_rate = 1,
			.per_source_burst = 2,
			.max_peers = 100}};
	struct party client;

	(void)state;
	make_party(&client);
	dispatch_control(&bench.dispatch, &message);
	for (uint32_t i = 1; i <= 5; i++)
		initiate(&client, i, 9, 0);
	assert_int_equal(bench.fixture.judge.count[JUDGED_OVER_LIMIT], 3);
}

/* A reload may bring another origin: who was refused by the old one is asked for again. */
static void test_settings_end_refusals(void **state)
{
	struct message settings = {.type = MESSAGE_TYPE_CAPTURE_SETTINGS,
		.capture_settings = {
			.per_source_rate = 10, .per_source_burst = 20, .max_peers = 100}};
	struct party client;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, 9, 0);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
	outcome(&client, id, OUTCOME_ABSENT, 3600000, 0);
	initiate(&client, 2, 9, 5000);
	expect_silence();
	dispatch_control(&bench.dispatch, &settings);
	arrival = initiate(&client, 3, 9, 10000);
	assert_true(expect_demand(&client, &arrival) != id);
}

/* A fetcher that denied everybody for ever, and was replaced, doesn't keep them out. */
static void test_refusals_end_with_their_fetcher(void **state)
{
	struct party client;
	struct arrival arrival;
	uint64_t id;

	(void)state;
	make_party(&client);
	arrival = initiate(&client, 1, 9, 0);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
	outcome(&client, id, OUTCOME_ABSENT, UINT32_MAX, 0);
	initiate(&client, 2, 9, 5000);
	expect_silence();
	disconnect_from(&bench.fetcher, ROLE_FETCHER);
	connect_to(&bench.fetcher, ROLE_FETCHER);
	renewed(ROLE_FETCHER);
	arrival = initiate(&client, 3, 9, 10000);
	id = expect_demand(&client, &arrival);
	expect_lookup(&client, id);
}

/* However many packets: so many lines a second at most, and the line budget renews itself. */
static void test_lines_are_bounded(void **state)
{
	struct message verbose = {.type = MESSAGE_TYPE_CAPTURE_SETTINGS,
		.capture_settings = {.verbose = 1,
			.per_source_rate = 10,
			.per_source_burst = 20,
			.max_peers = 100}};
	struct arrival arrival = {.bytes = 1};
	int ends[2], error_output = dup(STDERR_FILENO);
	char text[65536];
	ssize_t bytes;
	size_t lines = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dispatch_control(&bench.dispatch, &verbose);
	dup2(ends[1], STDERR_FILENO);
	for (int i = 0; i < 3000; i++)
		arrive(&arrival, 600000 + i / 1500 * 1000);
	dup2(error_output, STDERR_FILENO);
	close(error_output);
	close(ends[1]);
	while ((bytes = read(ends[0], text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < bytes; i++)
			lines += text[i] == '\n';
	}
	close(ends[0]);
	log_set_verbose(false);
	assert_int_equal(lines, 2 * 20);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_a_demand_and_its_lookup),
		BENCH_TEST(test_nothing_leaves_without_proof),
		BENCH_TEST(test_newer_packets),
		BENCH_TEST(test_outcomes),
		BENCH_TEST(test_known_and_removed),
		BENCH_TEST(test_gateway),
		BENCH_TEST(test_local_addresses),
		BENCH_TEST(test_renewed_installer),
		BENCH_TEST(test_renewed_fetcher),
		BENCH_TEST(test_full_queue),
		BENCH_TEST(test_known_sources_go_first),
		BENCH_TEST(test_unknown_sources_have_a_budget),
		BENCH_TEST(test_a_turn_is_bounded),
		BENCH_TEST(test_strangers_wait),
		BENCH_TEST(test_work_waits_for_the_gateway),
		BENCH_TEST(test_demands_expire),
		BENCH_TEST(test_settings),
		BENCH_TEST(test_settings_end_refusals),
		BENCH_TEST(test_refusals_end_with_their_fetcher),
		BENCH_TEST(test_lines_are_bounded),
	};

	log_open("test-capture-dispatch");
	return cmocka_run_group_tests_name("dispatch", tests, start_sodium, NULL);
}
