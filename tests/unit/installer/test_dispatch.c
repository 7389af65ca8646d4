/* SPDX-License-Identifier: ISC */
/* What the installer tells the kernel, in which order, and what it answers. */
#include "installer/dispatch.h"

#include <errno.h>
#include <linux/wireguard.h>

#include "installer/announce.h"
#include "installer/install.h"
#include "installer/outcome.h"
#include "installer/removal.h"
#include "installer/renewal.h"
#include "installer/survey.h"
#include "installer/sweep.h"
#include "stage.h"

static void test_installs_and_replays(void **state)
{
	(void)state;
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	expect_kernel("");
	install_flush(&installer);
	expect_kernel("[+1k0]r1");
	assert_int_equal(expect_outcome(7, 1, OUTCOME_INSTALLED), 0);
	expect_silence();
	assert_false(find(1)->is_intent);
	assert_int_equal(find(1)->installed_ms, now_ms);
	assert_int_equal(installer.peers.unconfirmed, 1);
}

static void test_two_keys(void **state)
{
	(void)state;
	answer(7, 1, PEER_FOUND); /* no ticket */
	demand(7, 1);
	answer(8, 1, PEER_FOUND); /* another id */
	answer(7, 2, PEER_FOUND); /* another key */
	now_ms += TICKET_LIFE_MS;
	answer(7, 1, PEER_FOUND); /* too late */
	install_flush(&installer);
	expect_kernel("");
	expect_silence();
	assert_int_equal(installer.counters.without_ticket, 4);
	assert_int_equal(installer.peers.index.count, 0);
}

static void test_ticket_used_twice(void **state)
{
	(void)state;
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	answer(7, 1, PEER_FOUND); /* in the same turn */
	install_flush(&installer);
	answer(7, 1, PEER_REVOKED); /* and later */
	install_flush(&installer);
	expect_kernel("[+1k0]r1");
	assert_int_equal(installer.counters.without_ticket, 2);
}

/* The demand is still in capture's queue when its answer is read. */
static void test_answer_overtakes(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_DEMAND, .demand = demand_of(7, 1)};

	(void)state;
	assert_int_equal(channel_send(&capture, &message), 0);
	answer(7, 1, PEER_FOUND);
	install_flush(&installer);
	expect_kernel("[+1k0]r1");
	assert_int_equal(installer.counters.without_ticket, 0);
}

/* While the batch waits, an answer without ticket reads capture's queue: the batch goes first. */
static void test_batch_before_demands(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_DEMAND, .demand = demand_of(9, 1)};

	(void)state;
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	now_ms += TICKET_LIFE_MS; /* its ticket may be expired by the next demand */
	assert_int_equal(channel_send(&capture, &message), 0);
	answer(8, 2, PEER_FOUND);
	expect_kernel("[+1k0]r1");
	expect_outcome(7, 1, OUTCOME_INSTALLED);
}

static void test_newest_initiation(void **state)
{
	struct message_demand first = demand_of(7, 1), second = demand_of(7, 1);

	(void)state;
	first.initiation[147] = 1;
	second.initiation[147] = 2;
	dispatch_demand(&installer, &first);
	dispatch_demand(&installer, &second);
	answer(7, 1, PEER_FOUND);
	install_flush(&installer);
	assert_int_equal(kernel.replays, 1);
	assert_int_equal(kernel.replayed_initiation, 2);
	/* A third one that crossed the OUTCOME is replayed, and told again. */
	second.initiation[147] = 3;
	dispatch_demand(&installer, &second);
	assert_int_equal(kernel.replays, 2);
	assert_int_equal(kernel.replayed_initiation, 3);
	expect_outcome(7, 1, OUTCOME_INSTALLED);
	expect_outcome(7, 1, OUTCOME_INSTALLED);
	expect_kernel("[+1k0]r1r1");
}

