/* SPDX-License-Identifier: ISC */
/* HMAC-BLAKE2s and the key derivation against libcrypto's HMAC and HKDF. */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "capture/kdf.h"

static void libcrypto_hmac(
	uint8_t out[32], const uint8_t *key, size_t key_bytes, const uint8_t *input, size_t bytes)
{
	unsigned int written;

	assert_non_null(HMAC(EVP_blake2s256(), key, (int)key_bytes, input, bytes, out, &written));
	assert_int_equal(written, 32);
}

static void libcrypto_hkdf(uint8_t out[96], uint8_t chaining_key[32], uint8_t *input, size_t bytes)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	char name[] = "BLAKE2S256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, chaining_key, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input, bytes),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_KDF_derive(context, out, 96, params), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static void test_hmac(void **state)
{
	uint8_t key[200], input[200], ours[32], theirs[32];
	struct hmac_key prepared;

	(void)state;
	for (size_t key_bytes = 0; key_bytes <= 130; key_bytes++) {
		size_t bytes = randombytes_uniform(sizeof(input) + 1);

		randombytes_buf(key, sizeof(key));
		randombytes_buf(input, sizeof(input));
		hmac_key_init(&prepared, key, key_bytes);
		hmac_blake2s(ours, &prepared, input, bytes);
		libcrypto_hmac(theirs, key, key_bytes, input, bytes);
		assert_memory_equal(ours, theirs, 32);
		/* The key is whole after use, and an empty input is one. */
		hmac_blake2s(ours, &prepared, NULL, 0);
		libcrypto_hmac(theirs, key, key_bytes, input, 0);
		assert_memory_equal(ours, theirs, 32);
		hmac_key_wipe(&prepared);
		assert_zeroed(&prepared, sizeof(prepared));
	}
}

static void test_kdf(void **state)
{
	uint8_t chaining_key[32], input[64], expected[96], out[96];
	struct hmac_key prepared;

	(void)state;
	for (size_t bytes = 1; bytes <= sizeof(input); bytes++) {
		randombytes_buf(chaining_key, sizeof(chaining_key));
		randombytes_buf(input, sizeof(input));
		libcrypto_hkdf(expected, chaining_key, input, bytes);

		memset(out, 0, sizeof(out));
		kdf1(out, chaining_key, input, bytes);
		assert_memory_equal(out, expected, 32);
		assert_zeroed(out + 32, 64);

		memset(out, 0, sizeof(out));
		hmac_key_init(&prepared, chaining_key, sizeof(chaining_key));
		kdf1_prepared(out, &prepared, input, bytes);
		assert_memory_equal(out, expected, 32);

		memset(out, 0, sizeof(out));
		kdf2(out, out + 32, chaining_key, input, bytes);
		assert_memory_equal(out, expected, 64);
		assert_zeroed(out + 64, 32);
	}
}

/* The paper's KDF with an empty input, by its definition. */
static void test_empty_input(void **state)
{
	uint8_t chaining_key[32], secret[32], expected[64], next[33], out[64];

	(void)state;
	randombytes_buf(chaining_key, sizeof(chaining_key));
	libcrypto_hmac(secret, chaining_key, 32, next, 0);
	libcrypto_hmac(expected, secret, 32, (const uint8_t *)"\x01", 1);
	memcpy(next, expected, 32);
	next[32] = 2;
	libcrypto_hmac(expected + 32, secret, 32, next, 33);
	kdf2(out, out + 32, chaining_key, NULL, 0);
	assert_memory_equal(out, expected, 64);
}

/* As the handshake uses it: the first output takes the place of the chaining key. */
static void test_in_place(void **state)
{
	uint8_t chaining_key[32], input[32], expected[96], second[32];

	(void)state;
	randombytes_buf(chaining_key, sizeof(chaining_key));
	randombytes_buf(input, sizeof(input));
	libcrypto_hkdf(expected, chaining_key, input, sizeof(input));
	kdf2(chaining_key, second, chaining_key, input, sizeof(input));
	assert_memory_equal(chaining_key, expected, 32);
	assert_memory_equal(second, expected + 32, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_kdf),
		cmocka_unit_test(test_empty_input),
		cmocka_unit_test(test_in_place),
	};

	return cmocka_run_group_tests_name("kdf", tests, start_sodium, NULL);
}
