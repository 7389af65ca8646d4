/* SPDX-License-Identifier: ISC */
/* Keys as text, against values that coreutils' base64 and xxd printed for the same bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/key_text.h"

/* printf of bytes f8..ff, 00..17 | base64 */
static const char known_base64[] = "+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=";
static const char known_base64_url[] = "-Pn6-_z9_v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc";
static const char known_hex[] = "f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617";

static void fill_known(uint8_t key[static WIREGUARD_KEY_BYTES])
{
	for (int i = 0; i < WIREGUARD_KEY_BYTES; i++)
		key[i] = (uint8_t)(0xf8 + i);
}

static void known_key_in_all_forms(void **state)
{
	uint8_t key[WIREGUARD_KEY_BYTES], back[WIREGUARD_KEY_BYTES];
	char base64[KEY_BASE64_BYTES], url[KEY_BASE64_URL_BYTES], hex[KEY_HEX_BYTES];

	(void)state;
	fill_known(key);
	assert_string_equal(key_to_base64(base64, key), known_base64);
	assert_string_equal(key_to_base64_url(url, key), known_base64_url);
	assert_string_equal(key_to_hex(hex, key), known_hex);
	assert_int_equal(key_from_base64(back, base64), 0);
	assert_memory_equal(back, key, sizeof(key));
}

/* Each value of a byte at each place comes back, so every character of the alphabet is used. */
static void every_byte_comes_back(void **state)
{
	(void)state;
	for (int value = 0; value < 256; value++) {
		for (int place = 0; place < WIREGUARD_KEY_BYTES; place++) {
			uint8_t key[WIREGUARD_KEY_BYTES] = {0}, back[WIREGUARD_KEY_BYTES];
			char text[KEY_BASE64_BYTES];

			key[place] = (uint8_t)value;
			assert_int_equal(key_from_base64(back, key_to_base64(text, key)), 0);
			assert_memory_equal(back, key, sizeof(key));
		}
	}
}

static void bad_text_is_refused_and_wiped(void **state)
{
	static const uint8_t zero[WIREGUARD_KEY_BYTES];
	uint8_t key[WIREGUARD_KEY_BYTES];
	char text[KEY_BASE64_BYTES + 2];

	(void)state;
	for (int character = 1; character < 256; character++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
			    character) != NULL)
			continue;
		for (size_t place = 0; place < 44; place++) {
			if (place == 43 && character == '=')
				continue;
			memcpy(text, known_base64, sizeof(known_base64));
			text[place] = (char)character;
			memset(key, 1, sizeof(key));
			assert_int_equal(key_from_base64(key, text), -EINVAL);
			assert_memory_equal(key, zero, sizeof(key));
		}
	}
	snprintf(text, sizeof(text), "%s=", known_base64);
	assert_int_equal(key_from_base64(key, text), -EINVAL);
	snprintf(text, sizeof(text), "%.43s", known_base64);
	assert_int_equal(key_from_base64(key, text), -EINVAL);
	assert_int_equal(key_from_base64(key, ""), -EINVAL);
	/* The two bits behind the last byte must be zero: "c" has none of them set, "d" has one. */
	memcpy(text, known_base64, sizeof(known_base64));
	text[42] = 'd';
	assert_int_equal(key_from_base64(key, text), -EINVAL);
	text[42] = 'e';
	assert_int_equal(key_from_base64(key, text), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_key_in_all_forms),
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(bad_text_is_refused_and_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
