/* SPDX-License-Identifier: ISC */
/*
 * Several origins, and keys that they are known by: the real fetcher and connector against nginx.
 * Needs root and Debian's nginx; else it is skipped.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/key_text.h"
#include "expect.h"
#include "origin.h"
#include "pair.h"

#define NOBODY_PORT   9001 /* where nothing listens */
#define SCRIPTED_PORT 9000

static struct pair pair;

static const struct pair_origin works = {
	.host = "127.0.0.1", .port = ORIGIN_HTTP, .url = "http://127.0.0.1:8080/peer/{key}"};
static const struct pair_origin down = {
	.host = "127.0.0.1", .port = NOBODY_PORT, .url = "http://127.0.0.1:9001/peer/{key}"};
static const struct pair_origin scripted = {
	.host = "127.0.0.1", .port = SCRIPTED_PORT, .url = "http://127.0.0.1:9000/peer/{key}"};

static struct pair_origin at_path(const char *url)
{
	struct pair_origin found = works;

	found.url = url;
	return found;
}

static void start(struct pair_origin first, struct pair_origin second)
{
	const struct pair_settings settings = {
		.origins = {first, second}, .stale_if_error_ms = 60000};

	pair_start(&pair, origin.directory, &settings);
	/* So that it isn't for want of a socket that the second isn't asked at once. */
	if (second.port == ORIGIN_HTTP && first.port == ORIGIN_HTTP)
		pair_await_log(&pair, "event=connected id=", 4);
}

static const uint8_t *key_of(uint8_t number)
{
	static uint8_t key[32];

	memset(key, 0x5a, sizeof(key));
	key[0] = number;
	return key;
}

static void put(uint8_t number)
{
	origin_put(&origin, key_of(number), "\"allowed_ips\": [\"10.64.0.7/32\"]");
}

static void expect(uint8_t number, enum peer_answer answer)
{
	struct message_peer peer;

	if (pair_fetch(&pair, key_of(number), &peer) == answer)
		return;
	pair_show_log(&pair);
	fail_msg("answer %d where %d is right", (int)peer.answer, (int)answer);
}

static void break_first(bool broken)
{
	FILE *file;

	if (!broken) {
		assert_int_equal(unlink(origin_path(&origin, "docroot/broken")), 0);
		return;
	}
	file = fopen(origin_path(&origin, "docroot/broken"), "we");
	assert_non_null(file);
	fclose(file);
}

static void assert_nobody_failed(void)
{
	if (pair_logged(&pair, "answer_failed") == 0)
		return;
	pair_show_log(&pair);
	fail_msg("an answer failed");
}

static void goes_on_where_the_first_is_down(void **state)
{
	(void)state;
	start(down, works);
	for (uint8_t i = 1; i <= 20; i++) {
		put(i);
		expect(i, PEER_FOUND);
	}
	assert_nobody_failed();
	assert_int_equal(pair_logged(&pair, "event=origin_failover origin=2"), 1);
	assert_int_equal(pair_logged(&pair, "origin_restored"), 0);
	pair_stop(&pair);
}

/* In one try, without a pause, whatever the first one's failure is. */
static void goes_on_where_the_first_fails(void **state)
{
	static const char *const urls[] = {
		"http://127.0.0.1:8080/broken/{key}",
		"http://127.0.0.1:8080/secret/{key}",
		"http://127.0.0.1:8080/moved/{key}",
		"http://127.0.0.1:8080/empty/{key}",
	};

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		start(at_path(urls[i]), works);
		put((uint8_t)(30 + i));
		expect((uint8_t)(30 + i), PEER_FOUND);
		assert_nobody_failed();
		assert_int_equal(pair_logged(&pair, "event=retry"), 1);
		assert_int_equal(pair_logged(&pair, "origin=1 in_ms=0"), 1);
		assert_int_equal(pair_logged(&pair, "credentials_refused"), i == 1);
		assert_int_equal(
			pair_logged(&pair, "origin_failover"), 0); /* one failure is none */
		pair_stop(&pair);
	}
}

