/* SPDX-License-Identifier: ISC */
/* Whom the installer asks about again, when, and what the answers do to installed peers. */
#include "installer/renewal.h"

#include <errno.h>

#include "installer/install.h"
#include "installer/questions.h"
#include "installer/renewal_report.h"
#include "installer/start.h"
#include "stage.h"

#define FRESH_MS  300000
#define MIN_MS    10000
#define STALE_MS  600000
#define MINUTE_MS (REMOVAL_GUARD_SECONDS * 1000)

static void pass(int64_t ms)
{
	now_ms += ms;
	renewal_continue(&installer, now_ms);
}

static struct message_peer found(uint64_t id, uint32_t key)
{
	struct message_peer peer = peer_of(id, key, PEER_FOUND);

	peer.valid_ms = FRESH_MS;
	peer.stale_ms = STALE_MS;
	return peer;
}

static void drain(struct channel *channel)
{
	struct message message;

	while (channel_receive(channel, &message) == 0)
		continue;
}

static void install_as(const struct message_peer *peer)
{
	demand(peer->id, number_of(peer->key));
	dispatch_peer(&installer, peer);
	install_flush(&installer);
	drain(&capture);
	forget_kernel();
}

/* Peers first to last, fresh from now on. */
static void install_from(uint32_t first, uint32_t last)
{
	for (uint32_t key = first; key <= last; key++) {
		struct message_peer peer = found(key, key);

		install_as(&peer);
		if (key % 32 == 0)
			now_ms += TICKET_LIFE_MS; /* for the test's small table of tickets */
	}
}

static void install_many(uint32_t count)
{
	install_from(1, count);
}

