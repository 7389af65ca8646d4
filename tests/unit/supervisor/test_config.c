/* SPDX-License-Identifier: ISC */
/* The configuration: what a good one becomes, and what is said, with its line, of a bad one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/config.h"

static char path[64], error[CONFIG_ERROR_BYTES];

static int load_bytes(struct config *config, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
	error[0] = '\0';
	return config_load(config, path, error);
}

static int load(struct config *config, const char *text)
{
	return load_bytes(config, text, strlen(text));
}

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/pullgate-test-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

#define PIN "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define MINIMAL                                                                           \
	"[gateway]\ninterface = wg0\n[origin]\nurl = https://cp.example.net/peer/{key}\n" \
	"[policy]\nallowed_ips = 10.64.0.0/10\n"

static void minimal_file_has_the_documented_defaults(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(&config, MINIMAL), 0);
	assert_string_equal(config.interface, "wg0");
	assert_int_equal(config.connect, CONNECT_REPLAY);
	assert_string_equal(config.origins[0].host, "cp.example.net");
	assert_int_equal(config.origins[0].port, 443);
	assert_true(config.origins[0].tls);
	assert_string_equal(config.ca_file, "/etc/ssl/certs/ca-certificates.crt");
	assert_int_equal(config.timeout_ms, 2000);
	assert_int_equal(config.concurrency, 64);
	assert_int_equal(config.breaker, 5);
	assert_int_equal(config.requests_per_second, 500);
	assert_int_equal(config.fresh_ttl_ms, 300000);
	assert_int_equal(config.file_ttl_ms, 5000);
	assert_int_equal(config.negative_ttl_ms, 3000);
	assert_int_equal(config.stale_if_error_ms, 86400000);
	assert_int_equal(config.stale_after_ms, 800);
	assert_int_equal(config.min_revalidate_ms, 10000);
	assert_int_equal(config.on_stale, ON_STALE_KEEP);
	assert_string_equal(config.cache_directory, "");
	assert_true(config.persist_psk);
	assert_int_equal(config.allowed.count, 1);
	assert_int_equal(config.max_allowed_ips, 8);
	assert_false(config.allow_default_route);
	assert_int_equal(config.idle_after_ms, 300000);
	assert_int_equal(config.unconfirmed_after_ms, 30000);
	assert_int_equal(config.max_peers, 100000);
	assert_int_equal(config.removal_guard_percent, 5);
	assert_int_equal(config.per_source_rate, 10);
	assert_int_equal(config.per_source_burst, 20);
}

static void every_key_is_read(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(
		load(&config, "; a comment\n"
			      "[gateway]\n"
			      "    interface = wg-fleet\n"
			      "    connect = initiate    ; indented, with a comment behind\n"
			      "[origin]\n"
			      "url = http://[::1]:8080/p?k={key_hex}\n"
			      "insecure_http = no\n"
			      "ca_file = /etc/ca.pem\n"
			      "client_cert_file = /etc/cert.pem\n"
			      "client_key_file = /etc/key.pem\n"
			      "url = https://b/{key}\n"
			      "bearer_token_file = /etc/token\n"
			      "pinned_public_key = " PIN "\n"
			      "pinned_public_key = " PIN "\n"
			      "timeout = 750ms\n"
			      "concurrency = 8\n"
			      "breaker = off\n"
			      "requests = 50/s\n"
			      "[cache] \t; when nothing is said\n"
			      "fresh_ttl = 1h\n"
			      "negative_ttl = 1500ms\n"
			      "stale_if_error = 0s\n"
			      "stale_after = 1500ms\n"
			      "min_revalidate = 1s\n"
			      "on_stale = remove\n"
			      "directory = /var/lib/pullgate/wg-fleet\n"
			      "persist_psk = no\n"
			      "[policy]\n"
			      "allowed_ips = 10.64.0.0/10, fd64::/32\n"
			      "allowed_ips = 192.0.2.1\n"
			      "max_allowed_ips = 3\n"
			      "default_route = yes\n"
			      "[eviction]\n"
			      "idle_after = off\n"
			      "unconfirmed_after = 1min\n"
			      "max_peers = 1048576\n"
			      "removal_guard = 100%\n"
			      "[limits]\n"
			      "per_source = 3/s burst 6\n"),
		0);
	assert_string_equal(config.interface, "wg-fleet");
	assert_int_equal(config.connect, CONNECT_INITIATE);
	assert_string_equal(config.origins[0].host, "::1");
	assert_int_equal(config.origins[0].port, 8080);
	assert_string_equal(config.client_cert_file, "/etc/cert.pem");
	assert_string_equal(config.client_key_file, "/etc/key.pem");
	assert_string_equal(config.bearer_token_file, "/etc/token");
	assert_string_equal(config.pinned_public_keys, PIN ";" PIN);
	assert_int_equal(config.timeout_ms, 750);
	assert_int_equal(config.concurrency, 8);
	assert_int_equal(config.breaker, 0);
	assert_int_equal(config.requests_per_second, 50);
	assert_int_equal(config.fresh_ttl_ms, 3600000);
	assert_int_equal(config.negative_ttl_ms, 1500);
	assert_int_equal(config.stale_if_error_ms, 0);
	assert_int_equal(config.stale_after_ms, 1500);
	assert_int_equal(config.min_revalidate_ms, 1000);
	assert_int_equal(config.on_stale, ON_STALE_REMOVE);
	assert_string_equal(config.cache_directory, "/var/lib/pullgate/wg-fleet");
	assert_false(config.persist_psk);
	assert_int_equal(config.allowed.count, 3);
	assert_int_equal(config.allowed.item[1].family, 6);
	assert_int_equal(config.allowed.item[2].length, 32);
	assert_int_equal(config.max_allowed_ips, 3);
	assert_true(config.allow_default_route);
	assert_int_equal(config.idle_after_ms, 0);
	assert_int_equal(config.unconfirmed_after_ms, 60000);
	assert_int_equal(config.max_peers, 1048576);
	assert_int_equal(config.removal_guard_percent, 100);
	assert_int_equal(config.per_source_rate, 3);
	assert_int_equal(config.per_source_burst, 6);
}

/* The minimal file's six lines, then one more: the error is on line 7 (or 8 behind a section). */
static void errors_name_file_line_and_reason(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *reason;
	} rows[] = {
		{"colour = blue\n", 7, "colour is not a key of [policy]"},
		{"[paint]\ncolour = blue\n", 8, "[paint] is not a section"},
		{"[cache]\nfresh_ttl = 1h\x1b[2J\n", 8, "has a control character"},
		{"[gateway]\nconnect = a\rb\n", 8, "has a control character"},
		{"[cache]\nfresh_ttl = 1\xc2\x9bh\n", 8, "fresh_ttl = 1??h: not a time"},
		{"nonsense\n", 7, "neither [section] nor key = value"},
		{"[gateway\n", 7, "neither [section] nor key = value"},
		{"[eviction] idle_after = 1s\n", 7, "stands alone"},
		{"max_allowed_ips = 2\nmax_allowed_ips = 2\n", 8, "already set on line 7"},
		{"allowed_ips = 10.0.0.1/8\n", 7, "bits set behind"},
		{"max_allowed_ips = 0\n", 7, "out of range (1 to 64)"},
		{"max_allowed_ips = 65\n", 7, "out of range"},
		{"max_allowed_ips = 99999999999999999999\n", 7, "not a number"},
		{"max_allowed_ips = 3x\n", 7, "not a number"},
		{"max_allowed_ips =\n", 7, "not a number"},
		{"max_allowed_ips = -1\n", 7, "not a number"},
		{"default_route = maybe\n", 7, "not yes or no"},
		{"[gateway]\nconnect = push\n", 8, "not replay, initiate or retry"},
		{"[origin]\ntimeout = 2\n", 8, "not a time"},
		{"[origin]\ntimeout = 2 s\n", 8, "not a time"},
		{"[origin]\ntimeout = 49ms\n", 8, "out of range"},
		{"[origin]\ntimeout = 61s\n", 8, "out of range"},
		{"[origin]\ntimeout = off\n", 8, "not a time"},
		/* 2^64 ms and some 9 hours */
		{"[eviction]\nidle_after = 213503982335d\n", 8, "not a time"},
		{"[eviction]\nidle_after = 9999999999d\n", 8, "out of range"},
		{"[origin]\nrequests = 500\n", 8, "not a rate"},
		{"[origin]\nrequests = 0/s\n", 8, "out of range"},
		{"[origin]\nca_file = ca.pem\n", 8, "not an absolute path"},
		{"[origin]\nca_file =\n", 8, "https:// needs one"},
		{"[origin]\nclient_cert_file = /c.pem\n", 0, "go together"},
		{"[eviction]\nmax_peers = 1048577\n", 8, "out of range"},
		{"[eviction]\nunconfirmed_after = off\n", 8, "not a time"},
		{"[eviction]\nremoval_guard = 5\n", 8, "not a share"},
		{"[eviction]\nremoval_guard = 101%\n", 8, "out of range"},
		{"[cache]\non_stale = yes\n", 8, "not keep or remove"},
		{"[cache]\ndirectory = here\n", 8, "not an absolute path"},
		{"[cache]\nmin_revalidate = 999ms\n", 8, "out of range"},
		{"[origin]\nurl = https://cp.example.net/peer/{key}\n", 8, "already set on line 4"},
		{"[origin]\nurl = file:///srv/peers/{key}\n", 8, "a file:// url stands alone"},
		{"[origin]\nurl = https://b/{key}\nurl = http://192.0.2.1/{key}\n", 9,
			"http:// is for loopback addresses"},
		{"[origin]\nurl = https://b/{key}\nurl = https://c/{key}\nurl = https://d/{key}\n"
		 "url = https://e/{key}\n",
			11, "more than 4 origins"},
		{"[origin]\npinned_public_key = " PIN "=\n", 8, "not sha256// and the 44"},
		{"[origin]\npinned_public_key = sha1//AAAA\n", 8, "not sha256// and the 44"},
		{"[origin]\npinned_public_key = sha256//\n", 8, "not sha256// and the 44"},
		{"[origin]\npinned_public_key = " PIN ";" PIN "\n", 8, "not sha256// and the 44"},
		{"[origin]\npinned_public_key = " PIN "\npinned_public_key = " PIN
		 "\npinned_public_key = " PIN "\npinned_public_key = " PIN
		 "\npinned_public_key = " PIN "\n",
			12, "pinned_public_key: more than 4"},
		{"[limits]\nper_source = 10/s\n", 8, "not a rate such as 10/s burst 20"},
		{"[limits]\nper_source = 10/s burst 0\n", 8, "burst is out of range"},
		{"[limits]\nper_source = 10/s burst 5 6\n", 8, "not a rate"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config config;
		char text[1024], place[128];

		snprintf(text, sizeof(text), MINIMAL "%s", rows[i].text);
		assert_int_equal(load(&config, text), -EINVAL);
		if (rows[i].line > 0)
			snprintf(place, sizeof(place), "%s:%d: ", path, rows[i].line);
		else
			snprintf(place, sizeof(place), "%s: ", path);
		if (strncmp(error, place, strlen(place)) != 0 ||
			strstr(error, rows[i].reason) == NULL)
			fail_msg("row %zu: \"%s\" lacks \"%s\" or \"%s\"", i, error, place,
				rows[i].reason);
	}
}

