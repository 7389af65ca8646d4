/* SPDX-License-Identifier: ISC */
/*
 * The real fetcher and connector against origins that fail or misbehave, in a network namespace of
 * the test's own. Needs root and Debian's nginx; else it is skipped.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include "origin.h"
#include "pair.h"

#define SCRIPTED_PORT 9000

static void outlives_an_outage(void **state)
{
	struct pair_settings settings = http_settings();
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 130);
	origin_stop(&origin);
	pair_await_log(&pair, "event=connect_failed", 1);
	make_key(key, 131);
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_FAILED);
	assert_true(pair_logged(&pair, "Connection refused") >= 2);
	origin_start(&origin);
	find_again(&pair, 131);
	pair_stop(&pair);
}

/* The connection stays, and nobody is behind it: HTTP/2 would keep using it. */
static void outlives_a_frozen_origin(void **state)
{
	static const uint16_t ports[] = {ORIGIN_HTTPS_1, ORIGIN_HTTPS_2};

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct pair_settings settings = https_settings(ports[i]);
		struct pair pair;

		settings.timeout_ms = 300;
		pair_start(&pair, origin.directory, &settings);
		expect_found(&pair, 135);
		kill(origin.nginx, SIGSTOP);
		expect_failed(&pair, 136, "timed out");
		/* The breaker is open by now: nobody waits for a time-out. */
		expect_failed(&pair, 137, "the origin fails");
		kill(origin.nginx, SIGCONT);
		find_again(&pair, 138);
		/* Not over the connection that had gone silent. */
		assert_int_equal(pair_logged(&pair, "reused=yes"), 0);
		pair_stop(&pair);
	}
}

static void outlives_its_connector(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.port = ORIGIN_ONE_A_TIME;
	settings.url = "http://127.0.0.1:8081/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 140);
	for (unsigned i = 0; i < 5; i++) {
		pair_restart_connector(&pair, &settings);
		expect_found(&pair, 141 + 3 * i);
		expect_found(&pair, 142 + 3 * i);
		expect_found(&pair, 143 + 3 * i);
	}
	pair_stop(&pair);
}

/* Every way in which the server misbehaves ends as a failure, and the next origin is served. */
static void outlives_misbehaviour(void **state)
{
	static const struct {
		enum misbehaviour how;
		const char *reason;
	} rows[] = {
		{SAYS_NOTHING, "timed out"},
		{CLOSES_AFTER_REQUEST, "Empty reply from server"},
		{ENDLESS_HEADERS, "header larger than 32768 bytes"},
		{ENDLESS_INTERIM, "header larger than 32768 bytes"},
		{ENDLESS_BODY, "body larger than 65536 bytes"},
		{CUT_BODY, "transfer closed with"},
		{CUT_HEADER, "closed within the header"},
		{TWO_LENGTHS, "several values of Content-Length"},
		{TRICKLES, "timed out"},
		{NO_HTTP, "answer_failed"},
	};
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.timeout_ms = 500;
	settings.port = SCRIPTED_PORT;
	settings.url = "http://127.0.0.1:9000/peer/{key}";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t server = misbehave(rows[i].how, SCRIPTED_PORT);
		struct pair_settings good = http_settings();

		pair_start(&pair, origin.directory, &settings);
		expect_failed(&pair, 160, rows[i].reason);
		pair_reload(&pair, &good);
		expect_found(&pair, 161);
		pair_stop(&pair);
		stop_misbehaving(server);
	}
}

/* TLS towards a server that closes at every stage. */
static void outlives_broken_tls(void **state)
{
	static const enum misbehaviour rows[] = {
		SAYS_NOTHING, CLOSES_AT_ONCE, CLOSES_AFTER_REQUEST, NO_HTTP};
	struct pair_settings settings = https_settings(ORIGIN_HTTPS_1);
	struct pair pair;

	(void)state;
	settings.timeout_ms = 500;
	settings.port = SCRIPTED_PORT;
	settings.url = "https://localhost:9000/peer/{key}";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t server = misbehave(rows[i], SCRIPTED_PORT);

		pair_start(&pair, origin.directory, &settings);
		expect_failed(&pair, 170, "answer_failed");
		pair_stop(&pair);
		stop_misbehaving(server);
	}
}

/* A kept connection that is closed under the next request: that one is made again. */
static void repeats_a_request_on_a_dead_connection(void **state)
{
	struct pair_settings settings = http_settings();
	pid_t server = misbehave(ANSWERS_ONCE, SCRIPTED_PORT);
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	settings.port = SCRIPTED_PORT;
	settings.url = "http://127.0.0.1:9000/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	for (unsigned i = 180; i < 190; i++) {
		make_key(key, i);
		assert_int_equal(pair_fetch(&pair, key, &peer), PEER_ABSENT);
	}
	assert_int_equal(pair_logged(&pair, "answer_failed"), 0);
	pair_stop(&pair);
	stop_misbehaving(server);
}

/* What waits on a kept connection is nobody's answer, least of all the next key's. */
static void takes_no_answer_before_it_asks(void **state)
{
	struct pair_settings settings = http_settings();
	pid_t server = misbehave(SAYS_MORE, SCRIPTED_PORT);
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	settings.port = SCRIPTED_PORT;
	settings.url = "http://127.0.0.1:9000/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	for (unsigned i = 190; i < 200; i++) {
		make_key(key, i);
		assert_int_equal(pair_fetch(&pair, key, &peer), PEER_ABSENT);
	}
	assert_int_equal(pair_logged(&pair, "answer_failed"), 0);
	pair_stop(&pair);
	stop_misbehaving(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outlives_an_outage),
		cmocka_unit_test(outlives_a_frozen_origin),
		cmocka_unit_test(outlives_its_connector),
		cmocka_unit_test(outlives_misbehaviour),
		cmocka_unit_test(outlives_broken_tls),
		cmocka_unit_test(repeats_a_request_on_a_dead_connection),
		cmocka_unit_test(takes_no_answer_before_it_asks),
	};

	if (!pair_can_run())
		return 77;
	return cmocka_run_group_tests(tests, open_origin, close_origin);
}