static void test_answers(void **state)
{
	(void)state;
	demand(1, 1);
	answer(1, 1, PEER_ABSENT);
	assert_int_equal(expect_outcome(1, 1, OUTCOME_ABSENT), 4321);
	demand(2, 2);
	answer(2, 2, PEER_REVOKED);
	assert_int_equal(expect_outcome(2, 2, OUTCOME_REVOKED), OUTCOME_REVOKED_HOLD_MS);
	demand(3, 3);
	answer(3, 3, PEER_FAILED);
	assert_int_equal(expect_outcome(3, 3, OUTCOME_FAILED), OUTCOME_FAILED_HOLD_MS);
	/* Crossing demands learn the same again; nothing is replayed. */
	demand(1, 1);
	expect_outcome(1, 1, OUTCOME_ABSENT);
	expect_kernel("");
}

/* A failure that comes late doesn't hold back the client's retry; a newer initiation counts anew. */
static void test_late_failure(void **state)
{
	(void)state;
	demand(1, 1);
	now_ms += 5000;
	answer(1, 1, PEER_FAILED);
	assert_int_equal(expect_outcome(1, 1, OUTCOME_FAILED), 0);
	demand(2, 2);
	now_ms += 5000;
	demand(2, 2);
	answer(2, 2, PEER_FAILED);
	assert_int_equal(expect_outcome(2, 2, OUTCOME_FAILED), OUTCOME_FAILED_HOLD_MS);
}

static void test_policy(void **state)
{
	struct message_peer peer = peer_of(1, 1, PEER_FOUND);

	(void)state;
	peer.allowed_ips.item[0] = prefix_of("192.0.2.0/24");
	demand(1, 1);
	dispatch_peer(&installer, &peer);
	install_flush(&installer);
	assert_int_equal(expect_outcome(1, 1, OUTCOME_REJECTED), OUTCOME_REJECTED_HOLD_MS);
	expect_kernel("");
	assert_null(find(1));
}

/* Two that are ready in one turn want the same address: the first has it. */
static void test_conflict_within_batch(void **state)
{
	struct message_peer peer = peer_of(2, 2, PEER_FOUND);

	(void)state;
	demand(1, 1);
	demand(2, 2);
	answer(1, 1, PEER_FOUND);
	peer.allowed_ips.item[0] = prefix_of("10.0.0.0/24");
	dispatch_peer(&installer, &peer);
	install_flush(&installer);
	expect_outcome(2, 2, OUTCOME_REJECTED);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	expect_kernel("[+1k0]r1");
}

static void test_batch(void **state)
{
	(void)state;
	for (uint32_t key = 1; key <= INSTALL_BATCH + 2; key++) {
		demand(key, key);
		answer(key, key, PEER_FOUND);
	}
	install_flush(&installer);
	assert_int_equal(kernel.calls, 2);
	assert_int_equal(kernel.changes, INSTALL_BATCH + 2);
	assert_int_equal(kernel.replays, INSTALL_BATCH + 2);
	for (uint32_t key = 1; key <= INSTALL_BATCH + 2; key++)
		expect_outcome(key, key, OUTCOME_INSTALLED);
}

/* The kernel stops at the second of three: the others are installed, one by one. */
static void test_refused_in_batch(void **state)
{
	(void)state;
	kernel.refused_key = 2;
	for (uint32_t key = 1; key <= 3; key++) {
		demand(key, key);
		answer(key, key, PEER_FOUND);
	}
	install_flush(&installer);
	expect_kernel("[+1k0+2k0!][+1k0]r1[+2k0!][-2][+3k0]r3");
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	assert_int_equal(expect_outcome(2, 2, OUTCOME_FAILED), OUTCOME_FAILED_HOLD_MS);
	expect_outcome(3, 3, OUTCOME_INSTALLED);
	assert_null(find(2));
	/* Its address is free again. */
	kernel.refused_key = 0;
	install(4, 2);
	expect_kernel("[+2k0]r2");
}

static bool holds_preshared_key(const void *memory, size_t length)
{
	uint8_t preshared_key[WIREGUARD_KEY_BYTES];

	memset(preshared_key, 0xee, sizeof(preshared_key));
	return memmem(memory, length, preshared_key, sizeof(preshared_key)) != NULL;
}