static void origins_stand_in_their_order(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(&config, "[gateway]\ninterface = wg0\n[origin]\n"
				       "url = unix:/run/a.sock\n"
				       "url = https://b/{key}\n"
				       "url = unix:/run/c.sock\n"
				       "url = http://127.0.0.1:8080/{key}\n"
				       "[policy]\nallowed_ips = 10.0.0.0/8\n"),
		0);
	assert_int_equal(config.origin_count, 4);
	assert_string_equal(config.origins[0].unix_path, "/run/a.sock");
	assert_string_equal(config.origins[1].host, "b");
	assert_true(config.origins[1].tls);
	assert_string_equal(config.origins[2].unix_path, "/run/c.sock");
	assert_int_equal(config.origins[3].port, 8080);
	assert_true(config_has_tls(&config));
}

static void expect_whole_error(const char *text, const char *reason)
{
	struct config config;

	assert_int_equal(load(&config, text), -EINVAL);
	if (strstr(error, reason) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", error, reason);
}

static void whole_files_that_are_wrong(void **state)
{
	char text[2048], longer[512];
	struct config config;

	(void)state;
	expect_whole_error("", "[gateway] interface is missing");
	expect_whole_error("[gateway]\ninterface=wg0\n", "[origin] url is missing");
	expect_whole_error("[gateway]\ninterface=wg0\n[origin]\nurl=https://a/{key}\n",
		"[policy] allowed_ips is missing");
	expect_whole_error("[gateway]\ninterface=wg0\n[origin]\nurl=https://a/{key}\n[policy]\n"
			   "allowed_ips = ,\n",
		":6: allowed_ips is empty");
	expect_whole_error(
		"[gateway]\ninterface=wg0\n[origin]\nurl=http://192.0.2.1/{key}\n[policy]\n"
		"allowed_ips=10.0.0.0/8\n",
		":4: http:// is for loopback addresses");
	expect_whole_error("[gateway]\ninterface=wg0\n[origin]\nurl=unix:/run/a.sock\n"
			   "pinned_public_key = " PIN "\n[policy]\nallowed_ips=10.0.0.0/8\n",
		":5: pinned_public_key needs an https:// url");
	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	snprintf(text, sizeof(text), MINIMAL "max_allowed_ips = %s\n", longer);
	expect_whole_error(text, ":7: longer than ");
	for (size_t i = 0; i < 3; i++) {
		static const char *const bad[] = {"10.64.0.1/10", "10.64.0.0/33", "ten"};
		static const char *const why[] = {
			"bits set behind", "not a prefix", "not a prefix"};

		snprintf(text, sizeof(text),
			"[gateway]\ninterface=wg0\n[origin]\nurl=https://a/{key}\n[policy]\n"
			"allowed_ips = 10.0.0.0/8, %s\n",
			bad[i]);
		expect_whole_error(text, why[i]);
	}
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = {"", "a/b", "..", "0123456789abcdef", "a:b"};

		snprintf(text, sizeof(text), "[gateway]\ninterface = %s\n", names[i]);
		expect_whole_error(text, ":2: interface = ");
	}
	assert_int_equal(config_load(&config, "/nonexistent/pullgate.conf", error), -EIO);
	assert_non_null(strstr(error, "No such file"));
}

