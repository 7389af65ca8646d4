/* SPDX-License-Identifier: ISC */
/* Texts from outside: keys, prefixes, what is quoted for a log, and the bearer token's file. */
#include <errno.h>
#include <string.h>

#include "common/address.h"
#include "common/key_text.h"
#include "common/log.h"
#include "fetcher/material.h"
#include "tests/fuzz/fuzz.h"

/* A key has one text, so what is read must be written the same. */
static void check_key(const char *text)
{
	static const uint8_t zero[WIREGUARD_KEY_BYTES];
	uint8_t key[WIREGUARD_KEY_BYTES];
	char base64[KEY_BASE64_BYTES], url[KEY_BASE64_URL_BYTES], hex[KEY_HEX_BYTES];
	int error;

	memset(key, 0xa5, sizeof(key));
	error = key_from_base64(key, text);
	if (error != 0) {
		FUZZ_CHECK(error == -EINVAL && memcmp(key, zero, sizeof(key)) == 0);
		return;
	}
	FUZZ_CHECK(strcmp(key_to_base64(base64, key), text) == 0);
	FUZZ_CHECK(strlen(key_to_base64_url(url, key)) == 43);
	FUZZ_CHECK(
		strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		43);
	FUZZ_CHECK(strlen(key_to_hex(hex, key)) == 64);
	FUZZ_CHECK(strspn(hex, "0123456789abcdef") == 64);
}

/* Reading what is written gives the same prefix, and it holds just what it should. */
static void check_prefix(const char *text)
{
	struct prefix prefix, again, whole = {0};
	char written[PREFIX_TEXT_BYTES];
	int error = prefix_parse(&prefix, text);

	FUZZ_CHECK(error == 0 || error == -EINVAL || error == -EDOM);
	if (error != 0)
		return;
	FUZZ_CHECK(fuzz_is_prefix(&prefix) && prefix_valid(&prefix));
	FUZZ_CHECK(strlen(prefix_format(written, &prefix)) < sizeof(written));
	FUZZ_CHECK(prefix_parse(&again, written) == 0);
	FUZZ_CHECK(memcmp(&prefix, &again, sizeof(prefix)) == 0);
	whole.family = prefix.family;
	FUZZ_CHECK(prefix_contains(&prefix, &prefix) && prefix_overlaps(&prefix, &whole));
	FUZZ_CHECK(prefix_contains(&whole, &prefix));
	FUZZ_CHECK(prefix_contains(&prefix, &whole) == (prefix.length == 0));
}

/* Bounded, printable, in quotes, with none inside. */
static void check_quote(const char *text)
{
	char quoted[LOG_QUOTED_BYTES];
	size_t length;

	memset(quoted, 0xa5, sizeof(quoted));
	FUZZ_CHECK(log_quote(quoted, text) == quoted);
	FUZZ_CHECK(memchr(quoted, '\0', sizeof(quoted)) != NULL);
	length = strlen(quoted);
	FUZZ_CHECK(fuzz_is_printable(quoted));
	FUZZ_CHECK(length >= 2 && quoted[0] == '"' && quoted[length - 1] == '"');
	FUZZ_CHECK(strchr(quoted + 1, '"') == quoted + length - 1);
	if (strlen(text) <= 60)
		FUZZ_CHECK(strstr(quoted, "...\"") == NULL || strstr(text, "...") != NULL);
}

/* A token that passes is one line that a header may hold. */
static void check_token(const uint8_t *data, size_t size)
{
	static struct material_set set;
	const struct material *token = &set.items[MATERIAL_TOKEN];
	const char *reason = NULL;

	if (token->bytes == NULL)
		FUZZ_CHECK(material_open(&set) == 0);
	if (material_read(&set, MATERIAL_TOKEN, fuzz_file(data, size)) != 0) {
		FUZZ_CHECK(size > MATERIAL_TOKEN_BYTES_MAX && token->length == 0);
		return;
	}
	FUZZ_CHECK(token->length == size && token->bytes[size] == 0);
	if (material_trim_token(&set, &reason) != 0) {
		FUZZ_CHECK(size > 0 && reason != NULL && fuzz_is_printable(reason));
		return;
	}
	FUZZ_CHECK(token->length == strlen((const char *)token->bytes));
	FUZZ_CHECK(fuzz_is_printable((const char *)token->bytes));
	FUZZ_CHECK(strchr((const char *)token->bytes, ' ') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *text = fuzz_text(&input);

	check_key(text);
	check_prefix(text);
	check_quote(text);
	check_token(data, size);
	free(text);
	return 0;
}
