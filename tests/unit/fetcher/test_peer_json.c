/* SPDX-License-Identifier: ISC */
/* Bodies of a 200: every field right and wrong, cut at every byte, and with more behind. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/peer_json.h"

#define KEY     "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" /* 1, 2, 3, ... 32 */
#define OTHER   "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="
#define SECRET  "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A="
#define ADDRESS "\"allowed_ips\": [\"10.64.0.7/32\"]"
#define WITH(x) "{\"public_key\": \"" KEY "\", " ADDRESS ", " x "}"
#define LIST(x) "{\"public_key\": \"" KEY "\", \"allowed_ips\": " x "}"
#define MAX     4

static uint8_t asked[32];
static char reason[PEER_JSON_REASON_BYTES];

static int make_key(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		asked[i] = (uint8_t)(i + 1);
	json_object_seed(1);
	return 0;
}

static int read_bytes(struct message_peer *peer, const char *body, size_t length)
{
	/* A copy without a terminator, so that a sanitizer sees a read past its end. */
	char *copy = malloc(length > 0 ? length : 1);
	int error;

	memset(peer, 0x55, sizeof(*peer));
	memcpy(copy, body, length);
	error = peer_json_read(peer, asked, MAX, copy, length, reason);
	free(copy);
	return error;
}

static int read_text(struct message_peer *peer, const char *body)
{
	return read_bytes(peer, body, strlen(body));
}

static void reads_a_whole_one(void **state)
{
	struct message_peer peer;

	(void)state;
	assert_int_equal(read_text(&peer, "{\"public_key\": \"" KEY "\", \"allowed_ips\": "
					  "[\"10.64.0.7\", \"10.65.0.0/16\", \"fd64::/64\"], "
					  "\"preshared_key\": \"" SECRET "\", "
					  "\"persistent_keepalive\": 25}\n"),
		0);
	assert_string_equal(reason, "");
	assert_memory_equal(peer.public_key, asked, 32);
	assert_int_equal(peer.allowed_ips.count, 3);
	assert_int_equal(peer.allowed_ips.item[0].family, 4);
	assert_int_equal(peer.allowed_ips.item[0].length, 32);
	assert_memory_equal(peer.allowed_ips.item[0].bytes, "\x0a\x40\x00\x07", 4);
	assert_int_equal(peer.allowed_ips.item[1].length, 16);
	assert_int_equal(peer.allowed_ips.item[2].family, 6);
	assert_int_equal(peer.allowed_ips.item[2].length, 64);
	assert_int_equal(peer.has_preshared_key, 1);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(peer.preshared_key[i], 0x41 + i);
	assert_int_equal(peer.persistent_keepalive, 25);
}

static void reads_a_small_one(void **state)
{
	static const uint8_t none[32];
	struct message_peer peer;

	(void)state;
	assert_int_equal(read_text(&peer, WITH("\"preshared_key\": null")), 0);
	assert_int_equal(peer.allowed_ips.count, 1);
	assert_int_equal(peer.has_preshared_key, 0);
	assert_memory_equal(peer.preshared_key, none, 32);
	assert_int_equal(peer.persistent_keepalive, 0);
	/* What a newer origin may add. */
	assert_int_equal(read_text(&peer, WITH("\"name\": {\"a\": [1, 2.5, true, null]}")), 0);
	assert_int_equal(read_text(&peer, WITH("\"persistent_keepalive\": 0")), 0);
	assert_int_equal(read_text(&peer, WITH("\"persistent_keepalive\": 65535")), 0);
	assert_int_equal(peer.persistent_keepalive, 65535);
	assert_int_equal(
		read_text(&peer, LIST("[\"0.0.0.0/0\", \"::/0\", \"1.2.3.4\", \"::1\"]")), 0);
	assert_int_equal(peer.allowed_ips.count, 4);
}