static void test_preshared_keys_are_wiped(void **state)
{
	(void)state;
	demand(1, 1);
	answer(1, 1, PEER_FOUND);
	assert_true(holds_preshared_key(installer.secrets, sizeof(*installer.secrets)));
	install_flush(&installer);
	assert_false(holds_preshared_key(installer.secrets, sizeof(*installer.secrets)));
	/* Refused before it reaches the kernel: also when there is no room. */
	installer.max_peers = 1;
	demand(2, 2);
	answer(2, 2, PEER_FOUND);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	expect_outcome(2, 2, OUTCOME_FAILED);
	assert_false(holds_preshared_key(installer.secrets, sizeof(*installer.secrets)));
}

/* An installed key that is demanded again: the same once more, without touching what is there. */
static void test_again(void **state)
{
	struct message_peer peer = peer_of(3, 1, PEER_FOUND);
	int64_t installed_ms;

	(void)state;
	install(1, 1);
	expect_kernel("[+1k0]r1");
	installed_ms = now_ms;
	now_ms += 5000;
	install(2, 1);
	expect_kernel("[+1k0]r1");
	assert_int_equal(find(1)->installed_ms, now_ms); /* it has yet to shake hands */
	peers_confirm(&installer.peers, (uint32_t)(find(1) - installer.peers.items));
	installed_ms = now_ms;
	now_ms += 5000;
	demand(3, 1);
	peer.allowed_ips.item[0] = prefix_of("10.9.9.9/32");
	dispatch_peer(&installer, &peer);
	install_flush(&installer);
	expect_kernel("[=1k0]r1");
	assert_int_equal(find(1)->installed_ms, installed_ms);
	assert_int_equal(installer.peers.installed, 1);
	assert_int_equal(installer.peers.allowed_ips.count, 1);
}

static void test_revoked(void **state)
{
	(void)state;
	install(1, 1);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	forget_kernel();
	demand(2, 1);
	answer(2, 1, PEER_REVOKED);
	expect_removed(1);
	expect_outcome(2, 1, OUTCOME_REVOKED);
	expect_kernel("[-1]");
	assert_null(find(1));
}

static void test_static_is_never_touched(void **state)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	(void)state;
	make_key(key, 1);
	peers_add(&installer.peers, key, KNOWN_STATIC);
	demand(1, 1);
	answer(1, 1, PEER_FOUND);
	install_flush(&installer);
	expect_outcome(1, 1, OUTCOME_REJECTED);
	demand(2, 1);
	answer(2, 1, PEER_REVOKED);
	expect_outcome(2, 1, OUTCOME_REVOKED);
	expect_kernel("");
	assert_non_null(find(1));
}

static void test_initiate(void **state)
{
	struct message_peer peer = peer_of(2, 2, PEER_FOUND);

	(void)state;
	apply(CONNECT_INITIATE, 2000);
	install(1, 1);
	expect_kernel("[+1@4000k25~1k0]");
	/* One that is configured with a keepalive needs no second change. */
	peer.persistent_keepalive = 17;
	demand(2, 2);
	dispatch_peer(&installer, &peer);
	install_flush(&installer);
	expect_kernel("[+2@4000k17]");
	/* A peer that was there keeps its endpoint. */
	install(3, 1);
	expect_kernel("[+1k0]");
	assert_int_equal(kernel.replays, 0);
}

/* Not towards addresses that no client has. */
static void test_initiate_nowhere(void **state)
{
	struct message_demand message = demand_of(1, 1);

	(void)state;
	apply(CONNECT_INITIATE, 2000);
	message.source = address_of("192.0.2.1"); /* our own */
	dispatch_demand(&installer, &message);
	answer(1, 1, PEER_FOUND);
	message = demand_of(2, 2);
	message.source = address_of("255.255.255.255");
	dispatch_demand(&installer, &message);
	answer(2, 2, PEER_FOUND);
	install_flush(&installer);
	expect_kernel("[+1k0+2k0]");
}

static void test_retry(void **state)
{
	(void)state;
	apply(CONNECT_RETRY, 2000);
	install(1, 1);
	expect_kernel("[+1k0]");
	expect_outcome(1, 1, OUTCOME_INSTALLED);
}

