/* SPDX-License-Identifier: ISC */
/*
 * Bodies of a 200: every field right and wrong, cut at every byte, and with more behind. What is JSON
 * is tried as msgpack too, and must come to the same.
 */
#include <errno.h>
#include <jansson.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/peer_body.h"

#define KEY     "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" /* 1, 2, 3, ... 32 */
#define OTHER   "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="
#define SECRET  "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A="
#define ADDRESS "\"allowed_ips\": [\"10.64.0.7/32\"]"
#define WITH(x) "{\"public_key\": \"" KEY "\", " ADDRESS ", " x "}"
#define LIST(x) "{\"public_key\": \"" KEY "\", \"allowed_ips\": " x "}"
#define MAX     4

static uint8_t asked[32];
static char reason[PEER_REASON_BYTES];

static int make_key(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		asked[i] = (uint8_t)(i + 1);
	json_object_seed(1);
	return 0;
}

static int read_as(struct message_peer *peer, const char *type, const void *bytes, size_t length)
{
	/* A copy without a terminator, so that a sanitizer sees a read past its end. */
	char *copy = malloc(length > 0 ? length : 1);
	const struct peer_body body = {.content_type = type, .bytes = copy, .length = length};
	int error;

	memset(peer, 0x55, sizeof(*peer));
	memcpy(copy, bytes, length);
	error = peer_body_read(peer, &body, asked, MAX, reason);
	free(copy);
	return error;
}

static int read_bytes(struct message_peer *peer, const char *body, size_t length)
{
	return read_as(peer, "application/json", body, length);
}

static int read_msgpack(struct message_peer *peer, const void *bytes, size_t length)
{
	return read_as(peer, "application/msgpack", bytes, length);
}

/* The same value in msgpack. */
static void pack(msgpack_packer *packer, const json_t *value)
{
	const char *name;
	json_t *element;
	size_t index;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		msgpack_pack_map(packer, json_object_size(value));
		json_object_foreach((json_t *)value, name, element)
		{
			msgpack_pack_str_with_body(packer, name, strlen(name));
			pack(packer, element);
		}
		break;
	case JSON_ARRAY:
		msgpack_pack_array(packer, json_array_size(value));
		json_array_foreach(value, index, element) pack(packer, element);
		break;
	case JSON_STRING:
		msgpack_pack_str_with_body(
			packer, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		msgpack_pack_int64(packer, json_integer_value(value));
		break;
	case JSON_REAL:
		msgpack_pack_double(packer, json_real_value(value));
		break;
	case JSON_TRUE:
		msgpack_pack_true(packer);
		break;
	case JSON_FALSE:
		msgpack_pack_false(packer);
		break;
	case JSON_NULL:
		msgpack_pack_nil(packer);
	}
}

