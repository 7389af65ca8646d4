/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 against the example of its paper (appendix A) and its authors' reference vectors. */
#include "installer/siphash.h"

#include "installer/key_index.h"
#include "unit.h"

static void test_vectors(void **state)
{
	/* https://github.com/veorq/SipHash, vectors.h, vectors_sip64: input 00 01 02 ... */
	static const struct {
		size_t length;
		uint64_t hash;
	} vectors[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}};
	uint8_t seed[SIPHASH_SEED_BYTES], input[16];

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		seed[i] = input[i] = i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(siphash(seed, input, vectors[i].length), vectors[i].hash);
}

#define CAPACITY 300

static void test_key_index(void **state)
{
	struct key_index index;
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slots[CAPACITY];

	(void)state;
	assert_int_equal(key_index_init(&index, CAPACITY), 0);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < CAPACITY; i++) {
			make_key(key, i + round);
			assert_int_equal(key_index_find(&index, key), KEY_INDEX_NONE);
			slots[i] = key_index_add(&index, key);
			assert_true(slots[i] < CAPACITY);
			assert_true(key_index_holds(&index, slots[i]));
			assert_int_equal(key_index_find(&index, key), slots[i]);
		}
		make_key(key, 99999);
		assert_int_equal(key_index_add(&index, key), KEY_INDEX_NONE);
		for (uint32_t i = 0; i < CAPACITY; i++) {
			make_key(key, i + round);
			assert_int_equal(key_index_find(&index, key), slots[i]);
			key_index_remove(&index, slots[i]);
			assert_int_equal(key_index_find(&index, key), KEY_INDEX_NONE);
			assert_false(key_index_holds(&index, slots[i]));
		}
		assert_int_equal(index.count, 0);
	}
	key_index_destroy(&index);
}

/* Two tables hash alike only if somebody forgot the random seed. */
static void test_seeded(void **state)
{
	struct key_index a, b;

	(void)state;
	assert_int_equal(key_index_init(&a, 1), 0);
	assert_int_equal(key_index_init(&b, 1), 0);
	assert_memory_not_equal(a.seed, b.seed, sizeof(a.seed));
	key_index_destroy(&a);
	key_index_destroy(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_key_index),
		cmocka_unit_test(test_seeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