/* Installed all the same; the client's retry connects. */
static void test_not_replayed(void **state)
{
	struct message_demand message = demand_of(1, 1);

	(void)state;
	message.destination = address_of("192.0.2.99");
	dispatch_demand(&installer, &message);
	answer(1, 1, PEER_FOUND);
	install_flush(&installer);
	expect_kernel("[+1k0]");
	expect_outcome(1, 1, OUTCOME_INSTALLED);
}

static void test_max_peers(void **state)
{
	uint32_t slot;

	(void)state;
	apply(CONNECT_REPLAY, 2);
	install(1, 1);
	install(2, 2);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	expect_outcome(2, 2, OUTCOME_INSTALLED);
	demand(3, 3);
	answer(3, 3, PEER_FOUND);
	expect_outcome(3, 3, OUTCOME_FAILED);
	/* An installed one may come again although all places are taken. */
	install(4, 1);
	expect_outcome(4, 1, OUTCOME_INSTALLED);
	/* A dump has shown one as idle: it goes, capture being told first. */
	slot = (uint32_t)(find(2) - installer.peers.items);
	peers_confirm(&installer.peers, slot);
	eviction_offer(&installer.sweep.candidates, &installer.eviction, &installer.peers, slot,
		now_ms + EVICTION_SESSION_MS);
	forget_kernel();
	install(5, 5);
	expect_kernel("[-2][+5k0]r5");
	expect_removed(2);
	expect_outcome(5, 5, OUTCOME_INSTALLED);
	assert_int_equal(installer.peers.installed, 2);
}

/* A candidate for eviction that is in the batch, demanded again, is not evicted under it. */
static void test_batch_is_not_evicted(void **state)
{
	uint32_t slot;

	(void)state;
	apply(CONNECT_REPLAY, 1);
	install(1, 1);
	slot = (uint32_t)(find(1) - installer.peers.items);
	peers_confirm(&installer.peers, slot);
	eviction_offer(&installer.sweep.candidates, &installer.eviction, &installer.peers, slot,
		now_ms + EVICTION_SESSION_MS);
	assert_int_equal(installer.sweep.candidates.count, 1);
	forget_kernel();
	demand(2, 1);
	demand(3, 3);
	answer(2, 1, PEER_FOUND);
	answer(3, 3, PEER_FOUND);
	install_flush(&installer);
	expect_kernel("[+1k0]r1");
	assert_non_null(find(1));
	assert_null(find(3));
}

static void test_unconfirmed_cap(void **state)
{
	uint64_t id = 1;

	(void)state;
	for (uint32_t key = 1; key <= UNCONFIRMED_MIN; key++) {
		install(id++, key);
		now_ms += TICKET_LIFE_MS; /* for the test's small table of tickets */
		expect_outcome(id - 1, key, OUTCOME_INSTALLED);
	}
	install(id, 5000);
	expect_outcome(id, 5000, OUTCOME_FAILED);
	assert_null(find(5000));
	peers_confirm(&installer.peers, 0);
	now_ms += TICKET_LIFE_MS;
	install(++id, 5000);
	expect_outcome(id, 5000, OUTCOME_INSTALLED);
}

/* Makes a peer a candidate as a dump would that finds it silent for longer than a session lasts. */
static void offer(uint32_t number, bool is_confirmed)
{
	uint32_t slot = (uint32_t)(find(number) - installer.peers.items);

	if (is_confirmed)
		peers_confirm(&installer.peers, slot);
	eviction_offer(&installer.sweep.candidates, &installer.eviction, &installer.peers, slot,
		now_ms + EVICTION_SESSION_MS);
}

static void install_unconfirmed(uint32_t count)
{
	struct message message;

	for (uint32_t key = 1; key <= count; key++) {
		install(key, key);
		now_ms += TICKET_LIFE_MS; /* for the test's small table of tickets */
		while (channel_receive(&capture, &message) == 0)
			continue;
	}
	forget_kernel();
}

