/* SPDX-License-Identifier: ISC */
/* The handshake initiation: recorded ones, forged ones, and one flipped bit in every place. */
#include "unit.h"

#include <errno.h>

#include "capture/initiation.h"
#include "tests/support/initiator.h"
#include "tests/vectors/initiation_vectors.h"

/*
 * All encodings of Curve25519's points of low order, the topmost bit (which RFC 7748 section 5
 * masks) left out: 0, 1, two points of order 8, p-1, p and p+1. https://cr.yp.to/ecdh.html#validate
 */
static const uint8_t low_order[7][32] = {
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
		0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f,
		0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
		0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0,
		0x9f, 0x11, 0x57},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
};

struct party {
	uint8_t private_key[32];
	uint8_t public_key[32];
};

static void make_party(struct party *party)
{
	crypto_box_keypair(party->public_key, party->private_key);
}

/* The steps in their order, as far as they go; *step counts those that passed. */
static int open_all(struct initiation *initiation, const struct gateway *gateway,
	const uint8_t message[static WIREGUARD_INITIATION_BYTES], int *step)
{
	uint8_t secret[32];
	int error;

	*step = 0;
	error = initiation_check_mac1(gateway, message);
	if (error != 0)
		return error;
	*step = 1;
	error = initiation_open_static(initiation, gateway, message);
	if (error != 0)
		return error;
	*step = 2;
	error = initiation_static_secret(secret, gateway, initiation->static_key);
	if (error != 0)
		return error;
	*step = 3;
	error = initiation_open_timestamp(initiation, message, secret);
	if (error == 0)
		*step = 4;
	return error;
}

static void test_recorded(void **state)
{
	(void)state;
	assert_true(COUNT(initiation_vectors) >= 12);
	for (size_t i = 0; i < COUNT(initiation_vectors); i++) {
		const struct initiation_vector *vector = &initiation_vectors[i];
		struct gateway gateway;
		struct initiation initiation;
		uint8_t secret[32];

		assert_int_equal(gateway_init(&gateway, vector->gateway_private_key), 0);
		assert_memory_equal(gateway.public_key, vector->gateway_public_key, 32);
		assert_int_equal(initiation_check_mac1(&gateway, vector->message), 0);
		assert_int_equal(initiation_open_static(&initiation, &gateway, vector->message), 0);
		assert_memory_equal(initiation.static_key, vector->initiator_public_key, 32);
		assert_zeroed(initiation.timestamp, sizeof(initiation.timestamp));
		assert_int_equal(
			initiation_static_secret(secret, &gateway, initiation.static_key), 0);
		assert_memory_equal(secret, vector->static_secret, 32);
		assert_int_equal(
			initiation_open_timestamp(&initiation, vector->message, secret), 0);
		assert_memory_equal(initiation.timestamp, vector->timestamp, 12);
		assert_memory_equal(initiation.chaining_key, vector->chaining_key, 32);
	}
}

/* The recorder's two messages a pair of keys are in order, and ours tells them apart. */
static void test_recorded_order(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < COUNT(initiation_vectors); i += 2) {
		const struct initiation_vector *first = &initiation_vectors[i];
		const struct initiation_vector *second = &initiation_vectors[i + 1];

		assert_memory_equal(first->initiator_public_key, second->initiator_public_key, 32);
		assert_true(memcmp(second->timestamp, first->timestamp, 12) > 0);
	}
}

static void test_made_by_the_initiator(void **state)
{
	struct party gateway_party, client;
	struct gateway gateway;
	struct initiation initiation;
	uint8_t timestamp[12], message[148];
	int step;

	(void)state;
	for (int i = 0; i < 50; i++) {
		make_party(&gateway_party);
		make_party(&client);
		randombytes_buf(timestamp, sizeof(timestamp));
		assert_int_equal(gateway_init(&gateway, gateway_party.private_key), 0);
		assert_int_equal(initiator_make(message, client.private_key,
					 gateway_party.public_key, timestamp),
			0);
		assert_int_equal(open_all(&initiation, &gateway, message, &step), 0);
		assert_memory_equal(initiation.static_key, client.public_key, 32);
		assert_memory_equal(initiation.timestamp, timestamp, 12);
	}
}

