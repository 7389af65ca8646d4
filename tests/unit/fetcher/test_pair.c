/* SPDX-License-Identifier: ISC */
/*
 * The real fetcher and connector against a real nginx, in a network namespace of the test's own.
 * Needs root and Debian's nginx; else it is skipped.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "expect.h"
#include "latency.h"
#include "origin.h"
#include "pair.h"

static void finds_over_http(void **state)
{
	struct pair_settings settings = http_settings();
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	make_key(key, 1);
	origin_put(&origin, key,
		"\"allowed_ips\": [\"10.64.0.7/32\", \"fd64::7\"], \"persistent_keepalive\": 25, "
		"\"preshared_key\": \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"");
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_FOUND);
	assert_int_equal(peer.valid_ms, 300000);
	assert_int_equal(peer.allowed_ips.count, 2);
	assert_int_equal(peer.persistent_keepalive, 25);
	assert_int_equal(peer.has_preshared_key, 1);
	assert_int_equal(peer.preshared_key[31], 31);
	for (unsigned i = 2; i < 12; i++)
		expect_found(&pair, i);
	/* One connection carried them all. */
	assert_int_equal(pair_logged(&pair, "http=1.1 reused=no"), 1);
	assert_int_equal(pair_logged(&pair, "http=1.1 reused=yes"), 10);
	assert_int_equal(pair_logged(&pair, "AAECAwQF"), 0);
	pair_stop(&pair);
}

static void asks_plainly(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;
	unsigned before;
	char log[128];

	(void)state;
	snprintf(log, sizeof(log), "%s", origin_path(&origin, "access.log"));
	before = count_in_file(log, "pullgate/");
	/* What the environment says of proxies is nothing to the fetcher. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 20);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	await_in_file(log,
		"pullgate/" PULLGATE_VERSION
		" application/json, application/msgpack;q=0.9 accept_encoding=[-]",
		before + 1);
	pair_stop(&pair);
}

static void finds_over_https(uint16_t port, const char *first, const char *later)
{
	struct pair_settings settings = https_settings(port);
	struct pair pair;

	pair_start(&pair, origin.directory, &settings);
	for (unsigned i = 30; i < 40; i++)
		expect_found(&pair, i);
	assert_int_equal(pair_logged(&pair, first), 1);
	assert_int_equal(pair_logged(&pair, later), 9);
	pair_stop(&pair);
}

static void finds_over_https_1(void **state)
{
	(void)state;
	finds_over_https(ORIGIN_HTTPS_1, "http=1.1 reused=no", "http=1.1 reused=yes");
}

static void finds_over_https_2(void **state)
{
	(void)state;
	finds_over_https(ORIGIN_HTTPS_2, "http=2 reused=no", "http=2 reused=yes");
}

static void finds_over_unix_socket(void **state)
{
	struct pair_settings settings = {.unix_path = origin_path(&origin, "origin.sock"),
		.url = "http://localhost/peer/{key}"};
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 50);
	expect_found(&pair, 51);
	pair_stop(&pair);
}

static void finds_over_ipv6(void **state)
{
	struct pair_settings settings = {
		.host = "::1", .port = ORIGIN_HTTP, .url = "http://[::1]:8080/peer/{key}"};
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 55);
	settings = https_settings(ORIGIN_HTTPS_2);
	settings.host = "::1";
	settings.url = "https://[::1]:8442/peer/{key}";
	pair_reload(&pair, &settings);
	expect_found(&pair, 56);
	assert_int_equal(pair_logged(&pair, "http=2"), 1);
	pair_stop(&pair);
}

/* Asks for many keys at once and expects each to be found. */
static void fetch_many(struct pair *pair, unsigned first, unsigned count)
{
	bool *seen = calloc(count, sizeof(*seen));
	struct message_peer peer;
	uint64_t before = pair->last_id;
	uint8_t key[32];

	assert_non_null(seen);
	for (unsigned i = 0; i < count; i++) {
		make_key(key, first + i);
		origin_put(&origin, key, "\"allowed_ips\": [\"10.64.0.7/32\"]");
	}
	/* No more at once than a channel is sure to hold. */
	for (unsigned done = 0; done < count;) {
		unsigned batch = count - done < 100 ? count - done : 100;

		for (unsigned i = 0; i < batch; i++) {
			make_key(key, first + done + i);
			pair_ask(pair, key);
		}
		for (unsigned i = 0; i < batch; i++) {
			pair_answer(pair, &peer);
			if (peer.answer != PEER_FOUND)
				pair_show_log(pair);
			assert_int_equal(peer.answer, PEER_FOUND);
			assert_false(seen[peer.id - before - 1]);
			seen[peer.id - before - 1] = true;
		}
		done += batch;
	}
	free(seen);
}

static void serves_many_over_http_1(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.concurrency = 16;
	pair_start(&pair, origin.directory, &settings);
	fetch_many(&pair, 1000, 500);
	/* As many connections as the concurrency, and the spares; that they are reused shows in how
	 * few there are. */
	assert_true(pair_logged(&pair, "event=connected") <= 16 + 4);
	assert_true(pair_logged(&pair, "reused=yes") >= 480);
	pair_stop(&pair);
}

static void serves_many_over_http_2(void **state)
{
	struct pair_settings settings = https_settings(ORIGIN_HTTPS_2);
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	fetch_many(&pair, 2000, 500);
	/* A few at first, while the version was unknown. */
	assert_true(pair_logged(&pair, "http=2 reused=no") <= 4);
	assert_true(pair_logged(&pair, "event=connected") <= 8);
	pair_stop(&pair);
}

static void serves_many_one_a_connection(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.port = ORIGIN_ONE_A_TIME;
	settings.url = "http://127.0.0.1:8081/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	fetch_many(&pair, 3000, 300);
	assert_int_equal(pair_logged(&pair, "reused=yes"), 0);
	pair_stop(&pair);
}

static void survives_idle_closes(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.port = ORIGIN_HASTY;
	settings.url = "http://127.0.0.1:8082/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	for (unsigned round = 0; round < 3; round++) {
		unsigned connects = pair_logged(&pair, "event=connected");

		expect_found(&pair, 60 + round);
		/* The origin closes the spares and the kept connection; the spares come anew. */
		pair_await_log(&pair, "event=connected", connects + 2);
	}
	assert_int_equal(pair_logged(&pair, "answer_failed"), 0);
	pair_stop(&pair);
}