/* The next message to the fetcher must ask about this key; its id. */
static uint64_t expect_question(uint32_t key)
{
	struct message message;

	assert_int_equal(channel_receive(&fetcher, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_REVALIDATE);
	assert_int_equal(number_of(message.revalidate.key), key);
	assert_int_equal(message.revalidate.end_to_end, 0);
	assert_true((message.revalidate.id & QUESTION_ID_BIT) != 0);
	return message.revalidate.id;
}

static void expect_no_question(void)
{
	struct message message;

	assert_int_equal(channel_receive(&fetcher, &message), -EAGAIN);
}

/* Passes the peer's freshness, and takes the question. */
static uint64_t let_ask(uint32_t key)
{
	pass(FRESH_MS);
	return expect_question(key);
}

static void reply(uint64_t id, uint32_t key, enum peer_answer what)
{
	struct message_peer peer = what == PEER_FOUND ? found(id, key) : peer_of(id, key, what);

	dispatch_peer(&installer, &peer);
	renewal_continue(&installer, now_ms);
}

/* Answers every question, however many, that comes within so long. The answers for 404 are `absent`
 * keys, from 1 on; the other keys are found. How many questions came. */
static unsigned serve(int64_t ms, uint32_t absent)
{
	struct message message;
	unsigned count = 0;

	for (int64_t end_ms = now_ms + ms; now_ms < end_ms;) {
		pass(100);
		while (channel_receive(&fetcher, &message) == 0) {
			uint32_t key = number_of(message.revalidate.key);

			reply(message.revalidate.id, key, key <= absent ? PEER_ABSENT : PEER_FOUND);
			count++;
		}
	}
	drain(&capture);
	return count;
}

static void test_asks_when_freshness_ends(void **state)
{
	struct message_peer peer = found(1, 1);
	uint64_t id;

	(void)state;
	install_as(&peer);
	pass(FRESH_MS * 8 / 10 - 1);
	expect_no_question();
	pass(FRESH_MS / 10 + 1);
	id = expect_question(1);
	pass(1000);
	expect_no_question(); /* it is out */
	reply(id, 1, PEER_FOUND);
	expect_kernel("");
	expect_silence();
	assert_int_equal(installer.counters.without_ticket, 0);
	/* And so on, from the answer. */
	pass(FRESH_MS * 8 / 10 - 1);
	expect_no_question();
	pass(FRESH_MS / 10 + 1);
	assert_int_not_equal(expect_question(1), id);
}

/* Peers that were installed in one moment are asked about over a tenth of their freshness. */
static void test_spread(void **state)
{
	unsigned early = 0;
	struct message message;

	(void)state;
	install_many(30);
	pass(FRESH_MS * 85 / 100);
	while (channel_receive(&fetcher, &message) == 0)
		early++;
	assert_in_range(early, 5, 25);
	for (unsigned i = 0; i < 50; i++)
		pass(FRESH_MS / 1000);
	while (channel_receive(&fetcher, &message) == 0)
		early++;
	assert_int_equal(early, 30);
}

static void test_minimum(void **state)
{
	struct message_peer peer = found(1, 1);
	uint64_t id;

	(void)state;
	peer.valid_ms = 0; /* no-cache */
	install_as(&peer);
	pass(MIN_MS - 1);
	expect_no_question();
	pass(1);
	id = expect_question(1);
	now_ms += 2000; /* it takes its time */
	peer.id = id;
	dispatch_peer(&installer, &peer);
	pass(MIN_MS - 1);
	expect_no_question();
	pass(1);
	expect_question(1);
}

/* Only the very id, and that for the very key, and once. */
static void test_strange_answers(void **state)
{
	const struct question *question = &installer.renewal.questions.items[0];
	uint32_t key, other;
	uint64_t id;

	(void)state;
	install_many(2);
	answer(QUESTION_ID_BIT | 1 << 8, 1, PEER_REVOKED); /* before anything was asked */
	answer(0, 1, PEER_REVOKED);
	pass(FRESH_MS);
	key = number_of(question->key);
	other = key == 1 ? 2 : 1;
	id = expect_question(key);
	answer(id, other, PEER_REVOKED);
	answer(id + QUESTIONS_MAX, key, PEER_REVOKED);
	answer(id & ~QUESTION_ID_BIT, key, PEER_REVOKED);
	renewal_continue(&installer, now_ms);
	expect_kernel("");
	assert_int_equal(installer.peers.installed, 2);
	assert_int_equal(installer.counters.without_ticket, 5);
}

static void test_answers_once(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	reply(id, 1, PEER_FOUND);
	reply(id, 1, PEER_REVOKED);
	assert_int_equal(installer.counters.without_ticket, 1);
	assert_non_null(find(1));
}

static void test_changed_allowed_ips(void **state)
{
	struct message_peer peer = found(0, 1);
	struct peer *known;
	int64_t installed_ms;

	(void)state;
	install_many(1);
	known = find(1);
	peers_confirm(&installer.peers, 0);
	installed_ms = known->installed_ms;
	peer.id = let_ask(1);
	peer.allowed_ips.count = 2;
	peer.allowed_ips.item[0] = prefix_of("10.7.0.1/32");
	peer.allowed_ips.item[1] = prefix_of("fd64::7/128");
	dispatch_peer(&installer, &peer);
	expect_kernel("[~=1k0]"); /* no endpoint, no replay */
	assert_int_equal(kernel.allowed_ip_count, 2);
	expect_silence();
	assert_int_equal(known->installed_ms, installed_ms);
	assert_true(known->is_confirmed && !known->is_intent);
	assert_true(peers_has_allowed_ips(&installer.peers, 0, peer.allowed_ips.item, 2));
	/* The same again, in another order: the kernel is told nothing. */
	pass(FRESH_MS);
	peer.id = expect_question(1);
	peer.allowed_ips.item[0] = prefix_of("fd64::7/128");
	peer.allowed_ips.item[1] = prefix_of("10.7.0.1/32");
	dispatch_peer(&installer, &peer);
	expect_kernel("");
}

static void test_changed_secrets(void **state)
{
	struct message_peer peer = found(0, 1);

	(void)state;
	install_many(1);
	peer.id = let_ask(1);
	memset(peer.preshared_key, 0x44, sizeof(peer.preshared_key));
	dispatch_peer(&installer, &peer);
	expect_kernel("[~1k0]");
	assert_int_equal(kernel.preshared_key, 0x44);
	assert_int_equal(kernel.allowed_ip_count, 0);
	pass(FRESH_MS);
	peer.id = expect_question(1);
	peer.persistent_keepalive = 300;
	dispatch_peer(&installer, &peer);
	expect_kernel("[~1k300]");
	pass(FRESH_MS);
	peer.id = expect_question(1);
	peer.has_preshared_key = 0;
	memset(peer.preshared_key, 0, sizeof(peer.preshared_key));
	dispatch_peer(&installer, &peer);
	expect_kernel("[~1k300]");
	assert_int_equal(kernel.preshared_key, 0);
	pass(FRESH_MS);
	peer.id = expect_question(1);
	dispatch_peer(&installer, &peer);
	expect_kernel("");
}

/* A dump that began before the update may show it as it was: it doesn't count. */
static void test_update_during_a_dump(void **state)
{
	struct message_peer peer = found(0, 1);
	struct device_peer shown = {.handshake_seconds = 5};
	struct prefix old = peer.allowed_ips.item[0];

	(void)state;
	install_many(1);
	peer.id = let_ask(1);
	peer.allowed_ips.item[0] = prefix_of("10.7.0.1/32");
	reconcile_begin(&installer.reconcile, now_ms);
	dispatch_peer(&installer, &peer);
	make_key(shown.public_key, 1);
	reconcile_peer(&installer.reconcile, &shown, false);
	reconcile_allowed_ip(&installer.reconcile, &old);
	reconcile_end(&installer.reconcile, false);
	assert_true(peers_has_allowed_ips(&installer.peers, 0, peer.allowed_ips.item, 1));
}

/* The kernel refuses, or there are too many installations: the peer stays, and is asked about again. */
static void test_update_fails(void **state)
{
	struct message_peer peer = found(0, 1);

	(void)state;
	install_many(1);
	peer.id = let_ask(1);
	peer.allowed_ips.item[0] = prefix_of("10.7.0.1/32");
	kernel.refused_key = 1;
	dispatch_peer(&installer, &peer);
	expect_kernel("[~=1k0!]");
	pass(MIN_MS);
	peer.id = expect_question(1);
	token_bucket_init(&installer.installs, 1, 1, now_ms);
	token_bucket_take(&installer.installs, now_ms);
	peer.persistent_keepalive = 7;
	dispatch_peer(&installer, &peer);
	expect_kernel("");
	assert_int_equal(installer.counters.rate_limited, 1);
	kernel.refused_key = 0;
	pass(2 * MIN_MS);
	peer.id = expect_question(1);
	dispatch_peer(&installer, &peer);
	assert_int_equal(kernel.changes, 3);
	assert_non_null(find(1));
}

/* What the policy doesn't admit now: the old configuration holds no more, the new one doesn't either. */
static void test_change_that_is_not_admitted(void **state)
{
	struct message_peer peer = found(0, 1);

	(void)state;
	install_many(1);
	peer.id = let_ask(1);
	peer.allowed_ips.item[0] = prefix_of("192.0.2.0/24");
	dispatch_peer(&installer, &peer);
	renewal_continue(&installer, now_ms);
	expect_removed(1);
	expect_silence();
	expect_kernel("[-1]");
	assert_null(find(1));
	assert_int_equal(installer.counters.rejected, 1);
}

static void test_change_into_anothers_address(void **state)
{
	struct message_peer peer = found(0, 2);

	(void)state;
	install_many(2);
	pass(FRESH_MS);
	peer.allowed_ips.item[0] = prefix_of("10.0.0.0/31"); /* 10.0.0.1 is the first one's */
	for (unsigned i = 0; i < 2; i++) {
		if (number_of(installer.renewal.questions.items[i].key) == 2)
			peer.id = installer.renewal.questions.items[i].id;
	}
	dispatch_peer(&installer, &peer);
	renewal_continue(&installer, now_ms);
	expect_kernel("[-2]");
	assert_non_null(find(1));
	assert_null(find(2));
}

/* A configuration that is as it was is not judged anew: a mistake in the policy ends no tunnels. */
static void test_unchanged_is_not_judged(void **state)
{
	struct message_installer_settings settings = settings_of(CONNECT_REPLAY, 2000);
	uint64_t id;

	(void)state;
	install_many(1);
	settings.allowed.count = 1;
	settings.allowed.item[0] = prefix_of("fd64::/32");
	start_apply_settings(&installer, &settings);
	id = let_ask(1);
	reply(id, 1, PEER_FOUND);
	expect_kernel("");
	assert_non_null(find(1));
}

static void test_revoked(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	reply(id, 1, PEER_REVOKED);
	expect_removed(1);
	expect_silence();
	expect_kernel("[-1]");
	assert_null(find(1));
	assert_int_equal(installer.peers.due.count, 0);
	assert_int_equal(installer.peers.load, 0);
}

/* Revoked ones go at their rate, in batches, and none is lost. */
static void test_rate_of_revocations(void **state)
{
	struct message message;
	unsigned before;

	(void)state;
	install_many(60);
	pass(FRESH_MS);
	pass(1000);
	pass(1000);
	assert_int_equal(installer.renewal.questions.count, 60);
	token_bucket_init(&installer.removals, 1, 20, now_ms);
	while (channel_receive(&fetcher, &message) == 0)
		answer(message.revalidate.id, number_of(message.revalidate.key), PEER_REVOKED);
	renewal_continue(&installer, now_ms);
	assert_int_equal(installer.peers.installed, 60 - 16);
	renewal_continue(&installer, now_ms); /* rests */
	assert_int_equal(installer.peers.installed, 60 - 16);
	assert_true(renewal_timeout_ms(&installer, now_ms) > 0);
	pass(10);
	assert_int_equal(installer.peers.installed, 60 - 20);
	assert_int_equal(kernel.calls - 60, 2);
	before = installer.peers.installed;
	for (unsigned second = 0; second < 40; second++) {
		assert_in_range(renewal_timeout_ms(&installer, now_ms), 1, 1000);
		pass(1000);
		assert_int_equal(installer.peers.installed, --before);
		drain(&capture);
	}
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), -1);
	expect_no_question();
}

