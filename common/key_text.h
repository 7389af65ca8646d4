/* SPDX-License-Identifier: ISC */
/*
 * WireGuard keys as text. Time and memory access do not depend on the key's value, since the
 * same functions read preshared keys.
 */
#ifndef PULLGATE_KEY_TEXT_H
#define PULLGATE_KEY_TEXT_H

#include <stdint.h>

#include "common/wireguard.h"

#define KEY_BASE64_BYTES     45 /* padded, with the terminating zero */
#define KEY_BASE64_URL_BYTES 44 /* unpadded */
#define KEY_HEX_BYTES        65

/* RFC 4648 section 4, padded: the form of wg(8). Returns text. */
const char *key_to_base64(
	char text[static KEY_BASE64_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* RFC 4648 section 5, unpadded: the form of the origin's URL. Returns text. */
const char *key_to_base64_url(
	char text[static KEY_BASE64_URL_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES]);

/* RFC 4648 section 8, lower case. Returns text. */
const char *key_to_hex(
	char text[static KEY_HEX_BYTES], const uint8_t key[static WIREGUARD_KEY_BYTES]);

/*
 * Reads the 44 characters of the padded form, nothing before or behind them, the two unused bits
 * zero. 0, or -EINVAL with key wiped.
 */
int key_from_base64(uint8_t key[static WIREGUARD_KEY_BYTES], const char *text);

#endif