/* At their own cap unconfirmed peers yield to newcomers, and to nobody else's cost. */
static void test_unconfirmed_yield_first(void **state)
{
	(void)state;
	install_unconfirmed(UNCONFIRMED_MIN + 1); /* the last one is refused */
	peers_confirm(&installer.peers, (uint32_t)(find(7) - installer.peers.items));
	install(9000, 9000);
	expect_outcome(9000, 9000, OUTCOME_INSTALLED);
	forget_kernel();
	offer(7, true);
	offer(9, false);
	install(9001, 9001);
	expect_removed(9);
	expect_outcome(9001, 9001, OUTCOME_INSTALLED);
	expect_kernel("[-9][+9001k0]r9001");
	install(9002,
		9002); /* no unconfirmed candidate is left, and an idle one is none for this */
	expect_outcome(9002, 9002, OUTCOME_FAILED);
	expect_kernel("");
	assert_non_null(find(7));
	assert_int_equal(installer.counters.no_room, 2);
}

/* A newcomer that finds too many unconfirmed peers is refused before a confirmed one goes for it. */
static void test_nobody_goes_for_nothing(void **state)
{
	(void)state;
	apply(CONNECT_REPLAY, UNCONFIRMED_MIN + 1);
	install_unconfirmed(UNCONFIRMED_MIN);
	peers_confirm(&installer.peers, (uint32_t)(find(7) - installer.peers.items));
	install(9000, 9000);
	expect_outcome(9000, 9000, OUTCOME_INSTALLED);
	assert_int_equal(installer.peers.installed, installer.max_peers);
	forget_kernel();
	offer(7, true);
	install(9001, 9001);
	expect_outcome(9001, 9001, OUTCOME_FAILED);
	expect_kernel("");
	assert_non_null(find(7));
	/* A live one doesn't go even where there is no other: it was never offered. */
	peers_confirm(&installer.peers, (uint32_t)(find(8) - installer.peers.items));
	installer.sweep.candidates.count = 0;
	install(9002, 9002);
	expect_outcome(9002, 9002, OUTCOME_FAILED);
	assert_int_equal(installer.peers.installed, installer.max_peers);
}

/* Revocations, tickets and all, go at their own rate; one that has to wait needs no further demand. */
static void test_rate_of_removals(void **state)
{
	(void)state;
	for (uint32_t key = 1; key <= 5; key++) {
		install(key, key);
		expect_outcome(key, key, OUTCOME_INSTALLED);
	}
	forget_kernel();
	token_bucket_init(&installer.removals, 1, 2, now_ms);
	for (uint32_t key = 1; key <= 5; key++) {
		demand(10 + key, key);
		answer(10 + key, key, PEER_REVOKED);
	}
	expect_kernel("[-1][-2]");
	for (uint32_t key = 1; key <= 2; key++) {
		expect_removed(key);
		expect_outcome(10 + key, key, OUTCOME_REVOKED);
	}
	for (uint32_t key = 3; key <= 5; key++)
		expect_outcome(10 + key, key, OUTCOME_REVOKED);
	for (unsigned second = 0; second < 3; second++) {
		assert_int_equal(installer.peers.installed, 3 - second);
		now_ms += 1000;
		renewal_continue(&installer, now_ms);
	}
	assert_int_equal(installer.peers.installed, 0);
}

/* Without a ticket nobody is revoked. */
static void test_revocation_takes_a_ticket(void **state)
{
	(void)state;
	install(1, 1);
	forget_kernel();
	answer(2, 1, PEER_REVOKED);
	answer(1, 1, PEER_REVOKED);
	expect_kernel("");
	assert_non_null(find(1));
	assert_int_equal(installer.counters.without_ticket, 2);
}

/* Answers without a ticket make a turn read no more demands than its share. */
static void test_a_turn_is_bounded(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_DEMAND};

	(void)state;
	installer.demands_left = 3;
	for (uint32_t key = 1; key <= 8; key++) {
		message.demand = demand_of(key, key);
		assert_int_equal(channel_send(&capture, &message), 0);
	}
	for (uint32_t key = 1; key <= 4; key++)
		answer(100 + key, key, PEER_FOUND);
	assert_int_equal(installer.tickets.index.count, 3);
	installer.demands_left = DEMANDS_A_TURN;
	answer(200, 1, PEER_FOUND);
	assert_int_equal(installer.tickets.index.count, 8);
}