/* While some must go, others are not asked about, which bounds them. */
static void test_revocations_bound_questions(void **state)
{
	uint64_t id;

	(void)state;
	install_many(2);
	pass(FRESH_MS * 8 / 10 - 1);
	token_bucket_init(&installer.removals, 1, 1, now_ms);
	token_bucket_take(&installer.removals, now_ms);
	pass(1);
	for (unsigned i = 0; i < 1000 && installer.renewal.questions.count == 0; i++)
		pass(30);
	id = installer.renewal.questions.items[0].id;
	token_bucket_init(&installer.removals, 1, 1, now_ms);
	token_bucket_take(&installer.removals, now_ms);
	answer(id, number_of(installer.renewal.questions.items[0].key), PEER_REVOKED);
	drain(&fetcher);
	installer.removals.filled_ms = now_ms + FRESH_MS; /* no token for so long */
	pass(FRESH_MS - 1);
	expect_no_question();
	pass(2000);
	assert_int_equal(installer.peers.installed, 1);
	assert_int_equal(channel_receive(&fetcher, &(struct message){.type = 0}), 0);
}

static void fill(struct channel *channel, const struct message *message)
{
	while (channel_send(channel, message) == 0)
		continue;
}

/* capture can't be told, or the kernel refuses: it goes as soon as it can. */
static void test_revoked_later(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	fill(&installer.process.channels[ROLE_CAPTURE],
		&(struct message){.type = MESSAGE_TYPE_REMOVED});
	reply(id, 1, PEER_REVOKED);
	expect_kernel("");
	assert_non_null(find(1));
	assert_in_range(renewal_timeout_ms(&installer, now_ms), 1, 1000);
	drain(&capture);
	kernel.refuses_removals = true;
	pass(100);
	expect_kernel("[-1!]");
	pass(999);
	expect_kernel("");
	kernel.refuses_removals = false;
	pass(1);
	expect_kernel("[-1]");
	assert_null(find(1));
}