static void goes_on_while_the_first_wants_no_request(void **state)
{
	(void)state;
	start(at_path("http://127.0.0.1:8080/busy/{key}"), works); /* Retry-After: 2 */
	for (uint8_t i = 40; i < 50; i++) {
		put(i);
		expect(i, PEER_FOUND);
	}
	assert_nobody_failed();
	assert_int_equal(pair_logged(&pair, "event=origin_failover origin=2"), 1);
	pair_stop(&pair);
}

static void goes_on_past_one_that_hangs(void **state)
{
	pid_t server = misbehave(SAYS_NOTHING, SCRIPTED_PORT);
	struct pair_settings settings = {.origins = {scripted, works}, .timeout_ms = 200};

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	for (uint8_t i = 50; i < 60; i++) {
		put(i);
		expect(i, PEER_FOUND);
	}
	assert_nobody_failed();
	assert_int_equal(pair_logged(&pair, "event=origin_fails origin=1"), 1);
	assert_true(pair_logged(&pair, "event=origin_failover origin=2") >= 1);
	pair_stop(&pair);
	stop_misbehaving(server);
}

static void takes_a_definite_answer_of_whoever_is_asked(void **state)
{
	(void)state;
	start(at_path("http://127.0.0.1:8080/brief/{key}"), works); /* 404 */
	put(60);
	expect(60, PEER_ABSENT);
	assert_int_equal(pair_logged(&pair, "event=request"), 1);
	assert_int_equal(pair_logged(&pair, "origin=2 url"), 0);
	pair_stop(&pair);
}

static void returns_to_the_first_by_itself(void **state)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	struct message_peer peer;
	pid_t server;

	(void)state;
	start(scripted, works);
	put(70);
	expect(70, PEER_FOUND);
	server = misbehave(SAYS_MORE, SCRIPTED_PORT); /* knows nobody */
	for (uint8_t i = 71; i < 250; i++) {
		put(i);
		if (pair_fetch(&pair, key_of(i), &peer) == PEER_ABSENT)
			break;
		assert_int_equal(peer.answer, PEER_FOUND);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(peer.answer, PEER_ABSENT);
	assert_int_equal(pair_logged(&pair, "event=origin_restored origin=1"), 1);
	assert_int_equal(pair_logged(&pair, "event=origin_failover origin=2"), 1);
	pair_stop(&pair);
	stop_misbehaving(server);
}

/* What one origin calls its version means nothing to another, though here both have one file. */
static void sends_each_its_own_validators(void **state)
{
	(void)state;
	start(at_path("http://127.0.0.1:8080/flip/{key}"), works);
	put(251);
	expect(251, PEER_FOUND);
	expect(251, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, "cache=\"fwd=stale; fwd-status=304; ttl="), 1);
	break_first(true);
	expect(251, PEER_FOUND);
	assert_nobody_failed();
	assert_int_equal(pair_logged(&pair, "origin=2 status=200"), 1);
	assert_int_equal(pair_logged(&pair, "cache=\"fwd=stale; fwd-status=304; ttl="), 1);
	break_first(false);
	pair_stop(&pair);
}

/* Both are http://localhost/ to libcurl, which holds a connection to the first. */
static void keeps_connections_apart(void **state)
{
	char first_path[128], second_path[128];
	const struct pair_origin first = {
		.unix_path = first_path, .url = "http://localhost/flip/{key}"};
	const struct pair_origin second = {
		.unix_path = second_path, .url = "http://localhost/flip/{key}"};

	(void)state;
	snprintf(first_path, sizeof(first_path), "%s", origin_path(&origin, "origin.sock"));
	snprintf(second_path, sizeof(second_path), "%s", origin_path(&origin, "other.sock"));
	start(first, second);
	put(252);
	expect(252, PEER_FOUND);
	break_first(true);
	expect(252, PEER_REVOKED);
	break_first(false);
	put(253);
	expect(253, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, "origin=2 status=410"), 1);
	pair_stop(&pair);
}

