/* SPDX-License-Identifier: ISC */
/* Copies of one packet. */
#include "unit.h"

#include <errno.h>

#include "capture/initiation.h"
#include "capture/recent_copies.h"

static struct packet random_packet(void)
{
	struct packet packet = {
		.source = {.family = 4, .bytes = {203, 0, 113, 9}},
		.destination = {.family = 4, .bytes = {192, 0, 2, 1}},
		.source_port = 40000,
		.destination_port = 51820,
		.arrival_index = 2,
	};

	randombytes_buf(packet.initiation, sizeof(packet.initiation));
	return packet;
}

static void test_a_copy_is_found(void **state)
{
	struct recent_copies recent;
	struct packet packet = random_packet();

	(void)state;
	assert_int_equal(recent_copies_init(&recent, 64, 2000), 0);
	assert_false(recent_copies_check(&recent, &packet, 1000));
	assert_true(recent_copies_check(&recent, &packet, 1000));
	packet.arrival_index = 3; /* by another interface, the bridge above */
	assert_true(recent_copies_check(&recent, &packet, 1001));
	recent_copies_free(&recent);
}

/* Every bit of the message counts up to mac1's end; those of mac2 don't. */
static void test_each_bit_of_the_message(void **state)
{
	struct recent_copies recent;
	struct packet packet = random_packet(), other;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(packet.initiation); bit++) {
		assert_int_equal(recent_copies_init(&recent, 64, 2000), 0);
		other = packet;
		other.initiation[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(recent_copies_check(&recent, &packet, 1000));
		assert_int_equal(
			recent_copies_check(&recent, &other, 1000), bit / 8 >= INITIATION_MAC2_AT);
		recent_copies_free(&recent);
	}
}

/* Sent from elsewhere it is somebody else's, and must not suppress the client's own. */
static void test_the_source_counts(void **state)
{
	struct recent_copies recent;
	struct packet packet = random_packet(), other = packet;

	(void)state;
	assert_int_equal(recent_copies_init(&recent, 64, 2000), 0);
	other.source.bytes[3]++;
	assert_false(recent_copies_check(&recent, &other, 1000));
	assert_false(recent_copies_check(&recent, &packet, 1000));
	other = packet;
	other.source_port++;
	assert_false(recent_copies_check(&recent, &other, 1000));
	other = packet;
	other.source.family = 6;
	assert_false(recent_copies_check(&recent, &other, 1000));
	assert_true(recent_copies_check(&recent, &packet, 1000));
	recent_copies_free(&recent);
}

static void test_expiry(void **state)
{
	struct recent_copies recent;
	struct packet packet = random_packet();

	(void)state;
	assert_int_equal(recent_copies_init(&recent, 64, 2000), 0);
	assert_false(recent_copies_check(&recent, &packet, 1000));
	assert_true(recent_copies_check(&recent, &packet, 2999));
	assert_true(recent_copies_check(&recent, &packet, 4998)); /* 1999 after the last */
	assert_false(recent_copies_check(&recent, &packet, 6998));
	recent_copies_free(&recent);
}

/* One set of four: the fifth pushes out the one that was seen longest ago. */
static void test_a_full_set_forgets_the_oldest(void **state)
{
	struct recent_copies recent;
	struct packet packets[5];

	(void)state;
	assert_int_equal(recent_copies_init(&recent, 1, 2000), 0);
	assert_int_equal(recent.sets, 1);
	for (int i = 0; i < 5; i++)
		packets[i] = random_packet();
	for (int i = 0; i < 4; i++)
		assert_false(recent_copies_check(&recent, &packets[i], 1000 + i));
	assert_true(recent_copies_check(&recent, &packets[0], 1010));
	assert_false(recent_copies_check(&recent, &packets[4], 1011));
	assert_true(recent_copies_check(&recent, &packets[0], 1012));
	assert_true(recent_copies_check(&recent, &packets[2], 1012));
	assert_true(recent_copies_check(&recent, &packets[3], 1012));
	assert_true(recent_copies_check(&recent, &packets[4], 1012));
	assert_false(recent_copies_check(&recent, &packets[1], 1012));
	recent_copies_free(&recent);
}

static void test_sizes(void **state)
{
	struct recent_copies recent;

	(void)state;
	assert_int_equal(recent_copies_init(&recent, 0, 2000), -EINVAL);
	assert_int_equal(recent_copies_init(&recent, 64, 0), -EINVAL);
	assert_int_equal(recent_copies_init(&recent, 1000, 1), 0);
	assert_int_equal(recent.sets, 256);
	recent_copies_free(&recent);
}

static void test_keys_differ(void **state)
{
	struct recent_copies one, other;

	(void)state;
	assert_int_equal(recent_copies_init(&one, 4, 1), 0);
	assert_int_equal(recent_copies_init(&other, 4, 1), 0);
	assert_memory_not_equal(one.hash_key, other.hash_key, sizeof(one.hash_key));
	recent_copies_free(&one);
	recent_copies_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_is_found),
		cmocka_unit_test(test_each_bit_of_the_message),
		cmocka_unit_test(test_the_source_counts),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_a_full_set_forgets_the_oldest),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_keys_differ),
	};

	return cmocka_run_group_tests_name("recent_copies", tests, start_sodium, NULL);
}