/* What an old capture demanded does nothing any more once a new one is there. */
static void test_tickets_end_with_their_capture(void **state)
{
	(void)state;
	for (uint32_t key = 1; key <= 64; key++)
		demand(key, key);
	dispatch_renewed(&installer, ROLE_FETCHER);
	answer(1, 1, PEER_ABSENT);
	expect_outcome(1, 1, OUTCOME_ABSENT);
	dispatch_renewed(&installer, ROLE_CAPTURE);
	assert_true(installer.announce.owes_known);
	answer(2, 2, PEER_FOUND);
	install_flush(&installer);
	expect_kernel("");
	expect_silence();
	install(100, 100); /* and the table has room for the new one's */
	expect_outcome(100, 100, OUTCOME_INSTALLED);
}

static void test_rate(void **state)
{
	(void)state;
	token_bucket_init(&installer.installs, 1, 2, now_ms);
	install(1, 1);
	install(2, 2);
	install(3, 3);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	expect_outcome(2, 2, OUTCOME_INSTALLED);
	expect_outcome(3, 3, OUTCOME_FAILED);
	now_ms += 1000;
	install(4, 3);
	expect_outcome(4, 3, OUTCOME_INSTALLED);
}

/* With a static table that is not whole, an overlap could go unseen: nothing is installed. */
static void test_static_unknown(void **state)
{
	(void)state;
	installer.reconcile.lacks_room = true;
	install(1, 1);
	expect_outcome(1, 1, OUTCOME_FAILED);
	expect_kernel("");
}

static void fill_channel(struct channel *channel)
{
	struct message message = {.type = MESSAGE_TYPE_REMOVED};

	while (channel_send(channel, &message) == 0)
		continue;
}

static void drain_capture(void)
{
	struct message message;

	while (channel_receive(&capture, &message) == 0)
		assert_int_equal(message.type, MESSAGE_TYPE_REMOVED);
}

/* capture doesn't read: the outcome waits for it, the removal too. */
static void test_full_channel(void **state)
{
	struct peer *peer;

	(void)state;
	install(1, 1);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	fill_channel(&installer.process.channels[ROLE_CAPTURE]);
	install(2, 2);
	assert_true(announce_is_owing(&installer));
	demand(3, 1);
	forget_kernel();
	answer(3, 1, PEER_REVOKED); /* REMOVED can't be told, so it must stay */
	expect_kernel("");
	assert_non_null(find(1));
	announce_continue(&installer);
	assert_true(announce_is_owing(&installer));
	drain_capture();
	announce_continue(&installer);
	expect_outcome(2, 2, OUTCOME_INSTALLED);
	expect_outcome(3, 1, OUTCOME_REVOKED);
	expect_silence();
	assert_false(announce_is_owing(&installer));
	peer = find(2);
	assert_int_equal(peer->announcement, installer.announce.number);
}

static bool is_reported(enum role offender)
{
	struct message message;

	return channel_receive(&supervisor, &message) == 0 &&
	       message.type == MESSAGE_TYPE_OFFENCE && message.offence.offender == offender;
}

/* A capture that reads nothing keeps nobody installed: it is reported, and the removal goes on. */
static void test_deaf_capture(void **state)
{
	(void)state;
	install(1, 1);
	fill_channel(&installer.process.channels[ROLE_CAPTURE]);
	forget_kernel();
	removal_one(&installer, 0, "test");
	now_ms += CAPTURE_DEAF_MS - 1;
	removal_one(&installer, 0, "test");
	assert_false(is_reported(ROLE_CAPTURE));
	expect_kernel("");
	announce_emptied(&installer); /* it has read: its time begins anew */
	now_ms += 1;
	removal_one(&installer, 0, "test");
	assert_false(is_reported(ROLE_CAPTURE));
	now_ms += CAPTURE_DEAF_MS;
	assert_int_equal(removal_one(&installer, 0, "test"), 0);
	assert_true(is_reported(ROLE_CAPTURE));
	expect_kernel("[-1]");
	assert_null(find(1));
}

