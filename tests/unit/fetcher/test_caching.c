/* SPDX-License-Identifier: ISC */
/* What the fetcher keeps, and when it asks again: the two real processes against nginx. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "expect.h"
#include "origin.h"
#include "pair.h"

#define REQUEST     "event=request"
#define ASKED_MS    30000                     /* some pauses of the breaker */
#define CONDITIONAL "Wlo cache=\"fwd=stale\"" /* of a request: behind the key in its URL */

static struct pair pair;

/* Starts both with an origin below that path. */
static void start(const char *path, unsigned timeout_ms)
{
	char url[128];
	const struct pair_settings settings = {
		.host = "127.0.0.1", .port = ORIGIN_HTTP, .url = url, .timeout_ms = timeout_ms};

	snprintf(url, sizeof(url), "http://127.0.0.1:8080/%s/{key}", path);
	pair_start(&pair, origin.directory, &settings);
}

static const uint8_t *key_of(uint8_t number)
{
	static uint8_t key[32];

	memset(key, 0x5a, sizeof(key));
	key[0] = number;
	return key;
}

static void put(uint8_t number, const char *allowed_ips)
{
	char members[128];

	snprintf(members, sizeof(members), "\"allowed_ips\": [%s]", allowed_ips);
	origin_put(&origin, key_of(number), members);
}

static void take_away(uint8_t number)
{
	char name[KEY_BASE64_URL_BYTES], path[128];

	snprintf(path, sizeof(path), "docroot/peer/%s", key_to_base64_url(name, key_of(number)));
	assert_int_equal(unlink(origin_path(&origin, path)), 0);
}

/* Asks as capture does, and expects that answer. */
static struct message_peer expect(uint8_t number, enum peer_answer answer)
{
	struct message_peer peer;

	if (pair_fetch(&pair, key_of(number), &peer) != answer) {
		pair_show_log(&pair);
		fail_msg("answer %d where %d is right", (int)peer.answer, (int)answer);
	}
	return peer;
}

/* The same as the installer does. */
static struct message_peer expect_renewed(uint8_t number, enum peer_answer answer)
{
	uint64_t id = pair_renew(&pair, key_of(number));
	struct message_peer peer;

	pair_answer(&pair, &peer);
	assert_true(peer.id == id);
	assert_memory_equal(peer.key, key_of(number), 32);
	if (peer.answer != answer) {
		pair_show_log(&pair);
		fail_msg("answer %d where %d is right", (int)peer.answer, (int)answer);
	}
	return peer;
}

static void a_fresh_copy_costs_no_request(void **state)
{
	(void)state;
	start("peer", 0);
	put(1, "\"10.64.0.1/32\"");
	expect(1, PEER_FOUND);
	take_away(1);
	assert_int_equal(expect(1, PEER_FOUND).allowed_ips.count, 1);
	assert_int_equal(pair_logged(&pair, REQUEST), 1);
	assert_int_equal(pair_logged(&pair, "cache=\"hit; ttl="), 1);
	pair_stop(&pair);
}

/* A token that is renewed every hour must not make the gateway forget whom it knows. */
static void copies_outlive_a_change_of_credentials(void **state)
{
	struct pair_settings settings = http_settings();

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	put(9, "\"10.64.0.9/32\"");
	expect(9, PEER_FOUND);
	settings.materials[MATERIAL_TOKEN] = origin_path(&origin, "token");
	settings.timeout_ms = 1000;
	pair_reload(&pair, &settings);
	expect(9, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, REQUEST), 1);
	/* But not one of those who are believed. */
	settings.materials[MATERIAL_CA] = ca_path;
	pair_reload(&pair, &settings);
	expect(9, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, REQUEST), 2);
	pair_stop(&pair);
}

static void a_renewal_asks_conditionally(void **state)
{
	struct message_peer first, again;

	(void)state;
	start("peer", 0);
	put(2, "\"10.64.0.2/32\", \"fd64::2\"");
	first = expect(2, PEER_FOUND);
	again = expect_renewed(2, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, CONDITIONAL), 1);
	assert_int_equal(pair_logged(&pair, "status=304"), 1);
	assert_memory_equal(&again.allowed_ips, &first.allowed_ips, sizeof(first.allowed_ips));
	assert_memory_equal(again.public_key, key_of(2), 32);
	/* Changed, then gone: each at the next renewal. */
	put(2, "\"10.64.0.2/32\"");
	assert_int_equal(expect_renewed(2, PEER_FOUND).allowed_ips.count, 1);
	take_away(2);
	expect_renewed(2, PEER_ABSENT);
	assert_int_equal(pair_logged(&pair, CONDITIONAL), 3);
	/* Nothing that was kept revives the key. */
	expect(2, PEER_ABSENT);
	origin_stop(&origin);
	expect(2, PEER_ABSENT);
	expect_renewed(2, PEER_FAILED);
	origin_start(&origin);
	pair_stop(&pair);
}

static void a_renewal_without_a_copy_asks_plainly(void **state)
{
	(void)state;
	start("peer", 0);
	put(3, "\"10.64.0.3/32\"");
	expect_renewed(3, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, CONDITIONAL), 0);
	pair_stop(&pair);
}