/* It has yet to go, and a newer 200 comes: it stays. A failure or a 404 changes nothing. */
static void test_saved(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	token_bucket_init(&installer.removals, 1, 1, now_ms);
	token_bucket_take(&installer.removals, now_ms);
	demand(5, 1);
	answer(5, 1, PEER_REVOKED);
	expect_outcome(5, 1, OUTCOME_REVOKED);
	demand(6, 1);
	answer(6, 1, PEER_ABSENT);
	reply(id, 1, PEER_FAILED);
	assert_int_equal(find(1)->condemned, CONDEMNED_REVOKED);
	assert_int_equal(installer.peers.due.items[0].at_ms, DUE_AT_ONCE);
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	install_flush(&installer);
	assert_int_equal(find(1)->condemned, CONDEMNED_NOT);
	pass(5000);
	assert_non_null(find(1));
}

static void test_absent(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	reply(id, 1, PEER_ABSENT);
	expect_removed(1);
	expect_kernel("[-1]");
	assert_null(find(1));
}

/* It was asked about in good time, and waits for the end of its freshness. */
static void test_absent_waits(void **state)
{
	int64_t fresh_until_ms;
	uint64_t id;

	(void)state;
	install_many(1);
	fresh_until_ms = now_ms + FRESH_MS;
	pass(FRESH_MS * 9 / 10);
	id = expect_question(1);
	reply(id, 1, PEER_ABSENT);
	pass(fresh_until_ms - now_ms - 1);
	expect_kernel("");
	expect_no_question();
	pass(1);
	expect_removed(1);
	expect_kernel("[-1]");
}

/* A newer answer saves it; 410 doesn't wait. */
static void test_absent_no_more(void **state)
{
	struct message_peer peer = found(70, 1);

	(void)state;
	install_many(2);
	pass(FRESH_MS / 2);
	for (uint32_t key = 1; key <= 2; key++) {
		demand(60 + key, key);
		answer(60 + key, key, PEER_ABSENT);
		assert_int_equal(find(key)->condemned, CONDEMNED_ABSENT);
	}
	install_as(&peer);
	assert_int_equal(find(1)->condemned, CONDEMNED_NOT);
	demand(80, 2);
	answer(80, 2, PEER_REVOKED);
	expect_kernel("[-2]");
	pass(FRESH_MS / 2);
	expect_kernel("");
	assert_non_null(find(1));
}

