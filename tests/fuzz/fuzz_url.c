/* SPDX-License-Identifier: ISC */
/*
 * The origin's URL, which two processes take apart: the supervisor, for the connector, and the
 * fetcher, with libcurl. What the supervisor accepts names the same host to both, or the fetcher
 * would ask the one for what belongs to the other.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fetcher/url_template.h"
#include "supervisor/config.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[WIREGUARD_KEY_BYTES] = {0xfb, 0xff, 0xfe, 1, 2, 3};

/* An expanded URL has the key in it and nothing that can't stand in a request line. */
static void check_expanded(const struct url_template *url)
{
	char expanded[URL_BYTES];

	memset(expanded, 0xa5, sizeof(expanded));
	if (url_template_expand(url, expanded, key) == NULL)
		return;
	FUZZ_CHECK(memchr(expanded, '\0', sizeof(expanded)) != NULL);
	FUZZ_CHECK(fuzz_is_printable(expanded) && strpbrk(expanded, " {}") == NULL);
	FUZZ_CHECK(strstr(expanded, "-__-") != NULL || strstr(expanded, "fbfffe010203") != NULL ||
		   strstr(expanded, "%2B%2F%2F%2BAQID") != NULL);
}

static char *part_of(const char *url, CURLUPart part, unsigned flags)
{
	CURLU *parsed = curl_url();
	char *text = NULL;

	FUZZ_CHECK(parsed != NULL);
	if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK)
		curl_url_get(parsed, part, &text, flags);
	curl_url_cleanup(parsed);
	return text;
}

/* libcurl puts IPv6 addresses into brackets, and writes addresses its own way: 127.1 is 127.0.0.1,
 * as it is to the connector's getaddrinfo(3). */
static bool is_same_host(char *host, const char *connected)
{
	struct in6_addr named, reached;
	struct in_addr named_ipv4, reached_ipv4;
	size_t length = strlen(host);

	if (inet_aton(connected, &reached_ipv4) != 0)
		return inet_aton(host, &named_ipv4) != 0 &&
		       named_ipv4.s_addr == reached_ipv4.s_addr;
	if (host[0] != '[')
		return strcasecmp(host, connected) == 0;
	FUZZ_CHECK(length > 2 && host[length - 1] == ']');
	host[length - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &named) == 1 &&
	       inet_pton(AF_INET6, connected, &reached) == 1 &&
	       memcmp(&named, &reached, sizeof(named)) == 0;
}

/* The host that libcurl will name, and hold a certificate to, against the connector's. */
static void check_same_host(const struct config_origin *origin, const struct url_template *url)
{
	char expanded[URL_BYTES], port_text[8];
	char *host, *port;

	FUZZ_CHECK(url->https == origin->tls);
	FUZZ_CHECK(url->is_file == (origin->directory[0] != '\0'));
	if (origin->unix_path[0] != '\0' || url->is_file ||
		url_template_expand(url, expanded, key) == NULL)
		return;
	host = part_of(expanded, CURLUPART_HOST, 0);
	port = part_of(expanded, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	FUZZ_CHECK(host != NULL && port != NULL);
	snprintf(port_text, sizeof(port_text), "%u", origin->port);
	FUZZ_CHECK(strcmp(port, port_text) == 0);
	FUZZ_CHECK(is_same_host(host, origin->host));
	curl_free(host);
	curl_free(port);
}

/* A name of one component in a directory that isn't the root. */
static void check_file(const struct config_origin *origin, const struct url_template *url)
{
	char expanded[URL_BYTES];
	const char *name;

	if (origin->directory[0] == '\0')
		return;
	FUZZ_CHECK(origin->directory[0] == '/' && origin->directory[1] != '\0');
	FUZZ_CHECK(strstr(origin->directory, "/../") == NULL && !origin->tls);
	FUZZ_CHECK(url_template_expand(url, expanded, key) != NULL);
	name = url_template_file_name(expanded);
	FUZZ_CHECK(strlen(name) >= 43 && strlen(name) <= 255 && strchr(name, '/') == NULL);
}

static void check_origin(const struct config_origin *origin)
{
	bool is_unix = origin->unix_path[0] != '\0', is_file = origin->directory[0] != '\0';
	const char *scheme = is_file ? "file:///" : origin->tls ? "https://" : "http://";

	FUZZ_CHECK(memchr(origin->url, '\0', sizeof(origin->url)) != NULL);
	FUZZ_CHECK(memchr(origin->host, '\0', sizeof(origin->host)) != NULL);
	FUZZ_CHECK(memchr(origin->unix_path, '\0', sizeof(origin->unix_path)) != NULL);
	FUZZ_CHECK(memchr(origin->directory, '\0', sizeof(origin->directory)) != NULL);
	FUZZ_CHECK(!is_unix || !is_file);
	FUZZ_CHECK((is_unix || is_file) == (origin->host[0] == '\0'));
	FUZZ_CHECK((is_unix || is_file) == (origin->port == 0));
	FUZZ_CHECK(!is_unix || (origin->unix_path[0] == '/' && !origin->tls));
	FUZZ_CHECK(strncmp(origin->url, scheme, strlen(scheme)) == 0);
	FUZZ_CHECK(fuzz_is_printable(origin->url) && strpbrk(origin->url, " #\"\\") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_origin origin;
	static struct url_template url;
	struct fuzz_input input = {data, size};
	char *text = fuzz_text(&input);
	const char *reason = NULL;

	if (url_template_read(&url, text, &reason) == 0)
		check_expanded(&url);
	else
		FUZZ_CHECK(reason != NULL && fuzz_is_printable(reason));
	reason = NULL;
	if (config_parse_url(&origin, text, &reason) == 0) {
		check_origin(&origin);
		/* Else pullgate -n would pass a configuration with which no fetcher can start. */
		FUZZ_CHECK(url_template_read(&url, origin.url, &reason) == 0);
		check_expanded(&url);
		check_same_host(&origin, &url);
		check_file(&origin, &url);
	} else {
		FUZZ_CHECK(reason != NULL && fuzz_is_printable(reason));
	}
	free(text);
	return 0;
}
