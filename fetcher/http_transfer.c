/* SPDX-License-Identifier: ISC */
/* One GET as libcurl is told of it. */
#include "fetcher/http_transfer.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "fetcher/socket_calls.h"
#include "fetcher/wiping_memory.h"

/* A spare that waited longer may have been closed while the request was on its way. */
#define SPARE_FRESH_MS 1000

/* Bodies above this don't keep their buffer for the next transfer. */
#define BODY_KEPT_BYTES 8192

#define USER_AGENT "pullgate/" PULLGATE_VERSION

int http_transfer_append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static curl_socket_t give_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_transfer *transfer = data;
	int64_t waited_ms = 0;
	int fd = -1;

	(void)address; /* a stand-in: the connector has connected it to the origin */
	if (purpose == CURLSOCKTYPE_IPCXN)
		fd = socket_pool_take(transfer->route->pool, &waited_ms, clock_ms());
	if (fd < 0) {
		transfer->no_socket = true;
		return CURL_SOCKET_BAD;
	}
	socket_calls_hold(fd);
	transfer->idle_spare = waited_ms > SPARE_FRESH_MS;
	return fd;
}

static int say_connected(void *data, curl_socket_t fd, curlsocktype purpose)
{
	(void)data, (void)fd, (void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int close_socket(void *data, curl_socket_t fd)
{
	const struct http_route *route = data;

	socket_calls_let_go(fd);
	socket_pool_close(route->pool, fd);
	return 0;
}

static size_t check_header(char *bytes, size_t size, size_t count, void *data)
{
	struct http_transfer *transfer = data;

	transfer->header_length += size * count;
	if (transfer->header_length > HTTP_CLIENT_HEADER_BYTES)
		transfer->limit_hit = "header larger than 32768 bytes";
	else
		transfer->limit_hit = http_framing_line(&transfer->framing, bytes, size * count);
	return transfer->limit_hit == NULL ? size * count : 0;
}

static int grow_body(struct http_transfer *transfer, size_t needed)
{
	size_t size = transfer->body_size > 0 ? transfer->body_size : 4096;
	char *grown;

	while (size < needed)
		size *= 2;
	if (size == transfer->body_size)
		return 0;
	grown = wiping_realloc(transfer->body, size);
	if (grown == NULL)
		return -ENOMEM;
	transfer->body = grown;
	transfer->body_size = size;
	return 0;
}

/* Whether more of what came over TLS is decrypted than was asked for. */
static bool is_ahead(CURL *easy)
{
	struct curl_tlssessioninfo *session = NULL;

	curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session);
	return session != NULL && session->internals != NULL && SSL_pending(session->internals) > 0;
}

/*
 * libcurl reads no further than Content-Length, and what it leaves within TLS shows on no socket: the
 * next request would take it for its answer. In clear, recv() sees it.
 */
static void check_end(struct http_transfer *transfer)
{
	if (http_framing_length_reached(&transfer->framing, transfer->body_length) &&
		is_ahead(transfer->easy))
		curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
}

static size_t keep_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_transfer *transfer = data;
	size_t length = size * count;

	if (length > HTTP_CLIENT_BODY_BYTES - transfer->body_length) {
		transfer->limit_hit = "body larger than 65536 bytes";
		return 0;
	}
	if (grow_body(transfer, transfer->body_length + length) != 0) {
		transfer->limit_hit = "no memory for the body";
		return 0;
	}
	memcpy(transfer->body + transfer->body_length, bytes, length);
	transfer->body_length += length;
	check_end(transfer);
	return length;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const struct material *material)
{
	struct curl_blob blob = {
		.data = material->bytes, .len = material->length, .flags = CURL_BLOB_NOCOPY};

	return material->length > 0 ? curl_easy_setopt(easy, option, &blob) : CURLE_OK;
}

/* The first error of several calls. */
#define SET(option, value)                                                 \
	do {                                                               \
		CURLcode set_ = curl_easy_setopt(easy, (option), (value)); \
		if (set_ != CURLE_OK)                                      \
			return set_;                                       \
	} while (0)

static CURLcode set_tls(const struct http_options *options, CURL *easy)
{
	const struct material *items = options->material->items;
	CURLcode code;

	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* No file is there to be opened; without a blob nothing is trusted. */
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	/* One of them, besides what the authorities say. */
	if (options->pinned_public_keys[0] != '\0')
		SET(CURLOPT_PINNEDPUBLICKEY, options->pinned_public_keys);
	/* Without a password libcurl 7.88 crashes on an encrypted key; the empty one just fails. */
	SET(CURLOPT_KEYPASSWD, "");
	code = set_blob(easy, CURLOPT_CAINFO_BLOB, &items[MATERIAL_CA]);
	if (code == CURLE_OK)
		code = set_blob(easy, CURLOPT_SSLCERT_BLOB, &items[MATERIAL_CLIENT_CERT]);
	if (code == CURLE_OK)
		code = set_blob(easy, CURLOPT_SSLKEY_BLOB, &items[MATERIAL_CLIENT_KEY]);
	return code;
}