/* As many as may go within a minute do, at the end of their freshness. */
static void test_some_absent(void **state)
{
	(void)state;
	install_many(40);
	serve(FRESH_MS + 1000, REMOVAL_GUARD_MIN);
	assert_int_equal(installer.peers.installed, 40 - REMOVAL_GUARD_MIN);
	assert_false(installer.peers.guard.is_up);
	assert_int_equal(installer.peers.guard.absent, 0);
}

/* Peers 1 to 40 in the installer, of which all are 404 for a while: they all stay. */
static void lose_docroot(void)
{
	install_many(40);
	serve(FRESH_MS * 2, 40);
	assert_int_equal(installer.peers.installed, 40);
	assert_true(installer.peers.guard.is_up);
}

static void test_guard(void **state)
{
	unsigned asked;

	(void)state;
	lose_docroot();
	/* They are asked about again, no sooner than they may, and stay for however long it lasts. */
	asked = serve(3600000, 40);
	assert_in_range(asked, 40 * 3600 / 11 - 40, 40 * 3600 / 10);
	assert_int_equal(installer.peers.installed, 40);
	/* All is well again: nothing is done by what was said before. */
	serve(MINUTE_MS + MIN_MS * 2, 0);
	assert_false(installer.peers.guard.is_up);
	serve(2 * FRESH_MS, 0);
	assert_int_equal(installer.peers.installed, 40);
	/* And one that is absent now goes. */
	serve(FRESH_MS + 1000, 1);
	assert_int_equal(installer.peers.installed, 39);
	assert_int_equal(kernel.changes, 40 + 1);
}

/* Asked too late for them to wait, because they are never fresh for long: some go before it shows. */
static void test_guard_without_time(void **state)
{
	(void)state;
	install_many(40);
	pass(FRESH_MS);
	serve(MIN_MS, 40);
	assert_int_equal(installer.peers.installed, 40 - REMOVAL_GUARD_MIN);
	assert_true(installer.peers.guard.is_up);
}

/* A few that are due long before the others: the others are asked before one of the few goes. */
static void test_guard_calls_witnesses(void **state)
{
	(void)state;
	install_many(5);
	serve(FRESH_MS / 2, 0);
	install_from(6, 40);
	serve(FRESH_MS / 2, 40);
	assert_int_equal(installer.peers.installed, 40);
	assert_true(installer.peers.guard.is_up);
}

/* So many that they could stop the removals, and no more within the minute. */
static void test_witnesses_are_few(void **state)
{
	(void)state;
	install_many(2);
	serve(FRESH_MS / 2, 0);
	install_from(3, 40);
	pass(MIN_MS);
	for (uint32_t key = 1; key <= 2; key++) {
		demand(100 + key, key);
		answer(100 + key, key, PEER_ABSENT);
	}
	/* Peer 2 was one of them, and has answered. */
	assert_int_equal(serve(1000, 0), REMOVAL_GUARD_MIN - 1);
	demand(200, 3);
	answer(200, 3, PEER_ABSENT);
	assert_int_equal(serve(1000, 0), 0);
	pass(MINUTE_MS);
	demand(300, 4);
	answer(300, 4, PEER_ABSENT);
	assert_int_equal(serve(1000, 0), REMOVAL_GUARD_MIN - 3);
	assert_false(installer.peers.guard.is_up);
}

/* Those who said something within min_revalidate aren't asked again. */
static void test_witnesses_may_be_asked(void **state)
{
	(void)state;
	install_many(20);
	pass(MIN_MS - 1);
	demand(100, 1);
	answer(100, 1, PEER_ABSENT);
	pass(0);
	expect_no_question();
}

/* 410 goes, guard or not. */
static void test_guard_and_revoked(void **state)
{
	struct message message;

	(void)state;
	lose_docroot();
	pass(MIN_MS * 2);
	assert_int_equal(channel_receive(&fetcher, &message), 0);
	reply(message.revalidate.id, number_of(message.revalidate.key), PEER_REVOKED);
	assert_null(find(number_of(message.revalidate.key)));
	assert_int_equal(installer.peers.installed, 39);
}