static void what_must_not_be_kept_is_not(void **state)
{
	(void)state;
	start("unkept", 0);
	put(4, "\"10.64.0.4/32\"");
	assert_int_equal(expect(4, PEER_FOUND).valid_ms, 0);
	expect(4, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, REQUEST), 2);
	assert_int_equal(pair_logged(&pair, CONDITIONAL), 0);
	pair_stop(&pair);
}

static void a_stale_copy_is_used_while_the_origin_fails(void **state)
{
	struct message_peer peer;

	(void)state;
	start("stale", 0);
	put(5, "\"10.64.0.5/32\"");
	expect(5, PEER_FOUND);
	/* Not while it answers. */
	expect(5, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, "status=304"), 1);
	origin_stop(&origin);
	peer = expect(5, PEER_FOUND);
	assert_int_equal(peer.valid_ms, 0);
	assert_in_range(peer.stale_ms, 1, 60000);
	/* The installer has the copy, and is told the truth. */
	expect_renewed(5, PEER_FAILED);
	expect(6, PEER_FAILED);
	origin_start(&origin);
	pair_stop(&pair);
}

/* Not even when that answer holds for no time at all. */
static void a_definite_answer_ends_every_copy(void **state)
{
	(void)state;
	start("stale", 0);
	put(9, "\"10.64.0.9/32\"");
	expect(9, PEER_FOUND);
	take_away(9);
	assert_int_equal(expect(9, PEER_ABSENT).valid_ms, 0);
	origin_stop(&origin);
	expect(9, PEER_FAILED);
	origin_start(&origin);
	pair_stop(&pair);
}

static void a_stale_copy_is_used_when_the_origin_is_slow(void **state)
{
	(void)state;
	start("stale", 20000);
	put(7, "\"10.64.0.7/32\"");
	expect(7, PEER_FOUND);
	kill(origin.nginx, SIGSTOP);
	expect(7, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, "detail=stale"), 1);
	/* The request goes on, for the cache. */
	kill(origin.nginx, SIGCONT);
	pair_await_log(&pair, "status=304", 1);
	pair_stop(&pair);
}

static void a_copy_is_used_while_it_is_refreshed(void **state)
{
	(void)state;
	start("refreshed", 0);
	put(8, "\"10.64.0.8/32\"");
	expect(8, PEER_FOUND);
	put(8, "\"10.64.0.8/32\", \"fd64::8\"");
	assert_int_equal(expect(8, PEER_FOUND).allowed_ips.count, 1);
	pair_await_log(&pair, "status=200", 2);
	assert_int_equal(expect(8, PEER_FOUND).allowed_ips.count, 2);
	pair_stop(&pair);
}

static void mark(const char *name)
{
	FILE *file = fopen(origin_path(&origin, name), "we");

	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

/* Asks again and again until it has been logged; the last answer. */
static enum peer_answer ask_until_logged(uint8_t number, const char *text)
{
	struct message_peer peer;
	enum peer_answer answer = PEER_FAILED;
	const int64_t until_ms = clock_ms() + ASKED_MS;

	while (pair_logged(&pair, text) == 0 && clock_ms() < until_ms) {
		answer = pair_fetch(&pair, key_of(number), &peer);
		usleep(50000);
	}
	if (pair_logged(&pair, text) == 0) {
		pair_show_log(&pair);
		fail_msg("never logged: %s", text);
	}
	return answer;
}

/* The probe of an open breaker is answered, but by neither a success nor a failure. */
static void an_origin_whose_probe_is_told_to_wait(void **state)
{
	(void)state;
	start("ailing", 0);
	put(9, "\"10.64.0.9/32\"");
	ask_until_logged(9, "event=origin_fails");
	mark("docroot/busy");
	ask_until_logged(9, "status=503");
	mark("docroot/well");
	assert_int_equal(unlink(origin_path(&origin, "docroot/busy")), 0);
	assert_int_equal(ask_until_logged(9, "event=origin_answers"), PEER_FOUND);
	assert_int_equal(unlink(origin_path(&origin, "docroot/well")), 0);
	pair_stop(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_copy_costs_no_request),
		cmocka_unit_test(copies_outlive_a_change_of_credentials),
		cmocka_unit_test(a_renewal_asks_conditionally),
		cmocka_unit_test(a_renewal_without_a_copy_asks_plainly),
		cmocka_unit_test(what_must_not_be_kept_is_not),
		cmocka_unit_test(a_stale_copy_is_used_while_the_origin_fails),
		cmocka_unit_test(a_definite_answer_ends_every_copy),
		cmocka_unit_test(a_stale_copy_is_used_when_the_origin_is_slow),
		cmocka_unit_test(a_copy_is_used_while_it_is_refreshed),
		cmocka_unit_test(an_origin_whose_probe_is_told_to_wait),
	};

	if (!pair_can_run())
		return 77;
	return cmocka_run_group_tests(tests, open_origin, close_origin);
}
