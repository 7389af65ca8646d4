/* SPDX-License-Identifier: ISC */
/* WireGuard keys as text, without branches or look-ups that depend on the key. */
#include "common/key_text.h"

#include <errno.h>
#include <string.h>

/* All ones when low <= value <= high, else zero; all three within 0..255. */
static unsigned in_range(unsigned value, unsigned low, unsigned high)
{
	return 0U - ((((low - 1U) - value) & (value - (high + 1U))) >> 31);
}

/* The character for six bits; c62 and c63 are the alphabet's last two. */
static char encode_six(unsigned six, char c62, char c63)
{
	unsigned character = 0;

	character |= in_range(six, 0, 25) & (six + 'A');
	character |= in_range(six, 26, 51) & (six - 26 + 'a');
	character |= in_range(six, 52, 61) & (six - 52 + '0');
	character |= in_range(six, 62, 62) & (unsigned)c62;
	character |= in_range(six, 63, 63) & (unsigned)c63;
	return (char)character;
}

/* Six bits for a character of the standard alphabet; bit 8 set for any other. */
static unsigned decode_six(unsigned character)
{
	unsigned upper = in_range(character, 'A', 'Z'), lower = in_range(character, 'a', 'z');
	unsigned digit = in_range(character, '0', '9'), plus = in_range(character, '+', '+');
	unsigned slash = in_range(character, '/', '/');
	unsigned known = upper | lower | digit | plus | slash;

	return (upper & (character - 'A')) | (lower & (character - 'a' + 26)) |
	       (digit & (character - '0' + 52)) | (plus & 62) | (slash & 63) | (~known & 0x100);
}

/* 43 characters: 32 bytes are 10 groups of three and one of two. */
static void encode(char *text, const uint8_t *key, char c62, char c63)
{
	for (size_t i = 0, at = 0; at < 43; i += 3) {
		unsigned third = i + 2 < WIREGUARD_KEY_BYTES ? key[i + 2] : 0;
		unsigned bits = (unsigned)key[i] << 16 | (unsigned)key[i + 1] << 8 | third;

		for (int shift = 18; shift >= 0 && at < 43; shift -= 6)
			text[at++] = encode_six(bits >> shift & 63, c62, c63);
	}
}

const char *key_to_base64(
	char text[static KEY_BASE64_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	encode(text, key, '+', '/');
	text[43] = '=';
	text[44] = '\0';
	return text;
}

const char *key_to_base64_url(
	char text[static KEY_BASE64_URL_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	encode(text, key, '-', '_');
	text[43] = '\0';
	return text;
}

const char *key_to_hex(
	char text[static KEY_HEX_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	for (size_t i = 0; i < (size_t)WIREGUARD_KEY_BYTES * 2; i++) {
		unsigned four = i % 2 == 0 ? key[i / 2] >> 4U : key[i / 2] & 15U;

		text[i] = (char)((in_range(four, 0, 9) & (four + '0')) |
				 (in_range(four, 10, 15) & (four - 10 + 'a')));
	}
	text[WIREGUARD_KEY_BYTES * 2] = '\0';
	return text;
}

int key_from_base64(uint8_t key[static WIREGUARD_KEY_BYTES], const char *text)
{
	unsigned bad = 0;

	if (strnlen(text, KEY_BASE64_BYTES) != KEY_BASE64_BYTES - 1 || text[43] != '=') {
		explicit_bzero(key, WIREGUARD_KEY_BYTES);
		return -EINVAL;
	}
	for (size_t group = 0; group < 11; group++) {
		unsigned bits = 0;

		for (size_t i = 0; i < 4; i++) {
			size_t at = group * 4 + i;
			unsigned six = at < 43 ? decode_six((unsigned char)text[at]) : 0;

			bad |= six & 0x100;
			bits = bits << 6 | (six & 63);
		}
		for (size_t i = 0; i < 3 && group * 3 + i < WIREGUARD_KEY_BYTES; i++)
			key[group * 3 + i] = (uint8_t)(bits >> (16 - 8 * i));
		if (group == 10)
			bad |= bits & 0xff;
	}
	if (bad == 0)
		return 0;
	explicit_bzero(key, WIREGUARD_KEY_BYTES);
	return -EINVAL;
}