/* A demand's 404 about an installed key counts as any other, and is held back as any other. */
static void test_guard_and_demands(void **state)
{
	uint32_t key;

	(void)state;
	install_many(30);
	now_ms += FRESH_MS; /* not asked about yet */
	for (key = 1; key <= REMOVAL_GUARD_MIN; key++) {
		demand(100 + key, key);
		answer(100 + key, key, PEER_ABSENT);
		expect_removed(key);
		assert_int_equal(expect_outcome(100 + key, key, OUTCOME_ABSENT), 4321);
		assert_null(find(key));
	}
	demand(200, key);
	answer(200, key, PEER_ABSENT);
	expect_outcome(200, key, OUTCOME_ABSENT);
	expect_silence();
	assert_non_null(find(key));
	assert_true(installer.peers.guard.is_up);
	demand(300, 999); /* one that isn't installed is nothing to the guard */
	answer(300, 999, PEER_ABSENT);
	expect_outcome(300, 999, OUTCOME_ABSENT);
	assert_int_equal(installer.peers.guard.spared, 1);
	/* The spared one is asked about again, no sooner than it may be. */
	for (uint32_t other = key + 1; other <= 30; other++)
		due_queue_set(&installer.peers.due, other - 1, now_ms + FRESH_MS);
	drain(&fetcher);
	pass(MIN_MS - 1);
	assert_int_equal(find(key)->question, 0);
	pass(MIN_MS / 10 + 1);
	assert_int_not_equal(find(key)->question, 0);
}

static void test_operator_agrees(void **state)
{
	struct message_installer_settings settings = settings_of(CONNECT_REPLAY, 2000);

	(void)state;
	lose_docroot();
	settings.removal_guard_percent = 100;
	start_apply_settings(&installer, &settings);
	assert_int_equal(installer.peers.installed, 40);
	serve(MIN_MS * 2, 40);
	assert_int_equal(installer.peers.installed, 0);
}

/* Longer and longer pauses, and it stays; the first answer ends that. */
static void test_failed(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	reply(id, 1, PEER_FAILED);
	pass(MIN_MS - 1);
	expect_no_question();
	pass(1);
	id = expect_question(1);
	reply(id, 1, PEER_FAILED);
	pass(MIN_MS * 2 * 9 / 10 - 1);
	expect_no_question();
	pass(MIN_MS);
	id = expect_question(1);
	reply(id, 1, PEER_FOUND);
	expect_kernel("");
	pass(FRESH_MS * 8 / 10 - 1);
	expect_no_question();
	assert_int_equal(installer.peers.stale, 0);
}

/* Fails every question for so long. */
static void fail_for(int64_t ms)
{
	struct message message;

	for (int64_t end_ms = now_ms + ms; now_ms < end_ms;) {
		pass(100);
		while (channel_receive(&fetcher, &message) == 0)
			reply(message.revalidate.id, number_of(message.revalidate.key),
				PEER_FAILED);
	}
}

static void test_stale_kept(void **state)
{
	(void)state;
	install_many(3);
	fail_for(FRESH_MS + STALE_MS - 1000);
	assert_int_equal(installer.peers.stale, 0);
	fail_for(120000);
	assert_int_equal(installer.peers.installed, 3);
	assert_int_equal(installer.peers.stale, 3);
	expect_kernel("");
	serve(120000, 0);
	assert_int_equal(installer.peers.stale, 0);
}

/* Not before its time, and at it. */
static void test_stale_removed(void **state)
{
	struct message_installer_settings settings = settings_of(CONNECT_REPLAY, 2000);

	(void)state;
	settings.on_stale = ON_STALE_REMOVE;
	start_apply_settings(&installer, &settings);
	install_many(3);
	fail_for(FRESH_MS + STALE_MS - 1000);
	assert_int_equal(installer.peers.installed, 3);
	fail_for(MIN_MS + 2000); /* the last try may be no older */
	assert_int_equal(installer.peers.installed, 0);
	assert_int_equal(installer.peers.stale, 0);
	assert_int_equal(kernel.changes, 3 + 3);
}

/* Kept ones that are stale already go when the operator says so. */
static void test_settings(void **state)
{
	struct message_installer_settings settings = settings_of(CONNECT_REPLAY, 2000);

	(void)state;
	install_many(2);
	fail_for(FRESH_MS + STALE_MS + 120000);
	assert_int_equal(installer.peers.stale, 2);
	settings.on_stale = ON_STALE_REMOVE;
	settings.min_revalidate_ms = 5000;
	settings.requests_per_second = 7;
	start_apply_settings(&installer, &settings);
	assert_int_equal(renewal_have(&installer), 3);
	fail_for(61000);
	assert_int_equal(installer.peers.installed, 0);
	assert_int_equal(installer.peers.stale, 0);
	settings.requests_per_second = 1;
	start_apply_settings(&installer, &settings);
	assert_int_equal(renewal_have(&installer), 1);
}