static void collapses_equal_keys(void **state)
{
	struct pair_settings settings = http_settings();
	struct message_peer peer;
	uint64_t ids = 0;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	make_key(key, 70);
	origin_put(&origin, key, "\"allowed_ips\": [\"10.64.0.7/32\"]");
	for (int i = 0; i < 3; i++)
		pair_ask(&pair, key);
	for (int i = 0; i < 3; i++) {
		pair_answer(&pair, &peer);
		assert_int_equal(peer.answer, PEER_FOUND);
		ids |= (uint64_t)1 << peer.id;
	}
	assert_int_equal(ids, 0xe);
	/* All three may have come in one turn or not: the others wait with the first, or find its copy. */
	assert_int_equal(pair_logged(&pair, "event=request"), 1);
	assert_int_equal(
		pair_logged(&pair, "event=collapsed") + pair_logged(&pair, "cache=\"hit; ttl="), 2);
	pair_stop(&pair);
}

static void tells_absent_from_revoked(void **state)
{
	struct pair_settings settings = http_settings();
	char name[KEY_BASE64_URL_BYTES], path[600];
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];
	FILE *file;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	make_key(key, 80);
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_ABSENT);
	assert_in_range(peer.valid_ms, 55000, 60000);
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_ABSENT);
	assert_true(peer.valid_ms <= 60000);
	make_key(key, 81);
	snprintf(path, sizeof(path), "%s/docroot/gone/peer/%s", origin.directory,
		key_to_base64_url(name, key));
	file = fopen(path, "we");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_REVOKED);
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_REVOKED);
	/* The second time each was known. */
	assert_int_equal(pair_logged(&pair, "event=request"), 2);
	assert_int_equal(pair_logged(&pair, "event=answer_cached"), 2);
	settings.url = "http://127.0.0.1:8080/brief/{key}";
	pair_reload(&pair, &settings);
	/* What the last origin said of this key is nothing to this one. */
	make_key(key, 81);
	expect_answer(&pair, key, &peer, PEER_ABSENT);
	assert_in_range(peer.valid_ms, 2000, 7000); /* less what the answer took */
	pair_stop(&pair);
}

static void refuses_what_is_no_answer(void **state)
{
	static const struct {
		const char *url, *reason;
	} rows[] = {
		{"http://127.0.0.1:8080/moved/{key}", "status 302: redirects are not followed"},
		{"http://127.0.0.1:8080/broken/{key}", "reason=\"status 500\""},
		{"http://127.0.0.1:8080/empty/{key}", "reason=\"status 204\""},
		{"http://127.0.0.1:8080/unchanged/{key}",
			"status 304 to a request without conditions"},
		{"http://127.0.0.1:8080/secret/{key}",
			"answer_failed id=5 key=WgAAAFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo= "
			"reason=\"status 401: the origin refuses the gateway's credentials\""},
		{"http://127.0.0.1:8080/huge/{key}", "body larger than 65536 bytes"},
	};
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		settings.url = rows[i].url;
		pair_reload(&pair, &settings);
		expect_failed(&pair, 90, rows[i].reason);
	}
	assert_int_equal(pair_logged(&pair, "level=error event=credentials_refused"), 1);
	settings = http_settings();
	pair_reload(&pair, &settings);
	expect_found(&pair, 90);
	pair_stop(&pair);
}

