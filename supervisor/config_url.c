/* SPDX-License-Identifier: ISC */
/* The origin's URL, taken apart (RFC 3986, section 3). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"

#define DEFAULT_UNIX_REQUEST "/peer/{key}"

/* With the slash in front. A name is at most 255 bytes (NAME_MAX), and a key 64. */
#define NAME_TEMPLATE_MAX 192

static int refuse(const char **reason, const char *why)
{
	*reason = why;
	return -EINVAL;
}

/* Exactly one of the three placeholders, and no other brace. */
static bool has_one_placeholder(const char *url)
{
	static const char *const names[] = {"{key}", "{key_hex}", "{key_base64}"};
	const char *open = strchr(url, '{');

	if (open == NULL || strchr(open + 1, '{') != NULL ||
		strcspn(url, "}") < (size_t)(open - url))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(open, names[i], length) == 0)
			return strchr(open + length, '}') == NULL;
	}
	return false;
}

/* Visible ASCII alone: what is written here goes into a request line. */
static bool is_visible(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	}
	return true;
}

static int parse_port(uint16_t *port, const char *text, size_t length)
{
	unsigned value = 0;

	if (length == 0 || length > 5)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value == 0 || value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

/*
 * The host goes to the resolver as it stands, while libcurl rewrites what isn't plain (%41, a zone):
 * only what both take for the same host is one.
 */
static bool host_is_plain(const char *host, bool is_bracketed)
{
	struct in6_addr ipv6;

	if (is_bracketed)
		return inet_pton(AF_INET6, host, &ipv6) == 1;
	return host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789.-_")] == '\0';
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT, of length bytes. */
static int parse_authority(
	struct config_origin *origin, const char *text, size_t length, const char **reason)
{
	const char *start = text, *end = text + length, *host_end, *host = text;

	if (memchr(text, '@', length) != NULL)
		return refuse(reason, "user names and passwords don't belong into the URL");
	if (length > 0 && text[0] == '[') {
		host = text + 1;
		host_end = memchr(text, ']', length);
		if (host_end == NULL)
			return refuse(reason, "no ] behind the IPv6 address");
		text = host_end + 1;
	} else {
		host_end = memchr(text, ':', length);
		if (host_end == NULL)
			host_end = end;
		text = host_end;
	}
	if (host_end == host || (size_t)(host_end - host) >= sizeof(origin->host))
		return refuse(reason, "no host in the URL, or one longer than 255 bytes");
	memcpy(origin->host, host, (size_t)(host_end - host));
	origin->host[host_end - host] = '\0';
	if (!host_is_plain(origin->host, host != start))
		return refuse(reason, "the host is neither a plain name nor an address");
	origin->port = origin->tls ? 443 : 80;
	if (text == end)
		return 0;
	if (*text != ':' || parse_port(&origin->port, text + 1, (size_t)(end - text) - 1) != 0)
		return refuse(reason, "the port is not a number from 1 to 65535");
	return 0;
}

static int parse_unix(struct config_origin *origin, const char *path, const char **reason)
{
	const char *colon = strchr(path, ':');
	size_t length = colon != NULL ? (size_t)(colon - path) : strlen(path);
	const char *request = colon != NULL ? colon + 1 : DEFAULT_UNIX_REQUEST;

	if (path[0] != '/' || length >= sizeof(origin->unix_path))
		return refuse(
			reason, "the Unix socket's path must be absolute and at most 107 bytes");
	if (request[0] != '/')
		return refuse(reason, "the request path behind the Unix socket must begin with /");
	memcpy(origin->unix_path, path, length);
	origin->unix_path[length] = '\0';
	if (snprintf(origin->url, sizeof(origin->url), "http://localhost%s", request) >=
		(int)sizeof(origin->url))
		return refuse(reason, "longer than 1024 bytes");
	return 0;
}

/* Nothing that leads elsewhere than it seems to. */
static bool is_plain_path(const char *path)
{
	for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
		size_t length = strcspn(at + 1, "/");

		if (length == 0 || (length <= 2 && strncmp(at + 1, "..", length) == 0))
			return false;
	}
	return true;
}

/* The fetcher's root is the directory: there the URL is that of a file in the root. */
static int parse_file(struct config_origin *origin, const char *path, const char **reason)
{
	const char *name = strrchr(path, '/');
	const char *placeholder = strchr(path, '{');

	if (path[0] != '/')
		return refuse(reason, "no host stands in a file: URL: file:///DIRECTORY/NAME");
	if (strpbrk(path, "%?") != NULL)
		return refuse(reason, "a file's path is taken as it stands: no % and no ?");
	if (!is_plain_path(path))
		return refuse(reason, "an empty component, . or .. in the path");
	if (placeholder < name || strncmp(placeholder, "{key_base64}", 12) == 0)
		return refuse(
			reason, "only {key} or {key_hex}, in the file's name, can stand here");
	if (name == path || (size_t)(name - path) >= sizeof(origin->directory))
		return refuse(reason, "the directory is / itself, or longer than 255 bytes");
	if (strlen(name) > NAME_TEMPLATE_MAX)
		return refuse(reason, "the file's name is too long");
	memcpy(origin->directory, path, (size_t)(name - path));
	origin->directory[name - path] = '\0';
	snprintf(origin->url, sizeof(origin->url), "file://%s", name);
	return 0;
}

static int parse_http(struct config_origin *origin, const char *url, const char **reason)
{
	const char *authority = strstr(url, "://") + 3;
	size_t length = strcspn(authority, "/?#");

	origin->tls = strncmp(url, "https:", 6) == 0;
	if (authority[length] != '/')
		return refuse(reason, "no path behind the host");
	if (strchr(url, '{') < authority + length)
		return refuse(reason, "the placeholder must stand in the path or query");
	memcpy(origin->url, url, strlen(url) + 1);
	return parse_authority(origin, authority, length, reason);
}

int config_parse_url(struct config_origin *origin, const char *url, const char **reason)
{
	int error;

	memset(origin, 0, sizeof(*origin));
	if (strlen(url) >= sizeof(origin->url))
		return refuse(reason, "longer than 1024 bytes");
	if (!is_visible(url))
		return refuse(
			reason, "only visible ASCII without quotes and backslashes may stand here");
	if (strchr(url, '#') != NULL)
		return refuse(reason, "a fragment (#) is never sent to an origin");
	if (strncmp(url, "unix:", 5) == 0) {
		error = parse_unix(origin, url + 5, reason);
		if (error != 0)
			return error;
		url = origin->url;
	}
	if (!has_one_placeholder(url))
		return refuse(reason, "needs exactly one of {key}, {key_hex}, {key_base64}");
	if (origin->unix_path[0] != '\0')
		return 0;
	if (strncmp(url, "file://", 7) == 0)
		return parse_file(origin, url + 7, reason);
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return refuse(reason, "begins with none of https://, http://, unix:/, file:///");
	return parse_http(origin, url, reason);
}

bool config_origin_local(const struct config_origin *origin)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (origin->unix_path[0] != '\0' || origin->directory[0] != '\0')
		return true;
	if (inet_pton(AF_INET, origin->host, &ipv4) == 1)
		return ntohl(ipv4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, origin->host, &ipv6) == 1)
		return memcmp(&ipv6, &in6addr_loopback, sizeof(ipv6)) == 0;
	return false;
}

bool config_has_tls(const struct config *config)
{
	for (uint32_t i = 0; i < config->origin_count; i++) {
		if (config->origins[i].tls)
			return true;
	}
	return false;
}

const char *config_directory(const struct config *config)
{
	return config->origins[0].directory;
}