static const struct {
	const char *body, *reason;
} bad[] = {
	{"", "body: not JSON, line 1 column 0"},
	{"null", "body: not JSON, line 1 column 4"},
	{"[]", "body: not a JSON object"},
	{"\"" KEY "\"", "body: not JSON, line 1 column 46"},
	{"{}", "public_key: missing"},
	{"{" ADDRESS "}", "public_key: missing"},
	{"{\"public_key\": null, " ADDRESS "}", "public_key: not a string"},
	{"{\"public_key\": 1, " ADDRESS "}", "public_key: not a string"},
	{"{\"public_key\": [\"" KEY "\"], " ADDRESS "}", "public_key: not a string"},
	{"{\"public_key\": \"\", " ADDRESS "}", "public_key: not 32 bytes in padded base64"},
	{"{\"public_key\": \"" KEY " \", " ADDRESS "}",
		"public_key: not 32 bytes in padded base64"},
	{"{\"public_key\": \"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\", " ADDRESS "}",
		"public_key: not 32 bytes in padded base64"},
	{"{\"public_key\": \"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=\", " ADDRESS "}",
		"public_key: not 32 bytes in padded base64"},
	{"{\"public_key\": \"" OTHER "\", " ADDRESS "}", "public_key: not the key asked for"},
	{"{\"public_key\": \"" KEY "\"}", "allowed_ips: missing"},
	{LIST("null"), "allowed_ips: not an array"},
	{LIST("\"10.64.0.7/32\""), "allowed_ips: not an array"},
	{LIST("{}"), "allowed_ips: not an array"},
	{LIST("[]"), "allowed_ips: empty"},
	{LIST("[\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\", \"10.0.0.4\", \"10.0.0.5\"]"),
		"allowed_ips: 5 where at most 4 are allowed"},
	{LIST("[7]"), "allowed_ips[0]: not a string"},
	{LIST("[\"10.0.0.1\", null]"), "allowed_ips[1]: not a string"},
	{LIST("[\"\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0.256\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0.7/33\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"fd64::7/129\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0.7/\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0.7/-1\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.64.0.7/032\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\" 10.64.0.7\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"cp.example\"]"), "allowed_ips[0]: not ADDRESS/LENGTH"},
	{LIST("[\"10.0.0.1\", \"10.64.0.7/24\"]"), "allowed_ips[1]: host bits set"},
	{LIST("[\"fd64::7/64\"]"), "allowed_ips[0]: host bits set"},
	{LIST("[\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.1/32\"]"),
		"allowed_ips[2]: same as allowed_ips[0]"},
	{LIST("[\"::1\", \"0:0:0:0:0:0:0:1/128\"]"), "allowed_ips[1]: same as allowed_ips[0]"},
	{WITH("\"preshared_key\": 1"), "preshared_key: not a string"},
	{WITH("\"preshared_key\": false"), "preshared_key: not a string"},
	{WITH("\"preshared_key\": \"\""), "preshared_key: not 32 bytes in padded base64"},
	{WITH("\"preshared_key\": \"" SECRET SECRET "\""),
		"preshared_key: not 32 bytes in padded base64"},
	{WITH("\"persistent_keepalive\": null"), "persistent_keepalive: not an integer"},
	{WITH("\"persistent_keepalive\": \"25\""), "persistent_keepalive: not an integer"},
	{WITH("\"persistent_keepalive\": 25.0"), "persistent_keepalive: not an integer"},
	{WITH("\"persistent_keepalive\": true"), "persistent_keepalive: not an integer"},
	{WITH("\"persistent_keepalive\": -1"), "persistent_keepalive: not within 0 to 65535"},
	{WITH("\"persistent_keepalive\": 65536"), "persistent_keepalive: not within 0 to 65535"},
	{WITH("\"persistent_keepalive\": 4294967297"),
		"persistent_keepalive: not within 0 to 65535"},
	{WITH("\"persistent_keepalive\": 99999999999999999999"),
		"body: not JSON, line 1 column 145"},
	{WITH("\"x\": 1, \"x\": 1"), "body: a member twice, line 1"},
	{WITH("\"public_key\": \"" KEY "\""), "body: a member twice, line 1"},
	{WITH("\"public\\u005fkey\": \"" OTHER "\""), "body: a member twice, line 1"},
	{WITH("\"y\": {\"x\": 1, \"x\": 1}"), "body: a member twice, line 1"},
	{WITH("\"x\": \"a\\u0000b\""), "body: a zero character, line 1"},
	{WITH("\"a\\u0000b\": 1"), "body: a zero character, line 1"},
	{WITH("\"x\": \"\xff\""), "body: not JSON, line -1 column -1"},
	{WITH("\"x\": 1,"), "body: not JSON, line 1 column 110"},
	{WITH("\"x\": 1") "\n{}", "body: something behind the object, line 2"},
	{WITH("\"x\": 1") "x", "body: something behind the object, line 1"},
	{"\xef\xbb\xbf" WITH("\"x\": 1"), "body: not JSON, line -1 column -1"},
};