/* The fetcher reads nothing: later, and nobody is forgotten. */
static void test_full_channel(void **state)
{
	struct message question = {.type = MESSAGE_TYPE_REVALIDATE};

	(void)state;
	install_many(1);
	fill(&installer.process.channels[ROLE_FETCHER], &question);
	pass(FRESH_MS);
	assert_int_equal(installer.renewal.questions.count, 0);
	assert_in_range(renewal_timeout_ms(&installer, now_ms), 1, 1000);
	drain(&fetcher);
	pass(100);
	expect_question(1);
}

static void test_without_a_fetcher(void **state)
{
	(void)state;
	install_many(1);
	channel_close(&fetcher);
	pass(FRESH_MS);
	assert_in_range(renewal_timeout_ms(&installer, now_ms), 1, 1000);
	assert_int_equal(installer.renewal.questions.count, 0);
	assert_int_equal(installer.peers.due.count, 1);
}

/* Half of the rate, and so many at a time. */
static void test_pace(void **state)
{
	unsigned count = 0;

	(void)state;
	install_many(1000);
	pass(FRESH_MS); /* all are due */
	for (unsigned ms = 0; ms < 1000; ms += 10) {
		pass(10);
		for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
			struct question *question = &installer.renewal.questions.items[i];

			if (question->id != 0) {
				answer(question->id, number_of(question->key), PEER_FOUND);
				count++;
			}
		}
		drain(&fetcher);
	}
	assert_in_range(count, 250, 275);
	for (unsigned i = 0; i < 300; i++)
		pass(10);
	assert_int_equal(installer.renewal.questions.count, QUESTIONS_MAX);
}

/* What gets no answer is asked about again; a late answer does nothing then. */
static void test_lost(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	pass(QUESTION_PATIENCE_MS - 1);
	assert_int_equal(installer.renewal.questions.count, 1);
	pass(1000);
	assert_int_equal(installer.renewal.questions.count, 0);
	assert_int_equal(installer.renewal.unanswered, 1);
	answer(id, 1, PEER_REVOKED);
	pass(MIN_MS);
	assert_non_null(find(1));
	id = expect_question(1);
	reply(id, 1, PEER_REVOKED);
	assert_null(find(1));
}

static void test_another_fetcher(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	dispatch_renewed(&installer, ROLE_CAPTURE);
	pass(0);
	expect_no_question();
	dispatch_renewed(&installer, ROLE_FETCHER);
	pass(0);
	assert_int_not_equal(expect_question(1), id);
	reply(id, 1, PEER_REVOKED);
	assert_non_null(find(1));
	assert_int_equal(installer.renewal.questions.count, 1);
}

/* The peer went while it was asked about, and another one has its slot. */
static void test_gone_meanwhile(void **state)
{
	struct message_peer peer = found(2, 2);
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	peers_remove(&installer.peers, 0);
	install_as(&peer);
	assert_ptr_equal(find(2), &installer.peers.items[0]);
	reply(id, 1, PEER_REVOKED);
	assert_non_null(find(2));
	assert_int_equal(installer.renewal.questions.count, 0);
	assert_int_equal(installer.counters.without_ticket, 0);
}

/* It went and came back under the same key: what was asked before says nothing of it. */
static void test_back_meanwhile(void **state)
{
	struct message_peer peer = found(2, 1);
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	peers_remove(&installer.peers, 0);
	install_as(&peer);
	reply(id, 1, PEER_ABSENT);
	assert_non_null(find(1));
}

/* The answer to a demand counts as well: it is fresh from then on. */
static void test_demand_renews(void **state)
{
	struct message_peer peer = found(7, 1);

	(void)state;
	install_many(1);
	pass(FRESH_MS / 2);
	install_as(&peer);
	pass(FRESH_MS * 8 / 10 - 1);
	expect_no_question();
	pass(FRESH_MS / 10 + 1);
	expect_question(1);
}

/* An answer behind a demand's, before the kernel was told of that one: in their order. */
static void test_answer_behind_the_batch(void **state)
{
	uint64_t id;

	(void)state;
	install_many(1);
	id = let_ask(1);
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	reply(id, 1, PEER_REVOKED);
	expect_kernel("[+1k0]r1[-1]");
	assert_null(find(1));
}

/* A refused demand while the batch holds another answer for the same key. */
static void test_refusal_behind_the_batch(void **state)
{
	(void)state;
	install_many(2);
	demand(7, 1);
	answer(7, 1, PEER_FOUND);
	demand(8, 2);
	answer(8, 2, PEER_REVOKED);
	expect_kernel("[+1k0]r1[-2]");
	install_flush(&installer);
	expect_kernel("");
	assert_non_null(find(1));
}