/* False where body isn't JSON, and so has nothing that msgpack could say. */
static bool pack_text(msgpack_sbuffer *packed, const char *body)
{
	json_t *value = json_loads(body, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	msgpack_packer packer;

	msgpack_sbuffer_init(packed);
	msgpack_packer_init(&packer, packed, msgpack_sbuffer_write);
	if (value != NULL)
		pack(&packer, value);
	json_decref(value);
	return value != NULL;
}

/* In both formats, which must agree. */
static int read_text(struct message_peer *peer, const char *body)
{
	char other_reason[PEER_REASON_BYTES] = "";
	struct message_peer other;
	msgpack_sbuffer packed;
	int error = 0, other_error;
	bool is_json = pack_text(&packed, body);

	if (is_json) {
		error = read_msgpack(&other, packed.data, packed.size);
		memcpy(other_reason, reason, sizeof(reason));
	}
	msgpack_sbuffer_destroy(&packed);
	other_error = read_bytes(peer, body, strlen(body));
	if (is_json && strncmp(reason, "body: not JSON", 14) != 0) {
		assert_string_equal(other_reason, reason);
		assert_int_equal(other_error, error);
		assert_memory_equal(&other, peer, sizeof(other));
	}
	return other_error;
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
	{"[]", "body: not an object"},
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
	assert_int_equal(peer_body_read(&peer,
				 &(struct peer_body){
					 .content_type = "", .bytes = body, .length = strlen(body)},
				 asked, 1000, reason),
		-EBADMSG);
	assert_string_equal(reason, "allowed_ips: 65 where at most 64 are allowed");
}

/* Raw msgpack */

#define M_KEY "\xaapublic_key\xd9\x2c" KEY
#define M_ADDRESS             \
	"\xab"                \
	"allowed_ips\x91\xac" \
	"10.64.0.7/32"
#define M(x) (x), sizeof(x) - 1

static const struct {
	const char *bytes;
	size_t length;
	const char *reason;
} bad_msgpack[] = {
	{M(""), "body: cut short, byte 0"},
	{M("\xc1"), "body: not msgpack, byte 0"},
	{M("{}"), "body: something behind the object, byte 1"},
	{M("\xc0"), "body: not an object"},
	{M("\x90"), "body: not an object"},
	{M("\xc4\x01x"), "body: not an object"},
	{M("\x80"), "public_key: missing"},
	{M("\x80\x00"), "body: something behind the object, byte 1"},
	{M("\x82" M_KEY M_ADDRESS "\xc0"), "body: something behind the object, byte 84"},
	{M("\x83" M_KEY M_ADDRESS), "body: cut short, byte 84"},
	{M("\x83" M_KEY M_ADDRESS "\xa1x"), "body: cut short, byte 86"},
	{M("\x83" M_KEY M_ADDRESS "\xa1x\xc1"), "body: not msgpack, byte 86"},
	/* Sizes that claim more than there is. */
	{M("\xdd\xff\xff\xff\xff"), "body: cut short, byte 5"},
	{M("\xdf\xff\xff\xff\xff"), "body: cut short, byte 5"},
	{M("\xdf\xff\xff\xff"), "body: cut short, byte 0"},
	{M("\xdc\xff"), "body: cut short, byte 0"},
	{M("\xdb\xff\xff\xff\xffx"), "body: cut short, byte 5"},
	{M("\xc6\xff\xff\xff\xffx"), "body: cut short, byte 5"},
	{M("\xc9\xff\xff\xff\xff\x01x"), "body: not msgpack, byte 0"},
	/* What JSON hasn't. */
	{M("\x81\x01\x02"), "body: a name that is no text, byte 2"},
	{M("\x81\xc4\x01x\x02"), "body: a name that is no text, byte 4"},
	{M("\x81\xc0\x02"), "body: a name that is no text, byte 2"},
	{M("\x82\xa1x\x01\xa1x\x01"), "body: a member twice, byte 6"},
	{M("\x82\xa1x\x01\xd9\x01x\x01"), "body: a member twice, byte 7"},
	{M("\x81\xa1y\x82\xa1x\x01\xa1x\x01"), "body: a member twice, byte 9"},
	{M("\x82\xa0\x01\xa0\x01"), "body: a member twice, byte 4"},
	{M("\x83" M_KEY M_ADDRESS M_KEY), "body: a member twice, byte 95"},
	{M("\x81\xa1x\xa2x\0"), "body: a zero character, byte 6"},
	{M("\x81\xa2x\0\x01"), "body: a zero character, byte 4"},
	{M("\x81\xa1x\xa1\xff"), "body: text that is not UTF-8, byte 5"},
	{M("\x81\xa1\xff\x01"), "body: text that is not UTF-8, byte 3"},
	{M("\x81\xa1x\xcf\x80\0\0\0\0\0\0\0"), "body: an integer past 2^63, byte 12"},
	{M("\x81\xa1x\xca\x7f\x80\0\0"), "body: a number that JSON hasn't, byte 8"},
	{M("\x81\xa1x\xcb\x7f\xf8\0\0\0\0\0\0"), "body: a number that JSON hasn't, byte 12"},
	/* Keys are text, as in JSON. */
	{M("\x82\xaapublic_key\xc4\x20"
	   "AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDD" M_ADDRESS),
		"public_key: not a string"},
	{M("\x82" M_KEY "\xab"
	   "allowed_ips\x91\xc4\x04\x0a\x40\x00\x07"),
		"allowed_ips[0]: not a string"},
	{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xd4\x00\x19"),
		"persistent_keepalive: not an integer"},
	{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xcf\0\0\0\1\0\0\0\x19"),
		"persistent_keepalive: not within 0 to 65535"},
};

static void says_what_is_wrong_in_msgpack(void **state)
{
	struct message_peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_msgpack) / sizeof(bad_msgpack[0]); i++) {
		if (read_msgpack(&peer, bad_msgpack[i].bytes, bad_msgpack[i].length) != -EBADMSG)
			fail_msg("accepted: %zu, not %s", i, bad_msgpack[i].reason);
		assert_string_equal(reason, bad_msgpack[i].reason);
		assert_empty(&peer);
	}
}