/* Nothing of a configuration is left behind when one field is wrong. */
static void assert_empty(const struct message_peer *peer)
{
	static const struct message_peer empty;

	assert_memory_equal(peer->public_key, empty.public_key, sizeof(empty.public_key));
	assert_memory_equal(&peer->allowed_ips, &empty.allowed_ips, sizeof(empty.allowed_ips));
	assert_memory_equal(peer->preshared_key, empty.preshared_key, sizeof(empty.preshared_key));
	assert_int_equal(peer->has_preshared_key, 0);
	assert_int_equal(peer->persistent_keepalive, 0);
}

static void says_what_is_wrong(void **state)
{
	struct message_peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_text(&peer, bad[i].body) != -EBADMSG)
			fail_msg("accepted: %s", bad[i].body);
		/* Where jansson gives up inside a line is its own affair. */
		if (strncmp(reason, bad[i].reason, strcspn(bad[i].reason, ",")) != 0)
			fail_msg("%s: %s", bad[i].body, reason);
		if (strchr(bad[i].reason, ',') == NULL)
			assert_string_equal(reason, bad[i].reason);
		assert_empty(&peer);
	}
}

static const char full[] = "{\"public_key\": \"" KEY "\", \"allowed_ips\": [\"10.64.0.7/32\"], "
			   "\"preshared_key\": \"" SECRET "\", \"persistent_keepalive\": 25}";

static void needs_every_byte(void **state)
{
	struct message_peer peer;

	(void)state;
	assert_int_equal(read_text(&peer, full), 0);
	for (size_t length = 0; length < strlen(full); length++) {
		assert_int_equal(read_bytes(&peer, full, length), -EBADMSG);
		assert_empty(&peer);
	}
}

static void allows_nothing_behind(void **state)
{
	char longer[sizeof(full) + 1];
	struct message_peer peer;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool is_space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';

		memcpy(longer, full, sizeof(full));
		longer[sizeof(full) - 1] = (char)byte;
		assert_int_equal(read_bytes(&peer, longer, sizeof(full)), is_space ? 0 : -EBADMSG);
	}
}

/* Whatever is wrong, no reason quotes the key that only the two ends may know. */
static void never_shows_the_preshared_key(void **state)
{
	struct message_peer peer;
	char body[sizeof(full)];

	(void)state;
	for (size_t i = 0; i < strlen(full); i++) {
		memcpy(body, full, sizeof(full));
		body[i] = '\x01';
		if (read_text(&peer, body) == 0)
			fail_msg("accepted: %s", body);
		assert_null(strstr(reason, "QUJD"));
		assert_null(strstr(reason, "XF1e"));
	}
}

static void survives_depth(void **state)
{
	static char deep[60000];
	struct message_peer peer;

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(read_text(&peer, deep), -EBADMSG);
	memset(deep, ']', sizeof(deep) - 1);
	memset(deep, '[', sizeof(deep) / 2);
	assert_int_equal(read_text(&peer, deep), -EBADMSG);
}

static void keeps_to_the_room_there_is(void **state)
{
	char body[4096] = "{\"public_key\": \"" KEY "\", \"allowed_ips\": [\"10.0.0.0\"";
	struct message_peer peer;

	(void)state;
	for (int i = 1; i < 65; i++)
		snprintf(body + strlen(body), sizeof(body) - strlen(body), ", \"10.0.0.%d\"", i);
	snprintf(body + strlen(body), sizeof(body) - strlen(body), "]}");
	assert_int_equal(peer_json_read(&peer, asked, 1000, body, strlen(body), reason), -EBADMSG);
	assert_string_equal(reason, "allowed_ips: 65 where at most 64 are allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_one),
		cmocka_unit_test(reads_a_small_one),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(needs_every_byte),
		cmocka_unit_test(allows_nothing_behind),
		cmocka_unit_test(never_shows_the_preshared_key),
		cmocka_unit_test(survives_depth),
		cmocka_unit_test(keeps_to_the_room_there_is),
	};

	return cmocka_run_group_tests(tests, make_key, NULL);
}