static void heeds_retry_after(void **state)
{
	struct pair_settings settings = http_settings();
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];
	unsigned before;

	(void)state;
	settings.url = "http://127.0.0.1:8080/busy/{key}";
	pair_start(&pair, origin.directory, &settings);
	expect_failed(&pair, 100, "reason=\"status 503\"");
	/* nginx writes its line after it has answered. */
	before = await_in_file(origin_path(&origin, "access.log"), "/busy/", 1);
	make_key(key, 101);
	int64_t start_ms = clock_ms();
	assert_int_equal(pair_fetch(&pair, key, &peer), PEER_FAILED);
	/* It was held back for what the origin asked: a duration that is the behaviour itself. */
	assert_true(clock_ms() - start_ms >= 1500);
	await_in_file(origin_path(&origin, "access.log"), "/busy/", before + 1);
	pair_stop(&pair);
}

static void authenticates(void **state)
{
	struct pair_settings settings = http_settings();
	struct pair pair;

	(void)state;
	settings.url = "http://127.0.0.1:8080/secret/{key}";
	settings.materials[MATERIAL_TOKEN] = origin_path(&origin, "token");
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 110);
	settings = https_settings(ORIGIN_MUTUAL);
	settings.materials[MATERIAL_CLIENT_CERT] = origin_path(&origin, "client.pem");
	settings.materials[MATERIAL_CLIENT_KEY] = origin_path(&origin, "client.key");
	pair_reload(&pair, &settings);
	expect_found(&pair, 111);
	settings.materials[MATERIAL_CLIENT_KEY] = origin_path(&origin, "encrypted.key");
	pair_reload(&pair, &settings);
	expect_failed(&pair, 113, "answer_failed id=3"); /* and lives */
	/* What does not come with the settings is configured no more. */
	settings = https_settings(ORIGIN_MUTUAL);
	pair_reload(&pair, &settings);
	expect_failed(&pair, 112, "reason=\"status 400\"");
	assert_int_equal(pair_logged(&pair, "tok-123"), 0);
	pair_stop(&pair);
}

static void verifies_the_origin(void **state)
{
	struct pair_settings settings = https_settings(ORIGIN_HTTPS_2);
	struct pair pair;

	(void)state;
	settings.materials[MATERIAL_CA] = origin_path(&origin, "other-ca.pem");
	pair_start(&pair, origin.directory, &settings);
	expect_failed(&pair, 120, "SSL certificate problem");
	settings = https_settings(ORIGIN_HTTPS_2);
	settings.url = "https://wrong.example:8442/peer/{key}";
	pair_reload(&pair, &settings);
	expect_failed(&pair, 121, "no alternative certificate subject name");
	settings = https_settings(ORIGIN_HTTPS_2);
	pair_reload(&pair, &settings);
	expect_found(&pair, 122);
	pair_stop(&pair);
}

static void keeps_settings_that_work(void **state)
{
	struct pair_settings settings = https_settings(ORIGIN_HTTPS_2);
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	expect_found(&pair, 125);
	settings.materials[MATERIAL_CA] = NULL;
	pair_reload(&pair, &settings);
	pair_await_log(&pair, "settings_refused what=ca_file", 1);
	expect_found(&pair, 126);
	settings = https_settings(ORIGIN_HTTPS_2);
	settings.materials[MATERIAL_TOKEN] = origin_path(&origin, "client.pem"); /* many lines */
	pair_reload(&pair, &settings);
	pair_await_log(&pair, "settings_refused what=bearer_token_file", 1);
	expect_found(&pair, 127);
	/* None of it cost the connection. */
	assert_int_equal(pair_logged(&pair, "reused=yes"), 2);
	pair_stop(&pair);
}