/* Only what the design asks for: everything by which libcurl could reach further is off. */
static CURLcode set_protocol(const struct http_route *route, CURL *easy)
{
	const struct http_options *options = &route->setup->options;

	SET(CURLOPT_PROTOCOLS_STR, route->https ? "https" : "http");
	SET(CURLOPT_HTTP_VERSION,
		(long)(route->https ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECT_TO, route->connect_to);
	SET(CURLOPT_RESOLVE, route->resolve);
	SET(CURLOPT_USERAGENT, USER_AGENT);
	SET(CURLOPT_TIMEOUT_MS, options->timeout_ms > 0 ? (long)options->timeout_ms : 1L);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)HTTP_CLIENT_BODY_BYTES);
	return route->https ? set_tls(options, easy) : CURLE_OK;
}

static CURLcode set_callbacks(struct http_transfer *transfer)
{
	CURL *easy = transfer->easy;

	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_OPENSOCKETFUNCTION, give_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_SOCKOPTFUNCTION, say_connected);
	/* Outlives the transfer, as the connection may. */
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, transfer->route);
	/* The connector has set what is to be set on a socket. */
	SET(CURLOPT_TCP_NODELAY, 0L);
	SET(CURLOPT_HEADERFUNCTION, check_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, keep_body);
	SET(CURLOPT_WRITEDATA, transfer);
	return CURLE_OK;
}
#undef SET

struct http_transfer *http_transfer_new(void)
{
	struct http_transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
		return NULL;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL) {
		free(transfer);
		return NULL;
	}
	return transfer;
}

void http_transfer_free(struct http_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	wiping_free(transfer->body);
	free(transfer);
}

static int configure(struct http_transfer *transfer, const struct http_route *route)
{
	if (transfer->route == route && transfer->setup_version == route->setup->version)
		return 0;
	curl_easy_reset(transfer->easy);
	transfer->route = route;
	transfer->setup_version = 0; /* until it is whole */
	if (set_protocol(route, transfer->easy) != CURLE_OK || set_callbacks(transfer) != CURLE_OK)
		return -ENOMEM;
	transfer->setup_version = route->setup->version;
	return 0;
}

static int append_condition(struct curl_slist **list, const char *name, const char *value)
{
	char line[HTTP_VALIDATOR_BYTES + 32];

	if (value[0] == '\0')
		return 0;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	return http_transfer_append(list, line);
}

/* A list of its own where the request has more than the common fields. 0 or -ENOMEM. */
static int set_headers(struct http_transfer *transfer, const struct http_conditions *conditions)
{
	struct curl_slist *headers = NULL, *common = transfer->route->setup->headers;
	int error = 0;

	if (conditions != NULL) {
		for (; common != NULL && error == 0; common = common->next)
			error = http_transfer_append(&headers, common->data);
		if (error == 0)
			error = append_condition(&headers, "If-None-Match", conditions->etag);
		if (error == 0)
			error = append_condition(
				&headers, "If-Modified-Since", conditions->last_modified);
		if (error == 0 && conditions->end_to_end)
			error = http_transfer_append(&headers, "Cache-Control: no-cache");
		transfer->headers = headers;
	}
	if (error == 0 &&
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER,
			headers != NULL ? headers : transfer->route->setup->headers) != CURLE_OK)
		error = -ENOMEM;
	return error;
}

void http_transfer_clean(struct http_transfer *transfer)
{
	if (transfer->body != NULL)
		explicit_bzero(transfer->body, transfer->body_size);
	if (transfer->body_size > BODY_KEPT_BYTES) {
		wiping_free(transfer->body);
		transfer->body = NULL;
		transfer->body_size = 0;
	}
	transfer->body_length = transfer->header_length = 0;
	transfer->no_socket = transfer->idle_spare = transfer->active = false;
	transfer->limit_hit = NULL;
	transfer->error[0] = '\0';
	transfer->context = NULL;
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
}

int http_transfer_prepare(struct http_transfer *transfer, const struct http_route *route,
	const char *url, const struct http_conditions *conditions, void *context)
{
	transfer->context = context;
	transfer->started_ms = clock_ms();
	http_framing_begin(&transfer->framing, route->https);
	if (configure(transfer, route) != 0 || set_headers(transfer, conditions) != 0 ||
		curl_easy_setopt(transfer->easy, CURLOPT_URL, url) != CURLE_OK ||
		curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 0L) != CURLE_OK)
		return -ENOMEM;
	return 0;
}
