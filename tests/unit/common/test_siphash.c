/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 against its authors' reference vectors and OpenSSL's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/siphash.h"

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

/* OpenSSL 3.0: openssl mac -macopt hexkey:000102...0f -macopt size:8 -in FILE SIPHASH, for the bytes
 * 00 to 1f; it prints the number's least byte first. */
static void test_openssl(void **state)
{
	uint8_t seed[SIPHASH_SEED_BYTES], input[32];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		input[i] = i;
	memcpy(seed, input, sizeof(seed));
	assert_true(siphash(seed, input, sizeof(input)) == 0x7127512f72f27cce);
}

static void test_depends_on_every_bit(void **state)
{
	uint8_t seed[SIPHASH_SEED_BYTES], other[SIPHASH_SEED_BYTES], key[32] = {0};
	uint64_t hash;

	(void)state;
	assert_int_equal(siphash_draw_seed(seed), 0);
	assert_int_equal(siphash_draw_seed(other), 0);
	hash = siphash(seed, key, sizeof(key));
	assert_true(hash != siphash(other, key, sizeof(key)));
	for (size_t bit = 0; bit < 256; bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_true(hash != siphash(seed, key, sizeof(key)));
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_depends_on_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
