/* SPDX-License-Identifier: ISC */
/* Public keys to slot numbers. */
#include "installer/key_index.h"

#include "unit.h"

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
		cmocka_unit_test(test_key_index),
		cmocka_unit_test(test_seeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