/* Repeating one demand is no way round the rate. */
static void test_rate_of_replays(void **state)
{
	(void)state;
	token_bucket_init(&installer.installs, 1, 3, now_ms);
	install(1, 1);
	for (unsigned i = 0; i < 10; i++)
		demand(1, 1);
	assert_int_equal(kernel.replays, 3);
}

static void test_tickets_full(void **state)
{
	(void)state;
	for (uint32_t key = 1; key <= 64; key++)
		demand(key, key);
	expect_silence();
	demand(65, 65);
	assert_int_equal(expect_outcome(65, 65, OUTCOME_FAILED), OUTCOME_FAILED_HOLD_MS);
	assert_int_equal(installer.counters.refused_demands, 1);
}

/* A new capture process learns the gateway, the addresses and each peer once, by what it is. */
static void test_everything_announced(void **state)
{
	unsigned installed = 0, fixed = 0, rounds = 0;
	struct message message;
	uint8_t key[WIREGUARD_KEY_BYTES];

	(void)state;
	for (uint32_t number = 1; number <= 1500; number++) {
		make_key(key, number);
		peers_add(&installer.peers, key, number % 3 == 0 ? KNOWN_STATIC : KNOWN_INSTALLED);
	}
	memset(installer.secrets->private_key, 0x77, WIREGUARD_KEY_BYTES);
	announce_everything(&installer);
	announce_continue(&installer);
	assert_int_equal(channel_receive(&capture, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_GATEWAY);
	assert_memory_equal(
		message.gateway.private_key, installer.secrets->private_key, WIREGUARD_KEY_BYTES);
	assert_int_equal(message.gateway.listen_port, LISTEN_PORT);
	assert_int_equal(channel_receive(&capture, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_LOCAL_ADDRESSES);
	assert_int_equal(message.local_addresses.addresses.count, 1);
	while (announce_is_owing(&installer) || rounds == 0) {
		while (channel_receive(&capture, &message) == 0) {
			assert_int_equal(message.type, MESSAGE_TYPE_KNOWN);
			for (uint32_t i = 0; i < message.known.keys.count; i++)
				assert_int_equal(number_of(message.known.keys.item[i]) % 3 == 0,
					message.known.state == KNOWN_STATIC);
			*(message.known.state == KNOWN_STATIC ? &fixed : &installed) +=
				message.known.keys.count;
		}
		announce_continue(&installer);
		assert_true(++rounds < 10000);
	}
	while (channel_receive(&capture, &message) == 0)
		*(message.known.state == KNOWN_STATIC ? &fixed : &installed) +=
			message.known.keys.count;
	assert_int_equal(installed, 1000);
	assert_int_equal(fixed, 500);
}

/* Dumps: what they prove gone is forgotten, what is over its time removed, in batches with pauses. */
static void show(uint32_t number, int64_t handshake)
{
	struct device_peer peer = {.handshake_seconds = handshake};

	make_key(peer.public_key, number);
	reconcile_peer(&installer.reconcile, &peer, false);
}

static void test_sweep(void **state)
{
	(void)state;
	for (uint32_t key = 1; key <= 40; key++)
		install(key, key);
	for (uint32_t key = 1; key <= 40; key++)
		expect_outcome(key, key, OUTCOME_INSTALLED);
	forget_kernel();
	kernel.calls = 0;
	now_ms += 30000;
	reconcile_begin(&installer.reconcile, now_ms);
	for (uint32_t key = 2; key <= 40; key++)
		show(key, key <= 4 ? 77 : 0); /* 1 is gone, 2 to 4 have shaken hands */
	reconcile_end(&installer.reconcile, false);
	sweep_begin(&installer);
	assert_int_equal(sweep_timeout_ms(&installer, now_ms), 0);
	sweep_continue(&installer, now_ms);
	assert_int_equal(kernel.calls, 1);
	assert_true(sweep_timeout_ms(&installer, now_ms) > 0);
	sweep_continue(&installer, now_ms); /* it rests */
	assert_int_equal(kernel.calls, 1);
	for (unsigned i = 0; i < 10 && sweep_timeout_ms(&installer, now_ms) >= 0; i++) {
		now_ms += 10;
		sweep_continue(&installer, now_ms);
	}
	assert_int_equal(kernel.calls, 3); /* 36 in batches of 16 */
	expect_removed(1);
	for (uint32_t key = 5; key <= 40; key++)
		expect_removed(key);
	expect_silence();
	assert_int_equal(installer.peers.installed, 3);
	assert_null(find(1));
	assert_non_null(find(2));
}

/* An interrupted dump proves nothing gone, but what it showed is judged. */
static void test_sweep_incomplete(void **state)
{
	(void)state;
	install(1, 1);
	install(2, 2);
	expect_outcome(1, 1, OUTCOME_INSTALLED);
	expect_outcome(2, 2, OUTCOME_INSTALLED);
	now_ms += 30000;
	reconcile_begin(&installer.reconcile, now_ms);
	show(2, 0);
	reconcile_end(&installer.reconcile, true);
	sweep_begin(&installer);
	sweep_continue(&installer, now_ms);
	expect_removed(2);
	expect_silence();
	assert_non_null(find(1));
}

/* The facts of a dump: what changed is told, and to whom. */
static void test_facts(void **state)
{
	struct device_facts facts = {.interface_index = 3,
		.listen_port = LISTEN_PORT,
		.has_private_key = true,
		.private_key = {5},
		.public_key = {6}};
	const struct device_reader *reader = &installer.survey.reader;
	struct message message;

	(void)state;
	reader->device(reader->context, &facts);
	assert_false(installer.owes_device);
	assert_true(installer.announce.owes_gateway);
	assert_int_equal(installer.policy.own_public_key[0], 6);
	announce_continue(&installer);
	assert_int_equal(channel_receive(&capture, &message), 0);
	assert_int_equal(message.gateway.private_key[0], 5);
	reader->device(reader->context, &facts); /* nothing new */
	assert_false(installer.announce.owes_gateway);
	facts.listen_port++;
	reader->device(reader->context, &facts);
	assert_true(installer.owes_device);
	assert_true(installer.announce.owes_gateway);
	facts.has_private_key = false;
	reader->device(reader->context, &facts);
	assert_false(installer.gateway.is_usable);
	assert_false(installer.announce.owes_gateway);
}

static void test_settings(void **state)
{
	(void)state;
	apply(CONNECT_RETRY, 500);
	assert_int_equal(installer.connect, CONNECT_RETRY);
	assert_int_equal(installer.max_peers, 500);
	apply(CONNECT_REPLAY, 5000); /* more than there is memory for */
	assert_int_equal(installer.max_peers, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_installs_and_replays),
		TEST(test_two_keys),
		TEST(test_ticket_used_twice),
		TEST(test_answer_overtakes),
		TEST(test_batch_before_demands),
		TEST(test_newest_initiation),
		TEST(test_answers),
		TEST(test_late_failure),
		TEST(test_policy),
		TEST(test_conflict_within_batch),
		TEST(test_batch),
		TEST(test_refused_in_batch),
		TEST(test_preshared_keys_are_wiped),
		TEST(test_again),
		TEST(test_revoked),
		TEST(test_static_is_never_touched),
		TEST(test_initiate),
		TEST(test_initiate_nowhere),
		TEST(test_retry),
		TEST(test_not_replayed),
		TEST(test_max_peers),
		TEST(test_batch_is_not_evicted),
		TEST(test_unconfirmed_cap),
		TEST(test_unconfirmed_yield_first),
		TEST(test_nobody_goes_for_nothing),
		TEST(test_rate_of_removals),
		TEST(test_revocation_takes_a_ticket),
		TEST(test_a_turn_is_bounded),
		TEST(test_tickets_end_with_their_capture),
		TEST(test_deaf_capture),
		TEST(test_rate),
		TEST(test_static_unknown),
		TEST(test_full_channel),
		TEST(test_rate_of_replays),
		TEST(test_tickets_full),
		TEST(test_everything_announced),
		TEST(test_sweep),
		TEST(test_sweep_incomplete),
		TEST(test_facts),
		TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