static void test_static_is_not_asked_about(void **state)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	(void)state;
	make_key(key, 1);
	peers_add(&installer.peers, key, KNOWN_STATIC);
	pass(FRESH_MS * 100);
	expect_no_question();
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), -1);
}

/* What the promised freshness takes. */
static void test_budget(void **state)
{
	struct message_peer peer = found(5000, 5000);

	(void)state;
	assert_int_equal(renewal_needed(&installer), 0);
	install_many(900);
	assert_int_equal(renewal_needed(&installer), 3);
	assert_int_equal(renewal_have(&installer), 250);
	renewal_report(&installer, now_ms);
	assert_int_equal(installer.renewal.lines.not_held_ms, 0);
	peer.valid_ms = 0;
	install_as(&peer);
	assert_int_equal(installer.peers.load, 900 * 3333 + 100000);
	peers_remove(&installer.peers, (uint32_t)(find(5000) - installer.peers.items));
	assert_int_equal(installer.peers.load, 900 * 3333);
	installer.peers.load = UINT64_C(250000001);
	assert_int_equal(renewal_needed(&installer), 251);
	renewal_report(&installer, now_ms);
	assert_int_equal(installer.renewal.lines.not_held_ms, now_ms + 60000);
	installer.peers.load = 900 * 3333;
}

/* Each line when it becomes true, and then every minute. */
static void test_lines(void **state)
{
	struct renewal_lines *lines = &installer.renewal.lines;

	(void)state;
	renewal_report(&installer, now_ms);
	assert_false(lines->said_stopped);
	lose_docroot();
	renewal_report(&installer, now_ms);
	assert_true(lines->said_stopped);
	assert_int_equal(lines->stopped_ms, now_ms + 60000);
	now_ms += 59999;
	renewal_report(&installer, now_ms);
	assert_int_equal(lines->stopped_ms, now_ms + 1);
	now_ms += 1;
	renewal_report(&installer, now_ms);
	assert_int_equal(lines->stopped_ms, now_ms + 60000);
	installer.peers.guard.is_up = false;
	renewal_report(&installer, now_ms);
	assert_false(lines->said_stopped);
	assert_int_equal(lines->stale_ms, 0);
	peers_set_stale(&installer.peers, 0, true);
	renewal_report(&installer, now_ms);
	assert_int_equal(lines->stale_ms, now_ms + 60000);
}

static void test_timeout(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), -1);
	install_many(1);
	assert_in_range(
		renewal_timeout_ms(&installer, now_ms), FRESH_MS * 8 / 10, FRESH_MS * 9 / 10);
	now_ms += FRESH_MS;
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), 0);
	pass(0);
	id = expect_question(1);
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), 1000);
	reply(id, 1, PEER_FAILED);
	assert_int_equal(renewal_timeout_ms(&installer, now_ms), MIN_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asks_when_freshness_ends),
		TEST(test_spread),
		TEST(test_minimum),
		TEST(test_strange_answers),
		TEST(test_answers_once),
		TEST(test_changed_allowed_ips),
		TEST(test_changed_secrets),
		TEST(test_update_during_a_dump),
		TEST(test_update_fails),
		TEST(test_change_that_is_not_admitted),
		TEST(test_change_into_anothers_address),
		TEST(test_unchanged_is_not_judged),
		TEST(test_revoked),
		TEST(test_rate_of_revocations),
		TEST(test_revocations_bound_questions),
		TEST(test_revoked_later),
		TEST(test_saved),
		TEST(test_absent),
		TEST(test_absent_waits),
		TEST(test_absent_no_more),
		TEST(test_some_absent),
		TEST(test_guard),
		TEST(test_guard_without_time),
		TEST(test_guard_calls_witnesses),
		TEST(test_witnesses_are_few),
		TEST(test_witnesses_may_be_asked),
		TEST(test_guard_and_revoked),
		TEST(test_guard_and_demands),
		TEST(test_operator_agrees),
		TEST(test_failed),
		TEST(test_stale_kept),
		TEST(test_stale_removed),
		TEST(test_settings),
		TEST(test_full_channel),
		TEST(test_without_a_fetcher),
		TEST(test_pace),
		TEST(test_lost),
		TEST(test_another_fetcher),
		TEST(test_gone_meanwhile),
		TEST(test_back_meanwhile),
		TEST(test_demand_renews),
		TEST(test_answer_behind_the_batch),
		TEST(test_refusal_behind_the_batch),
		TEST(test_static_is_not_asked_about),
		TEST(test_budget),
		TEST(test_lines),
		TEST(test_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