/*
 * Every bit, as it comes: mac1 covers the type, the reserved bytes, the sender index and all that
 * is sealed. Nothing covers mac2, which is only judged by a gateway that sent a cookie.
 */
static void test_each_bit_flipped(void **state)
{
	const struct initiation_vector *vector = &initiation_vectors[0];
	struct gateway gateway;
	uint8_t message[148];

	(void)state;
	assert_int_equal(gateway_init(&gateway, vector->gateway_private_key), 0);
	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		int expected = bit / 8 < INITIATION_MAC2_AT ? -EBADMSG : 0;

		memcpy(message, vector->message, sizeof(message));
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(initiation_check_mac1(&gateway, message), expected);
	}
}

/* The step that fails when a bit of that byte is flipped and mac1 made anew, as anyone can. */
static int failing_step(size_t byte)
{
	if (byte >= INITIATION_MAC1_AT)
		return 4; /* none: mac1 was made anew, and nothing covers mac2 */
	if (byte >= INITIATION_TIMESTAMP_AT)
		return 3;
	if (byte >= INITIATION_EPHEMERAL_AT)
		return 1;
	/* The sender index and the type are only under mac1; packet_parse compares the type. */
	return 4;
}

static void test_each_bit_flipped_with_new_mac1(void **state)
{
	const struct initiation_vector *vector = &initiation_vectors[3];
	struct gateway gateway;
	struct initiation initiation;
	uint8_t message[148];
	int step;

	(void)state;
	assert_int_equal(gateway_init(&gateway, vector->gateway_private_key), 0);
	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		int expected = failing_step(bit / 8);

		memcpy(message, vector->message, sizeof(message));
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		initiator_set_mac1(message, vector->gateway_public_key);
		memset(&initiation, 0xa5, sizeof(initiation));
		assert_int_equal(open_all(&initiation, &gateway, message, &step),
			expected == 4 ? 0 : -EBADMSG);
		assert_int_equal(step, expected);
		if (expected != 4)
			assert_zeroed(&initiation, sizeof(initiation));
	}
}

static void test_for_another_gateway(void **state)
{
	const struct initiation_vector *vector = &initiation_vectors[0];
	struct party other;
	struct gateway gateway;
	struct initiation initiation;
	uint8_t message[148];
	int step;

	(void)state;
	make_party(&other);
	assert_int_equal(gateway_init(&gateway, other.private_key), 0);
	assert_int_equal(open_all(&initiation, &gateway, vector->message, &step), -EBADMSG);
	assert_int_equal(step, 0);
	memcpy(message, vector->message, sizeof(message));
	initiator_set_mac1(message, other.public_key);
	assert_int_equal(open_all(&initiation, &gateway, message, &step), -EBADMSG);
	assert_int_equal(step, 1);
}

/* Whoever knows both public keys can seal the static key; the timestamp's seal tells. */
static void test_forged_static_key(void **state)
{
	struct party gateway_party, client, attacker;
	struct gateway gateway;
	struct initiator_parts parts;
	struct initiation initiation;
	uint8_t timestamp[12] = {0x40}, message[148];
	int step;

	(void)state;
	make_party(&gateway_party);
	make_party(&client);
	make_party(&attacker);
	assert_int_equal(gateway_init(&gateway, gateway_party.private_key), 0);
	assert_int_equal(initiator_prepare(
				 &parts, attacker.private_key, gateway_party.public_key, timestamp),
		0);
	memcpy(parts.static_key, client.public_key, 32);
	initiator_seal(message, gateway_party.public_key, &parts);
	assert_int_equal(open_all(&initiation, &gateway, message, &step), -EBADMSG);
	assert_int_equal(step, 3);
	assert_zeroed(&initiation, sizeof(initiation));
}

