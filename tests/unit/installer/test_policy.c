/* SPDX-License-Identifier: ISC */
/* What the installer refuses, and that it says why. */
#include "installer/policy.h"

#include <sodium.h>

#include "unit.h"

#define OWN_KEY       1
#define STATIC_KEY    2
#define INSTALLED_KEY 3
#define NEW_KEY       4

static struct peers peers;
static struct policy policy;

static uint32_t add(uint32_t number, enum known_state known, const char *allowed_ip)
{
	struct prefix prefix = prefix_of(allowed_ip);
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot;

	make_key(key, number);
	slot = peers_add(&peers, key, known);
	assert_int_equal(peers_set_allowed_ips(&peers, slot, &prefix, 1), 0);
	return slot;
}

static int set_up(void **state)
{
	struct message_installer_settings settings = {.max_allowed_ips = 3,
		.allowed = {.count = 3,
			.item = {prefix_of("10.64.0.0/10"), prefix_of("fd64::/32"),
				prefix_of("192.0.2.0/31")}}};

	(void)state;
	assert_int_equal(peers_init(&peers, 100, 4), 0);
	policy_apply(&policy, &settings);
	make_key(policy.own_public_key, OWN_KEY);
	add(STATIC_KEY, KNOWN_STATIC, "10.64.9.0/24");
	add(INSTALLED_KEY, KNOWN_INSTALLED, "10.64.8.8/32");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peers_destroy(&peers);
	return 0;
}

static struct message_peer peer_of(uint32_t number, const char *const *texts)
{
	struct message_peer peer = {.answer = PEER_FOUND};

	make_key(peer.key, number);
	make_key(peer.public_key, number);
	for (; *texts != NULL; texts++)
		peer.allowed_ips.item[peer.allowed_ips.count++] = prefix_of(*texts);
	return peer;
}

#define ALLOWED_IPS(text) ((const char *const[]){text, NULL})