/* A fresh start is what shows the connector another directory; it asks for one by its end. */
static void follows_a_unix_socket_to_another_directory(void **state)
{
	struct pair_settings settings = {.url = "http://localhost/peer/{key}"};
	char folder[128], path[160];
	struct pair pair;

	(void)state;
	snprintf(folder, sizeof(folder), "%s", origin_path(&origin, "folder"));
	snprintf(path, sizeof(path), "%s/origin.sock", folder);
	settings.unix_path = path;
	assert_int_equal(mkdir(folder, 0755), 0);
	pair_start(&pair, origin.directory, &settings);
	pair_await_log(&pair, "connect_failed", 1); /* a spare one */
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(link(origin_path(&origin, "origin.sock"), path), 0);
	pair_await_log(&pair, "origin_directory_gone", 1);
	pair_await_connector_end(&pair);
	pair_restart_connector(&pair, &settings);
	expect_found(&pair, 52);
	settings.unix_path = origin_path(&origin, "origin.sock");
	pair_reload(&pair, &settings);
	pair_await_log(&pair, "origin_moved", 1);
	pair_await_connector_end(&pair);
	pair_restart_connector(&pair, &settings);
	expect_found(&pair, 53);
	pair_stop(&pair);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Whatever a change leaves of the connections before it, it mustn't add up. */
static void outlives_many_changes(void **state)
{
	struct pair_settings settings[] = {
		https_settings(ORIGIN_HTTPS_1), https_settings(ORIGIN_HTTPS_2), http_settings()};
	struct pair pair;

	(void)state;
	pair_start(&pair, origin.directory, &settings[0]);
	for (unsigned i = 0; i < 150; i++) {
		pair_reload(&pair, &settings[i % 3]);
		expect_found(&pair, 300 + i);
	}
	pair_stop(&pair);
}

static void keeps_to_the_rate(void **state)
{
	struct pair_settings settings = http_settings();
	struct message_peer peer;
	struct pair pair;
	uint8_t key[32];

	(void)state;
	settings.requests_per_second = 10;
	pair_start(&pair, origin.directory, &settings);
	int64_t start_ms = clock_ms();
	for (unsigned i = 0; i < 12; i++) {
		make_key(key, 200 + i);
		origin_put(&origin, key, "\"allowed_ips\": [\"10.64.0.7/32\"]");
		pair_ask(&pair, key);
	}
	for (unsigned i = 0; i < 12; i++) {
		pair_answer(&pair, &peer);
		assert_int_equal(peer.answer, PEER_FOUND);
	}
	/* One at once, and then one every 100 ms: a duration that is the behaviour itself. */
	assert_true(clock_ms() - start_ms >= 1000);
	pair_stop(&pair);
}

/* A socket that is still connecting is no use to libcurl, which shows with latency only. */
static void works_with_latency(void **state)
{
	struct pair_settings settings = https_settings(ORIGIN_HTTPS_2);
	pid_t relay = latency_start(50);
	struct pair pair;

	(void)state;
	if (relay < 0) {
		print_message("skipped: no TUN device can be made\n");
		skip();
	}
	settings.host = LATENCY_ADDRESS;
	settings.url = "https://" LATENCY_ADDRESS ":8442/peer/{key}";
	pair_start(&pair, origin.directory, &settings);
	fetch_many(&pair, 4000, 200);
	assert_true(pair_logged(&pair, "event=connected") <= 8);
	settings.port = ORIGIN_HTTPS_1;
	settings.url = "https://" LATENCY_ADDRESS ":8441/peer/{key}";
	pair_reload(&pair, &settings);
	fetch_many(&pair, 4200, 200);
	settings = http_settings();
	settings.host = LATENCY_ADDRESS;
	settings.port = ORIGIN_ONE_A_TIME;
	settings.url = "http://" LATENCY_ADDRESS ":8081/peer/{key}";
	pair_reload(&pair, &settings);
	fetch_many(&pair, 4400, 200);
	assert_int_equal(pair_logged(&pair, "answer_failed"), 0);
	pair_stop(&pair);
	latency_stop(relay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_over_http),
		cmocka_unit_test(asks_plainly),
		cmocka_unit_test(finds_over_https_1),
		cmocka_unit_test(finds_over_https_2),
		cmocka_unit_test(finds_over_unix_socket),
		cmocka_unit_test(finds_over_ipv6),
		cmocka_unit_test(serves_many_over_http_1),
		cmocka_unit_test(serves_many_over_http_2),
		cmocka_unit_test(serves_many_one_a_connection),
		cmocka_unit_test(survives_idle_closes),
		cmocka_unit_test(collapses_equal_keys),
		cmocka_unit_test(tells_absent_from_revoked),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(heeds_retry_after),
		cmocka_unit_test(authenticates),
		cmocka_unit_test(verifies_the_origin),
		cmocka_unit_test(keeps_settings_that_work),
		cmocka_unit_test(follows_a_unix_socket_to_another_directory),
		cmocka_unit_test(outlives_many_changes),
		cmocka_unit_test(keeps_to_the_rate),
		cmocka_unit_test(works_with_latency),
	};

	if (!pair_can_run())
		return 77;
	return cmocka_run_group_tests(tests, open_origin, close_origin);
}
