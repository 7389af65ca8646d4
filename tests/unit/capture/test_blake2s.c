/* SPDX-License-Identifier: ISC */
/* BLAKE2s against RFC 7693 and, at random, against libcrypto's. */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "capture/blake2s.h"

static void digest(uint8_t *out, size_t out_bytes, const uint8_t *key, size_t key_bytes,
	const uint8_t *input, size_t bytes)
{
	struct blake2s state;

	if (key_bytes > 0)
		blake2s_init_keyed(&state, out_bytes, key, key_bytes);
	else
		blake2s_init(&state, out_bytes);
	blake2s_update(&state, input, bytes);
	blake2s_final(&state, out);
}

/* RFC 7693 appendix B. */
static void test_abc(void **state)
{
	static const uint8_t expected[32] = {0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1,
		0xa7, 0x2b, 0xa3, 0x4e, 0xeb, 0x45, 0x2f, 0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a,
		0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82};
	uint8_t out[32];

	(void)state;
	digest(out, sizeof(out), NULL, 0, (const uint8_t *)"abc", 3);
	assert_memory_equal(out, expected, sizeof(expected));
}

/* RFC 7693 appendix E: the deterministic sequence that its self-test hashes. */
static void fill_sequence(uint8_t *out, size_t bytes, uint32_t seed)
{
	uint32_t a = 0xdead4badU * seed, b = 1;

	for (size_t i = 0; i < bytes; i++) {
		uint32_t sum = a + b;

		a = b;
		b = sum;
		out[i] = (uint8_t)(sum >> 24);
	}
}

/* RFC 7693 appendix E: a hash over hashes of many lengths, keyed and not. */
static void test_rfc_self_test(void **state)
{
	static const uint8_t expected[32] = {0x6a, 0x41, 0x1f, 0x08, 0xce, 0x25, 0xad, 0xcd, 0xfb,
		0x02, 0xab, 0xa6, 0x41, 0x45, 0x1c, 0xec, 0x53, 0xc5, 0x98, 0xb2, 0x4f, 0x4f, 0xc7,
		0x87, 0xfb, 0xdc, 0x88, 0x79, 0x7f, 0x4c, 0x1d, 0xfe};
	static const uint32_t digest_bytes[] = {16, 20, 28, 32};
	static const uint32_t input_bytes[] = {0, 3, 64, 65, 255, 1024};
	uint8_t input[1024], key[32], out[32];
	struct blake2s all;

	(void)state;
	blake2s_init(&all, 32);
	for (size_t i = 0; i < COUNT(digest_bytes); i++) {
		for (size_t j = 0; j < COUNT(input_bytes); j++) {
			fill_sequence(input, input_bytes[j], input_bytes[j]);
			digest(out, digest_bytes[i], NULL, 0, input, input_bytes[j]);
			blake2s_update(&all, out, digest_bytes[i]);
			fill_sequence(key, digest_bytes[i], digest_bytes[i]);
			digest(out, digest_bytes[i], key, digest_bytes[i], input, input_bytes[j]);
			blake2s_update(&all, out, digest_bytes[i]);
		}
	}
	blake2s_final(&all, out);
	assert_memory_equal(out, expected, sizeof(expected));
}

/* In pieces of random lengths, empty ones too. */
static void digest_in_pieces(uint8_t *out, size_t out_bytes, const uint8_t *key, size_t key_bytes,
	const uint8_t *input, size_t bytes)
{
	struct blake2s state;

	if (key_bytes > 0)
		blake2s_init_keyed(&state, out_bytes, key, key_bytes);
	else
		blake2s_init(&state, out_bytes);
	while (bytes > 0) {
		size_t piece = randombytes_uniform(140);

		if (piece > bytes)
			piece = bytes;
		blake2s_update(&state, input, piece);
		input += piece;
		bytes -= piece;
	}
	blake2s_update(&state, NULL, 0);
	blake2s_final(&state, out);
}

static void test_against_libcrypto(void **state)
{
	uint8_t input[512], ours[32], pieces[32], theirs[32];

	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t bytes = randombytes_uniform(sizeof(input) + 1);

		randombytes_buf(input, sizeof(input));
		digest(ours, 32, NULL, 0, input, bytes);
		digest_in_pieces(pieces, 32, NULL, 0, input, bytes);
		assert_int_equal(EVP_Digest(input, bytes, theirs, NULL, EVP_blake2s256(), NULL), 1);
		assert_memory_equal(ours, theirs, 32);
		assert_memory_equal(pieces, theirs, 32);
	}
}

