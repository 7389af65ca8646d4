/* SPDX-License-Identifier: ISC */
/* Known sources: who gets in, who is pushed out by whom. */
#include "unit.h"

#include <errno.h>

#include "capture/known_sources.h"

static struct address ipv4(uint32_t number)
{
	struct address address = {.family = 4};

	memcpy(address.bytes, &number, sizeof(number));
	return address;
}

static struct address ipv6(uint8_t network, uint8_t host)
{
	return (struct address){
		.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [7] = network, [15] = host}};
}

static void note(struct known_sources *known, uint32_t key, struct address source, int64_t now_ms)
{
	uint8_t bytes[WIREGUARD_KEY_BYTES] = {0x77};

	memcpy(bytes + 4, &key, sizeof(key));
	known_sources_note(known, bytes, &source, now_ms);
}

static bool is_known(struct known_sources *known, struct address source, int64_t now_ms)
{
	return known_sources_check(known, &source, now_ms);
}

static void test_what_was_noted_is_known(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 100, 1000), 0);
	assert_false(is_known(&known, ipv4(1), 0));
	note(&known, 7, ipv4(1), 0);
	note(&known, 8, ipv6(1, 1), 0);
	assert_true(is_known(&known, ipv4(1), 0));
	assert_false(is_known(&known, ipv4(2), 0));
	assert_true(is_known(&known, ipv6(1, 99), 0)); /* the same /64 */
	assert_false(is_known(&known, ipv6(2, 1), 0));
	known_sources_free(&known);
}

static void test_families_are_apart(void **state)
{
	struct known_sources known;
	struct address four = {.family = 4, .bytes = {0x20, 0x01, 0x0d, 0xb8}};
	struct address six = {.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8}};

	(void)state;
	assert_int_equal(known_sources_init(&known, 100, 1000), 0);
	note(&known, 7, four, 0);
	assert_true(is_known(&known, four, 0));
	assert_false(is_known(&known, six, 0));
	known_sources_free(&known);
}

static void test_it_is_forgotten_in_time(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 100, 1000), 0);
	note(&known, 7, ipv4(1), 0);
	note(&known, 8, ipv4(2), 0);
	assert_true(is_known(&known, ipv4(1), 999));
	note(&known, 7, ipv4(1), 999);
	assert_true(is_known(&known, ipv4(1), 1998));
	assert_false(is_known(&known, ipv4(2), 1998));
	assert_false(is_known(&known, ipv4(1), 1999));
	assert_false(is_known(&known, ipv4(1), 0)); /* it is gone, not only passed over */
	known_sources_free(&known);
}

/* A client that moves takes its old source with it, unless another one is there too. */
static void test_one_source_a_key(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 100, 1000), 0);
	note(&known, 7, ipv4(1), 0);
	note(&known, 8, ipv4(1), 0);
	note(&known, 7, ipv4(2), 0);
	assert_true(is_known(&known, ipv4(1), 0));
	assert_true(is_known(&known, ipv4(2), 0));
	note(&known, 8, ipv4(2), 0);
	assert_false(is_known(&known, ipv4(1), 0));
	assert_true(is_known(&known, ipv4(2), 0));
	known_sources_free(&known);
}

/* Whoever has one key takes one place, however many sources he sends from. */
static void test_one_key_pushes_nobody_out(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 8, 1000), 0);
	for (uint32_t i = 0; i < 7; i++)
		note(&known, i, ipv4(i), 0);
	for (uint32_t i = 100; i < 10000; i++)
		note(&known, 99, ipv4(i), 1);
	for (uint32_t i = 0; i < 7; i++)
		assert_true(is_known(&known, ipv4(i), 1));
	assert_true(is_known(&known, ipv4(9999), 1));
	assert_false(is_known(&known, ipv4(9998), 1));
	known_sources_free(&known);
}

/* One set of eight: the key that was seen longest ago gives way. */
static void test_full(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 8, 1000), 0);
	assert_int_equal(known.sets, 1);
	for (uint32_t i = 0; i < 8; i++)
		note(&known, i, ipv4(i), i);
	note(&known, 0, ipv4(0), 8);
	note(&known, 8, ipv4(8), 9);
	assert_true(is_known(&known, ipv4(0), 9));
	assert_false(is_known(&known, ipv4(1), 9));
	for (uint32_t i = 2; i <= 8; i++)
		assert_true(is_known(&known, ipv4(i), 9));
	known_sources_free(&known);
}

/* What holds at any time: each entry in use is in its bucket's list once, and nothing else is. */
static void check_links(const struct known_sources *known)
{
	size_t in_use = 0, linked = 0;

	for (size_t i = 1; i <= known->bucket_count; i++)
		in_use += known->entries[i].prefix.family != 0;
	for (size_t i = 0; i < known->bucket_count; i++) {
		uint32_t newer = 0;

		for (uint32_t at = known->buckets[i]; at != 0; at = known->entries[at].older) {
			assert_int_equal(known->entries[at].newer, newer);
			assert_int_not_equal(known->entries[at].prefix.family, 0);
			assert_true(++linked <= in_use);
			newer = at;
		}
	}
	assert_int_equal(linked, in_use);
}

/* Random life, compared with a plain list. Eight keys, so that none gives way. */
static void test_random_life(void **state)
{
	enum { KEYS = 8, SOURCES = 6, STEPS = 20000, KEEP = 50 };
	struct known_sources known;
	uint32_t source_of[KEYS] = {0};
	int64_t seen_ms[KEYS];

	(void)state;
	assert_int_equal(known_sources_init(&known, KEYS, KEEP), 0);
	for (size_t i = 0; i < KEYS; i++)
		seen_ms[i] = -KEEP;
	for (int64_t now_ms = 0; now_ms < STEPS; now_ms++) {
		uint32_t key = randombytes_uniform(KEYS), source = randombytes_uniform(SOURCES);
		bool expected = false;

		if (randombytes_uniform(8) == 0) {
			note(&known, key, ipv4(source), now_ms);
			source_of[key] = source;
			seen_ms[key] = now_ms;
		}
		source = randombytes_uniform(SOURCES);
		for (size_t i = 0; i < KEYS; i++)
			expected |= source_of[i] == source && now_ms - seen_ms[i] < KEEP;
		assert_int_equal(is_known(&known, ipv4(source), now_ms), expected);
		check_links(&known);
	}
	known_sources_free(&known);
}

static void test_limits(void **state)
{
	struct known_sources known;

	(void)state;
	assert_int_equal(known_sources_init(&known, 0, 1000), -EINVAL);
	assert_int_equal(known_sources_init(&known, 1 << 28, 1000), -EINVAL);
	assert_int_equal(known_sources_init(&known, 8, 0), -EINVAL);
	assert_int_equal(known_sources_init(&known, 9, 1000), 0);
	assert_int_equal(known.sets, 2);
	known_sources_free(&known);
	assert_zeroed(&known, sizeof(known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_noted_is_known),
		cmocka_unit_test(test_families_are_apart),
		cmocka_unit_test(test_it_is_forgotten_in_time),
		cmocka_unit_test(test_one_source_a_key),
		cmocka_unit_test(test_one_key_pushes_nobody_out),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_random_life),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("known_sources", tests, start_sodium, NULL);
}