/* Whatever an origin's encoder makes of a number, and what it may add. */
static void reads_every_form_of_msgpack(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} good[] = {
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xcc\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xcd\0\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xce\0\0\0\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xcf\0\0\0\0\0\0\0\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xd0\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xd1\0\x19")},
		{M("\x83" M_KEY M_ADDRESS "\xb4persistent_keepalive\xd3\0\0\0\0\0\0\0\x19")},
		{M("\xde\0\x03" M_KEY M_ADDRESS "\xb4persistent_keepalive\x19")},
		{M("\xdf\0\0\0\x03" M_KEY M_ADDRESS "\xb4persistent_keepalive\x19")},
		{M("\x84" M_KEY M_ADDRESS "\xd9\x14persistent_keepalive\x19\xa1x\xd6\xff\0\0\0\0")},
		{M("\x84" M_KEY M_ADDRESS "\xb4persistent_keepalive\x19\xa1x\xc4\x02\0\xff")},
		{M("\x84" M_KEY M_ADDRESS "\xb4persistent_keepalive\x19\xa1x\x92\x81\xa0\xa0\xff")},
		{M("\x83" M_KEY "\xab"
		   "allowed_ips\xdc\0\x01\xac"
		   "10.64.0.7/32"
		   "\xb4persistent_keepalive\x19")},
		{M("\x83" M_KEY "\xab"
		   "allowed_ips\xdd\0\0\0\x01\xda\0\x0c"
		   "10.64.0.7/32"
		   "\xb4persistent_keepalive\x19")},
	};
	struct message_peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (read_msgpack(&peer, good[i].bytes, good[i].length) != 0)
			fail_msg("refused: %zu, %s", i, reason);
		assert_memory_equal(peer.public_key, asked, 32);
		assert_int_equal(peer.allowed_ips.count, 1);
		assert_int_equal(peer.persistent_keepalive, 25);
		assert_int_equal(peer.has_preshared_key, 0);
	}
}

static void needs_every_byte_of_msgpack(void **state)
{
	struct message_peer peer;
	msgpack_sbuffer packed;

	(void)state;
	assert_true(pack_text(&packed, full));
	assert_int_equal(read_msgpack(&peer, packed.data, packed.size), 0);
	for (size_t length = 0; length < packed.size; length++) {
		assert_int_equal(read_msgpack(&peer, packed.data, length), -EBADMSG);
		assert_empty(&peer);
	}
	for (int byte = 0; byte < 256; byte++) {
		msgpack_sbuffer_write(&packed, &(char){(char)byte}, 1);
		assert_int_equal(read_msgpack(&peer, packed.data, packed.size--), -EBADMSG);
	}
	msgpack_sbuffer_destroy(&packed);
}

static void bounds_the_depth_of_msgpack(void **state)
{
	enum { DEPTH = 128 }; /* with the object itself */
	char body[65536] = "\x83" M_KEY M_ADDRESS "\xa1x";
	size_t start = sizeof("\x83" M_KEY M_ADDRESS "\xa1x") - 1;
	struct message_peer peer;

	(void)state;
	memset(body + start, 0x91, sizeof(body) - start);
	assert_int_equal(read_msgpack(&peer, body, sizeof(body)), -EBADMSG);
	assert_memory_equal(reason, "body: nested too deep", 21);
	body[start + DEPTH - 1] = (char)0xc0;
	assert_int_equal(read_msgpack(&peer, body, start + DEPTH), 0);
	body[start + DEPTH - 1] = (char)0x90;
	assert_int_equal(read_msgpack(&peer, body, start + DEPTH), -EBADMSG);
}

/* RFC 9110 section 8.3.1; what is no msgpack is JSON, whatever a static server calls it. */
static void goes_by_the_content_type(void **state)
{
	static const char *const msgpack_types[] = {"application/msgpack", "Application/MsgPack",
		"application/vnd.msgpack", "application/msgpack; x=y", "application/msgpack ;x=y"};
	static const char *const json_types[] = {"", "application/json", "text/plain",
		"application/octet-stream", "application/msgpackx", "application/msg",
		"application/msgpack, application/json", "xapplication/msgpack"};
	struct message_peer peer;
	msgpack_sbuffer packed;

	(void)state;
	assert_true(pack_text(&packed, full));
	for (size_t i = 0; i < sizeof(msgpack_types) / sizeof(msgpack_types[0]); i++) {
		assert_int_equal(read_as(&peer, msgpack_types[i], packed.data, packed.size), 0);
		assert_int_equal(read_as(&peer, msgpack_types[i], full, strlen(full)), -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(json_types) / sizeof(json_types[0]); i++) {
		assert_int_equal(read_as(&peer, json_types[i], packed.data, packed.size), -EBADMSG);
		assert_int_equal(read_as(&peer, json_types[i], full, strlen(full)), 0);
	}
	msgpack_sbuffer_destroy(&packed);
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
		cmocka_unit_test(says_what_is_wrong_in_msgpack),
		cmocka_unit_test(reads_every_form_of_msgpack),
		cmocka_unit_test(needs_every_byte_of_msgpack),
		cmocka_unit_test(bounds_the_depth_of_msgpack),
		cmocka_unit_test(goes_by_the_content_type),
	};

	return cmocka_run_group_tests(tests, make_key, NULL);
}