static void test_keyed_against_libcrypto(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	uint8_t input[512], key[32], ours[32], pieces[32], theirs[32];

	(void)state;
	assert_non_null(mac);
	for (int i = 0; i < 4000; i++) {
		size_t bytes = randombytes_uniform(sizeof(input) + 1);
		size_t key_bytes = 1 + randombytes_uniform(sizeof(key));
		size_t out_bytes = 1 + randombytes_uniform(sizeof(ours));
		size_t written;
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes),
			OSSL_PARAM_construct_end(),
		};
		EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

		randombytes_buf(input, sizeof(input));
		randombytes_buf(key, sizeof(key));
		assert_int_equal(EVP_MAC_init(context, key, key_bytes, params), 1);
		assert_int_equal(EVP_MAC_update(context, input, bytes), 1);
		assert_int_equal(EVP_MAC_final(context, theirs, &written, sizeof(theirs)), 1);
		EVP_MAC_CTX_free(context);
		assert_int_equal(written, out_bytes);
		digest(ours, out_bytes, key, key_bytes, input, bytes);
		digest_in_pieces(pieces, out_bytes, key, key_bytes, input, bytes);
		assert_memory_equal(ours, theirs, out_bytes);
		assert_memory_equal(pieces, theirs, out_bytes);
	}
	EVP_MAC_free(mac);
}

/* A copied state, its key hashed already, gives what a fresh one gives. */
static void test_copied_state(void **state)
{
	uint8_t key[32], input[200], fresh[16], copied[16];
	struct blake2s prepared, copy;

	(void)state;
	randombytes_buf(key, sizeof(key));
	randombytes_buf(input, sizeof(input));
	blake2s_init_keyed(&prepared, sizeof(copied), key, sizeof(key));
	blake2s_compress_full_block(&prepared);
	for (size_t bytes = 1; bytes <= sizeof(input); bytes++) {
		digest(fresh, sizeof(fresh), key, sizeof(key), input, bytes);
		copy = prepared;
		blake2s_update(&copy, input, bytes);
		blake2s_final(&copy, copied);
		assert_memory_equal(copied, fresh, sizeof(fresh));
	}
}

static void test_writes_no_more_than_the_digest(void **state)
{
	uint8_t out[33];

	(void)state;
	for (size_t bytes = 1; bytes <= 32; bytes++) {
		memset(out, 0xa5, sizeof(out));
		digest(out, bytes, NULL, 0, (const uint8_t *)"abc", 3);
		for (size_t i = bytes; i < sizeof(out); i++)
			assert_int_equal(out[i], 0xa5);
	}
}

static void test_final_wipes(void **state)
{
	struct blake2s hash;
	uint8_t key[32], out[32];

	(void)state;
	randombytes_buf(key, sizeof(key));
	blake2s_init_keyed(&hash, sizeof(out), key, sizeof(key));
	blake2s_update(&hash, key, sizeof(key));
	blake2s_final(&hash, out);
	assert_zeroed(&hash, sizeof(hash));
}

/* More than 2^32 bytes: the counter's upper word. Hashed as one state that was moved forward. */
static void test_long_counter(void **state)
{
	static const uint8_t block[64];
	struct blake2s low = {0}, high = {0};
	uint8_t low_out[32], high_out[32];

	(void)state;
	blake2s_init(&low, 32);
	blake2s_init(&high, 32);
	high.t = UINT64_C(1) << 32;
	blake2s_update(&low, block, sizeof(block));
	blake2s_update(&high, block, sizeof(block));
	blake2s_final(&low, low_out);
	blake2s_final(&high, high_out);
	assert_memory_not_equal(low_out, high_out, sizeof(low_out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abc),
		cmocka_unit_test(test_rfc_self_test),
		cmocka_unit_test(test_against_libcrypto),
		cmocka_unit_test(test_keyed_against_libcrypto),
		cmocka_unit_test(test_copied_state),
		cmocka_unit_test(test_writes_no_more_than_the_digest),
		cmocka_unit_test(test_final_wipes),
		cmocka_unit_test(test_long_counter),
	};

	return cmocka_run_group_tests_name("blake2s", tests, start_sodium, NULL);
}