/* A point of low order in one of its encodings: with and without the bit that is masked. */
static void low_order_point(uint8_t point[32], size_t number)
{
	memcpy(point, low_order[number / 2], 32);
	if (number % 2 != 0)
		point[31] |= 0x80;
}

/* Such a point makes the secret zero, so anybody can seal what it should have protected. */
static void test_low_order_ephemeral_key(void **state)
{
	static const uint8_t zero[32];
	struct party gateway_party, client;
	struct gateway gateway;
	struct initiator_parts parts;
	struct initiation initiation;
	uint8_t timestamp[12] = {0x40}, message[148];
	int step;

	(void)state;
	make_party(&gateway_party);
	make_party(&client);
	assert_int_equal(gateway_init(&gateway, gateway_party.private_key), 0);
	for (size_t i = 0; i < 2 * COUNT(low_order); i++) {
		assert_int_equal(initiator_prepare(&parts, client.private_key,
					 gateway_party.public_key, timestamp),
			0);
		low_order_point(parts.ephemeral_key, i);
		memcpy(parts.ephemeral_secret, zero, 32);
		initiator_seal(message, gateway_party.public_key, &parts);
		memset(&initiation, 0xa5, sizeof(initiation));
		assert_int_equal(open_all(&initiation, &gateway, message, &step), -EKEYREJECTED);
		assert_int_equal(step, 1);
		assert_zeroed(&initiation, sizeof(initiation));
	}
}

static void test_low_order_static_key(void **state)
{
	static const uint8_t zero[32];
	struct party gateway_party, client;
	struct gateway gateway;
	struct initiator_parts parts;
	struct initiation initiation;
	uint8_t timestamp[12] = {0x40}, message[148], secret[32];
	int step;

	(void)state;
	make_party(&gateway_party);
	make_party(&client);
	assert_int_equal(gateway_init(&gateway, gateway_party.private_key), 0);
	for (size_t i = 0; i < 2 * COUNT(low_order); i++) {
		assert_int_equal(initiator_prepare(&parts, client.private_key,
					 gateway_party.public_key, timestamp),
			0);
		low_order_point(parts.static_key, i);
		memcpy(parts.static_secret, zero, 32);
		initiator_seal(message, gateway_party.public_key, &parts);
		assert_int_equal(open_all(&initiation, &gateway, message, &step), -EKEYREJECTED);
		assert_int_equal(step, 2);
		memset(secret, 0xa5, sizeof(secret));
		assert_int_equal(initiation_static_secret(secret, &gateway, parts.static_key),
			-EKEYREJECTED);
		assert_zeroed(secret, sizeof(secret));
		/* Nothing but that refusal stands against it: its seals are right. */
		assert_int_equal(initiation_open_timestamp(&initiation, message, zero), 0);
	}
}

static void test_gateway_keys(void **state)
{
	static const uint8_t zero[32];
	struct gateway gateway;

	(void)state;
	memset(&gateway, 0xa5, sizeof(gateway));
	assert_int_equal(gateway_init(&gateway, zero), -EINVAL);
	assert_zeroed(&gateway, sizeof(gateway));
	assert_int_equal(gateway_init(&gateway, initiation_vectors[0].gateway_private_key), 0);
	gateway_wipe(&gateway);
	assert_zeroed(&gateway, sizeof(gateway));
}

static void test_wipe(void **state)
{
	struct initiation initiation;

	(void)state;
	memset(&initiation, 0xa5, sizeof(initiation));
	initiation_wipe(&initiation);
	assert_zeroed(&initiation, sizeof(initiation));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_recorded_order),
		cmocka_unit_test(test_made_by_the_initiator),
		cmocka_unit_test(test_each_bit_flipped),
		cmocka_unit_test(test_each_bit_flipped_with_new_mac1),
		cmocka_unit_test(test_for_another_gateway),
		cmocka_unit_test(test_forged_static_key),
		cmocka_unit_test(test_low_order_ephemeral_key),
		cmocka_unit_test(test_low_order_static_key),
		cmocka_unit_test(test_gateway_keys),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests_name("initiation", tests, start_sodium, NULL);
}
