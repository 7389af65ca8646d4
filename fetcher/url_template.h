/* SPDX-License-Identifier: ISC */
/*
 * The URL to ask for a key: a template with {key} (base64, RFC 4648 section 5, unpadded),
 * {key_hex} or {key_base64} (RFC 4648 section 4, percent-encoded), any of them, in path or query; or
 * the name of a file, with {key} or {key_hex}.
 */
#ifndef PULLGATE_FETCHER_URL_TEMPLATE_H
#define PULLGATE_FETCHER_URL_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wireguard.h"

#define URL_TEMPLATE_BYTES 1025 /* as FETCHER_SETTINGS has it, with the terminating zero */
#define URL_BYTES          2048 /* of an expanded URL, with the terminating zero */

struct url_template {
	char text[URL_TEMPLATE_BYTES];
	bool https;
	bool is_file; /* file:///NAME: in the root directory */
};

/*
 * Reads a template. 0, or -EINVAL with *reason (static text) for one that is not a plain http or
 * https URL with a key in its path or query: user names, fragments, spaces and control characters
 * are refused, as are unknown placeholders. A file: URL is one of a file in the root directory, whose
 * name never has a slash, and stands for itself: % is refused.
 */
int url_template_read(struct url_template *url, const char *text, const char **reason);

/* The file's name, in a URL of a template that is_file. */
const char *url_template_file_name(const char *expanded);

/* Writes the key's URL and returns it, or NULL when it is longer than URL_BYTES. */
const char *url_template_expand(const struct url_template *url, char expanded[static URL_BYTES],
	const uint8_t key[static WIREGUARD_KEY_BYTES]);

#endif
