/* SPDX-License-Identifier: ISC */
/* The URL to ask for a key. */
#include "fetcher/url_template.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/key_text.h"

enum placeholder { KEY_URL, KEY_HEX, KEY_BASE64, PLACEHOLDER_COUNT };

static const char *const placeholders[PLACEHOLDER_COUNT] = {
	[KEY_URL] = "{key}",
	[KEY_HEX] = "{key_hex}",
	[KEY_BASE64] = "{key_base64}",
};

/* Percent-encodes what RFC 3986 reserves: in base64 that is '+', '/' and '='. */
static void write_base64(char *text, const uint8_t *key)
{
	char base64[KEY_BASE64_BYTES];

	key_to_base64(base64, key);
	for (const char *at = base64; *at != '\0'; at++) {
		if (*at == '+' || *at == '/' || *at == '=')
			text += sprintf(text, "%%%02X", (unsigned)*at);
		else
			*text++ = *at;
	}
	*text = '\0';
}

static void write_key(char *text, enum placeholder placeholder, const uint8_t *key)
{
	if (placeholder == KEY_URL)
		key_to_base64_url(text, key);
	else if (placeholder == KEY_HEX)
		key_to_hex(text, key);
	else
		write_base64(text, key);
}

/* The placeholder that text begins with, or PLACEHOLDER_COUNT. */
static enum placeholder placeholder_at(const char *text)
{
	for (enum placeholder i = 0; i < PLACEHOLDER_COUNT; i++) {
		if (strncmp(text, placeholders[i], strlen(placeholders[i])) == 0)
			return i;
	}
	return PLACEHOLDER_COUNT;
}

const char *url_template_expand(const struct url_template *url, char expanded[static URL_BYTES],
	const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	char written[3 * KEY_BASE64_BYTES]; /* every character percent-encoded, at most */
	size_t used = 0;

	for (const char *at = url->text; *at != '\0';) {
		enum placeholder found = placeholder_at(at);
		size_t length = 1;

		if (found == PLACEHOLDER_COUNT) {
			written[0] = *at++;
		} else {
			write_key(written, found, key);
			length = strlen(written);
			at += strlen(placeholders[found]);
		}
		if (length >= URL_BYTES - used)
			return NULL;
		memcpy(expanded + used, written, length);
		used += length;
	}
	expanded[used] = '\0';
	return expanded;
}

/* What is wrong with the template's characters, or NULL. */
static const char *find_bad_text(const char *text)
{
	bool has_key = false;

	for (const char *at = text; *at != '\0';) {
		enum placeholder found = placeholder_at(at);

		if (found != PLACEHOLDER_COUNT) {
			has_key = true;
			at += strlen(placeholders[found]);
			continue;
		}
		if (*at <= ' ' || *at > '~')
			return "a character that a URL can't have";
		if (*at == '{' || *at == '}')
			return "an unknown placeholder";
		if (*at == '#')
			return "a fragment";
		at++;
	}
	return has_key ? NULL : "no {key}, {key_hex} or {key_base64}";
}

/* Whether the key would be part of the host's name or of the port. libcurl looks for the host behind
 * any number of slashes. */
static bool key_in_authority(const char *text)
{
	const char *authority = strstr(text, "://");

	if (authority == NULL)
		return true;
	authority += 3;
	return *authority == '/' || strcspn(authority, "{") < strcspn(authority, "/?");
}

static const char *check_host(CURLU *parsed)
{
	const char *reason = NULL;
	char *host = NULL;

	if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		reason = "no host";
	else if (strlen(host) > 255)
		reason = "a host name of more than 255 characters";
	curl_free(host);
	return reason;
}

static const char *read_scheme(struct url_template *url, CURLU *parsed)
{
	const char *reason = NULL;
	char *scheme = NULL;

	if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return "no scheme";
	url->https = strcmp(scheme, "https") == 0;
	if (!url->https && strcmp(scheme, "http") != 0)
		reason = "a scheme other than http and https";
	curl_free(scheme);
	return reason;
}

/* What is wrong with an expanded URL, or NULL. */
static const char *read_expanded(struct url_template *url, const char *expanded)
{
	CURLU *parsed = curl_url();
	const char *reason;

	if (parsed == NULL)
		return "no memory";
	if (curl_url_set(parsed, CURLUPART_URL, expanded, CURLU_DISALLOW_USER) != CURLUE_OK)
		reason = "not a URL, or one with a user name";
	else
		reason = read_scheme(url, parsed);
	if (reason == NULL)
		reason = check_host(parsed);
	curl_url_cleanup(parsed);
	return reason;
}

#define FILE_URL "file:///"

/* What is wrong with a file's name, or NULL. */
static const char *find_bad_name(const char *name)
{
	if (strpbrk(name, "/%?") != NULL)
		return "a slash, % or ? in a file's name";
	if (strstr(name, placeholders[KEY_BASE64]) != NULL)
		return "{key_base64}, which may have a slash, in a file's name";
	return NULL;
}

const char *url_template_file_name(const char *expanded)
{
	return expanded + strlen(FILE_URL);
}

int url_template_read(struct url_template *url, const char *text, const char **reason)
{
	static const uint8_t key[WIREGUARD_KEY_BYTES];
	char expanded[URL_BYTES];

	memset(url, 0, sizeof(*url));
	*reason = "longer than 1024 characters";
	if (strlen(text) >= sizeof(url->text))
		return -EINVAL;
	memcpy(url->text, text, strlen(text));
	*reason = find_bad_text(text);
	if (*reason != NULL)
		return -EINVAL;
	url->is_file = strncmp(text, FILE_URL, strlen(FILE_URL)) == 0;
	if (url->is_file) {
		*reason = find_bad_name(url_template_file_name(text));
		return *reason == NULL ? 0 : -EINVAL;
	}
	*reason = "no scheme, or the key in the host's name";
	if (key_in_authority(text))
		return -EINVAL;
	*reason = "too long once the key is in it";
	if (url_template_expand(url, expanded, key) == NULL)
		return -EINVAL;
	*reason = read_expanded(url, expanded);
	return *reason == NULL ? 0 : -EINVAL;
}