static void test_table(void **state)
{
	static const struct {
		uint32_t key;
		const char *allowed_ips[6];
		const char *reason; /* a part of it; NULL: admitted */
	} cases[] = {
		{NEW_KEY, {"10.64.0.7/32"}, NULL},
		{NEW_KEY, {"10.64.0.7/32", "fd64::7/128"}, NULL},
		{NEW_KEY, {"10.64.0.7/32", "10.64.0.8/32", "192.0.2.0/31"}, NULL},
		{NEW_KEY, {"10.64.0.7/32", "10.64.0.0/24"}, NULL}, /* its own may nest */
		{NEW_KEY, {"10.127.255.255/32"}, NULL},
		{NEW_KEY, {"fd64:0:ffff:ffff::/64"}, NULL},
		{NEW_KEY, {"10.128.0.0/32"}, "outside"},
		{NEW_KEY, {"10.63.255.255/32"}, "outside"},
		{NEW_KEY, {"10.0.0.0/8"}, "outside"},
		{NEW_KEY, {"10.0.0.0/9"}, "outside"},
		{NEW_KEY, {"fd64:1::/48"}, "outside"},
		{NEW_KEY, {"fd64::/31"}, "outside"},
		{NEW_KEY, {"10.64.0.7/32", "8.8.8.8/32"}, "outside"},
		{NEW_KEY, {"192.0.2.2/32"}, "outside"},
		{NEW_KEY, {"0.0.0.0/0"}, "default route"},
		{NEW_KEY, {"10.64.0.7/32", "::/0"}, "default route"},
		{NEW_KEY, {"10.64.0.1/32", "10.64.0.2/32", "10.64.0.3/32", "10.64.0.4/32"},
			"more than"},
		{NEW_KEY, {NULL}, "no allowed IPs"},
		{NEW_KEY, {"10.64.9.1/32"}, "static"},
		{NEW_KEY, {"10.64.8.0/23"}, "overlaps"},
		{NEW_KEY, {"10.64.8.8/32"}, "installed"},
		{NEW_KEY, {"10.64.0.7/32", "10.64.8.0/24"}, "installed"},
		{INSTALLED_KEY, {"10.64.8.8/32"}, NULL}, /* the same again */
		{INSTALLED_KEY, {"10.64.8.0/24"}, NULL},
		{INSTALLED_KEY, {"10.64.9.9/32"}, "static"},
		{STATIC_KEY, {"10.64.9.0/24"}, "static peer with this key"},
		{OWN_KEY, {"10.64.0.7/32"}, "own key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_peer peer = peer_of(cases[i].key, cases[i].allowed_ips);
		char reason[POLICY_REASON_BYTES] = "";

		assert_int_equal(
			policy_admits(&policy, &peers, &peer, reason), cases[i].reason == NULL);
		if (cases[i].reason != NULL && strstr(reason, cases[i].reason) == NULL)
			fail_msg("case %zu: \"%s\"", i, reason);
	}
}

static void test_other_key(void **state)
{
	struct message_peer peer = peer_of(NEW_KEY, ALLOWED_IPS("10.64.0.7/32"));
	char reason[POLICY_REASON_BYTES];

	(void)state;
	peer.public_key[31] ^= 1;
	assert_false(policy_admits(&policy, &peers, &peer, reason));
	assert_non_null(strstr(reason, "another key"));
}

/* A default route must be both allowed and within the prefixes. */
static void test_default_route(void **state)
{
	struct message_peer peer = peer_of(NEW_KEY, ALLOWED_IPS("::/0"));
	char reason[POLICY_REASON_BYTES];

	(void)state;
	policy.allow_default_route = true;
	assert_false(policy_admits(&policy, &peers, &peer, reason));
	policy.allowed[1] = prefix_of("::/0");
	assert_true(policy_admits(&policy, &peers, &peer, reason));
	policy.allow_default_route = false;
	assert_false(policy_admits(&policy, &peers, &peer, reason));
}

static void test_longest_reason(void **state)
{
	const char *longest = "fd64:0:aaaa:bbbb:cccc:dddd:eeee:ffff/128";
	struct message_peer peer =
		peer_of(NEW_KEY, ALLOWED_IPS("fd64:0:aaaa:bbbb:cccc:dddd:eeee:fffe/127"));
	char reason[POLICY_REASON_BYTES];

	(void)state;
	add(7, KNOWN_INSTALLED, longest);
	assert_false(policy_admits(&policy, &peers, &peer, reason));
	assert_int_equal(reason[strlen(reason) - 1], '='); /* the key's end: nothing was cut */
}

/* libsodium is the judge: it refuses a point whose product is zero. */
static void test_low_order(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t point[32], scalar[32] = {9}, product[32];

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		sodium_hex2bin(point, sizeof(point), points[i], 64, NULL, NULL, NULL);
		for (int high = 0; high < 2; high++, point[31] |= 0x80) {
			assert_int_equal(crypto_scalarmult(product, scalar, point), -1);
			assert_true(policy_low_order(point));
		}
		for (unsigned byte = 0; byte < 32; byte++) {
			point[byte] ^= 0x10;
			assert_int_equal(policy_low_order(point),
				crypto_scalarmult(product, scalar, point) != 0);
			point[byte] ^= 0x10;
		}
	}
}

static void test_low_order_is_refused(void **state)
{
	struct message_peer peer = peer_of(NEW_KEY, ALLOWED_IPS("10.64.0.7/32"));
	char reason[POLICY_REASON_BYTES];

	(void)state;
	memset(peer.key, 0, sizeof(peer.key));
	memset(peer.public_key, 0, sizeof(peer.public_key));
	assert_false(policy_admits(&policy, &peers, &peer, reason));
	assert_non_null(strstr(reason, "low-order"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_default_route, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_longest_reason, set_up, tear_down),
		cmocka_unit_test(test_low_order),
		cmocka_unit_test_setup_teardown(test_low_order_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