static void zero_bytes_are_refused(void **state)
{
	static const char text[] = MINIMAL "max_allowed_ips = 2\0 00\ndefault_route = yes\n";
	static const char alone[] = MINIMAL "\0\n";
	struct config config;

	(void)state;
	assert_int_equal(load_bytes(&config, text, sizeof(text) - 1), -EINVAL);
	assert_non_null(strstr(error, ":7: has a zero byte"));
	assert_int_equal(load_bytes(&config, alone, sizeof(alone) - 1), -EINVAL);
	assert_non_null(strstr(error, ":7: has a zero byte"));
}

static void urls(void **state)
{
	static const struct {
		const char *url;
		int error;
		const char *host, *unix_path, *request;
		unsigned port;
		bool local;
	} rows[] = {
		{"https://cp/peer/{key}", 0, "cp", "", "https://cp/peer/{key}", 443, false},
		{"https://cp:8443/{key_base64}", 0, "cp", "", NULL, 8443, false},
		{"http://127.0.0.1:80/{key}", 0, "127.0.0.1", "", NULL, 80, true},
		{"http://127.9.9.9/{key}", 0, "127.9.9.9", "", NULL, 80, true},
		{"http://[::1]/{key}", 0, "::1", "", NULL, 80, true},
		{"http://localhost/{key}", 0, "localhost", "", NULL, 80, false},
		{"https://[2001:db8::1]:444/{key}", 0, "2001:db8::1", "", NULL, 444, false},
		{"unix:/run/cp.sock", 0, "", "/run/cp.sock", "http://localhost/peer/{key}", 0,
			true},
		{"unix:/run/cp.sock:/k/{key_hex}", 0, "", "/run/cp.sock",
			"http://localhost/k/{key_hex}", 0, true},
		{.url = "https://cp/peer/", .error = -EINVAL},
		{.url = "https://cp/{key}/{key}", .error = -EINVAL},
		{.url = "https://cp/{KEY}", .error = -EINVAL},
		{.url = "https://cp/{key", .error = -EINVAL},
		{.url = "https://{key}.cp/peer", .error = -EINVAL},
		{.url = "https://cp?{key}", .error = -EINVAL},
		{.url = "https:///{key}", .error = -EINVAL},
		{.url = "https://user:password@cp/{key}", .error = -EINVAL},
		{.url = "https://cp:0/{key}", .error = -EINVAL},
		{.url = "https://cp:65536/{key}", .error = -EINVAL},
		{.url = "https://cp:/{key}", .error = -EINVAL},
		{.url = "https://[::1/{key}", .error = -EINVAL},
		{.url = "https://[::1]x/{key}", .error = -EINVAL},
		{.url = "https://cp/{key}#top", .error = -EINVAL},
		{.url = "unix:/run/cp.sock:/peer/{key}#top", .error = -EINVAL},
		{.url = "https://cp/}{key}", .error = -EINVAL},
		{.url = "https://c%70/{key}", .error = -EINVAL},
		{.url = "https://cp,cp/{key}", .error = -EINVAL},
		{.url = "https://[fe80::1%25eth0]/{key}", .error = -EINVAL},
		{.url = "https://[cp]/{key}", .error = -EINVAL},
		{.url = "https://cp/{key} HTTP/1.0", .error = -EINVAL},
		{.url = "https://cp/{key}\r\nX: y", .error = -EINVAL},
		{.url = "https://cp/{key}\xc3\xa9", .error = -EINVAL},
		{.url = "ftp://cp/{key}", .error = -EINVAL},
		{.url = "file:///{key}", .error = -EINVAL},
		{.url = "file://{key}", .error = -EINVAL},
		{.url = "file:/p/{key}", .error = -EINVAL},
		{.url = "file://cp/p/{key}", .error = -EINVAL},
		{.url = "file://localhost/p/{key}", .error = -EINVAL},
		{.url = "file:///p/{key}/peer.json", .error = -EINVAL},
		{.url = "file:///p/{key_base64}", .error = -EINVAL},
		{.url = "file:///p/{key}/{key}", .error = -EINVAL},
		{.url = "file:///p/peer.json", .error = -EINVAL},
		{.url = "file:///p%20q/{key}", .error = -EINVAL},
		{.url = "file:///p/x?k={key}", .error = -EINVAL},
		{.url = "file:///p/../{key}", .error = -EINVAL},
		{.url = "file:///p/./{key}", .error = -EINVAL},
		{.url = "file:///./{key}", .error = -EINVAL},
		{.url = "file:////{key}", .error = -EINVAL},
		{.url = "file:///p//{key}", .error = -EINVAL},
		{.url = "cp/{key}", .error = -EINVAL},
		{.url = "unix:run/cp.sock", .error = -EINVAL},
		{.url = "unix:/run/cp.sock:peer/{key}", .error = -EINVAL},
		{.url = "", .error = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_origin origin;
		const char *reason = NULL;

		if (config_parse_url(&origin, rows[i].url, &reason) != rows[i].error)
			fail_msg("%s: %s", rows[i].url, reason != NULL ? reason : "accepted");
		if (rows[i].error != 0) {
			assert_non_null(reason);
			continue;
		}
		assert_string_equal(origin.host, rows[i].host);
		assert_string_equal(origin.unix_path, rows[i].unix_path);
		assert_string_equal(origin.directory, "");
		assert_int_equal(origin.port, rows[i].port);
		assert_int_equal(config_origin_local(&origin), rows[i].local);
		if (rows[i].request != NULL)
			assert_string_equal(origin.url, rows[i].request);
	}
}

static void file_urls(void **state)
{
	static const struct {
		const char *url, *directory, *name;
	} rows[] = {
		{"file:///etc/pullgate/peers/{key}.json", "/etc/pullgate/peers",
			"file:///{key}.json"},
		{"file:///p/{key_hex}", "/p", "file:///{key_hex}"},
		{"file:///p/..a/a.{key}...", "/p/..a", "file:///a.{key}..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_origin origin;
		const char *reason = NULL;

		assert_int_equal(config_parse_url(&origin, rows[i].url, &reason), 0);
		assert_string_equal(origin.directory, rows[i].directory);
		assert_string_equal(origin.url, rows[i].name);
		assert_string_equal(origin.host, "");
		assert_string_equal(origin.unix_path, "");
		assert_int_equal(origin.port, 0);
		assert_false(origin.tls);
		assert_true(config_origin_local(&origin));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			minimal_file_has_the_documented_defaults, make_path, remove_path),
		cmocka_unit_test_setup_teardown(every_key_is_read, make_path, remove_path),
		cmocka_unit_test_setup_teardown(
			errors_name_file_line_and_reason, make_path, remove_path),
		cmocka_unit_test_setup_teardown(
			origins_stand_in_their_order, make_path, remove_path),
		cmocka_unit_test_setup_teardown(whole_files_that_are_wrong, make_path, remove_path),
		cmocka_unit_test_setup_teardown(zero_bytes_are_refused, make_path, remove_path),
		cmocka_unit_test(urls),
		cmocka_unit_test(file_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