static void mixes_all_kinds(void **state)
{
	char path[128];
	struct pair_settings settings = {
		.origins = {{.unix_path = path, .url = "http://localhost/broken/{key}"},
			{.host = "localhost",
				.port = ORIGIN_HTTPS_2,
				.url = "https://localhost:8442/broken/{key}"},
			{.host = "localhost",
				.port = ORIGIN_HTTPS_1,
				.url = "https://localhost:8441/moved/{key}"},
			works}};

	(void)state;
	snprintf(path, sizeof(path), "%s", origin_path(&origin, "origin.sock"));
	settings.materials[MATERIAL_CA] = ca_path;
	pair_start(&pair, origin.directory, &settings);
	put(254);
	expect(254, PEER_FOUND);
	assert_nobody_failed();
	assert_int_equal(pair_logged(&pair, "event=request"), 4);
	assert_int_equal(pair_logged(&pair, "origin=2 status=500"), 1);
	assert_int_equal(pair_logged(&pair, "http=2 reused=no"), 1);
	assert_int_equal(pair_logged(&pair, "origin=4 status=200"), 1);
	pair_stop(&pair);
}

static void fails_when_all_do(void **state)
{
	(void)state;
	start(down, down);
	expect(255, PEER_FAILED);
	pair_stop(&pair);
	start(at_path("http://127.0.0.1:8080/broken/{key}"), down);
	expect(255, PEER_FAILED);
	expect(255, PEER_FAILED);
	pair_stop(&pair);
}

/* An origin fewer, in another order: what was for one goes to no other. */
static void takes_other_origins_at_once(void **state)
{
	struct pair_settings settings = {.origins = {down, works}};

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	put(1);
	expect(1, PEER_FOUND);
	settings.origins[0] = works;
	settings.origins[1] = (struct pair_origin){.url = NULL};
	pair_reload(&pair, &settings);
	put(2);
	expect(2, PEER_FOUND);
	assert_int_equal(pair_logged(&pair, "origin=1 status=200"), 1);
	assert_int_equal(pair_logged(&pair, "offence"), 0);
	pair_stop(&pair);
}

static void read_pin(char pin[static 64])
{
	FILE *file = fopen(origin_path(&origin, "pin"), "re");

	assert_non_null(file);
	assert_non_null(fgets(pin, 64, file));
	fclose(file);
	pin[strcspn(pin, "\n")] = '\0';
	assert_int_equal(strlen(pin), 52);
}

static void trusts_none_but_pinned_keys(void **state)
{
	static const char other[] = "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	struct pair_settings settings = {.origins = {{.host = "localhost",
						 .port = ORIGIN_HTTPS_2,
						 .url = "https://localhost:8442/peer/{key}"}}};
	char pin[64], both[128];

	(void)state;
	read_pin(pin);
	snprintf(both, sizeof(both), "%s;%s", other, pin);
	settings.materials[MATERIAL_CA] = ca_path;
	settings.pinned_public_keys = other;
	pair_start(&pair, origin.directory, &settings);
	put(3);
	expect(3, PEER_FAILED);
	assert_true(pair_logged(&pair, "none of pinned_public_key") > 0);
	settings.pinned_public_keys = both; /* one of them is enough */
	pair_reload(&pair, &settings);
	expect(3, PEER_FOUND);
	settings.pinned_public_keys = other;
	pair_reload(&pair, &settings);
	put(4);
	expect(4, PEER_FAILED); /* not over the connection that is there */
	pair_stop(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_where_the_first_is_down),
		cmocka_unit_test(goes_on_where_the_first_fails),
		cmocka_unit_test(goes_on_while_the_first_wants_no_request),
		cmocka_unit_test(goes_on_past_one_that_hangs),
		cmocka_unit_test(takes_a_definite_answer_of_whoever_is_asked),
		cmocka_unit_test(returns_to_the_first_by_itself),
		cmocka_unit_test(sends_each_its_own_validators),
		cmocka_unit_test(keeps_connections_apart),
		cmocka_unit_test(mixes_all_kinds),
		cmocka_unit_test(fails_when_all_do),
		cmocka_unit_test(takes_other_origins_at_once),
		cmocka_unit_test(trusts_none_but_pinned_keys),
	};

	if (!pair_can_run())
		return 77;
	return cmocka_run_group_tests(tests, open_origin, close_origin);
}
