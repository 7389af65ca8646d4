/* SPDX-License-Identifier: ISC */
/* GETs to the origins over the sockets of their pools. */
#include "fetcher/http_client.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "fetcher/http_framing.h"
#include "fetcher/wiping_memory.h"

/* A spare that waited longer may have been closed while the request was on its way. */
#define SPARE_FRESH_MS 1000

/* Bodies above this don't keep their buffer for the next transfer. */
#define BODY_KEPT_BYTES 8192

/* RFC 9110 section 12.5.1: where the origin has both, JSON, which a person can read. */
#define ACCEPT "Accept: application/json, application/msgpack;q=0.9"

#define USER_AGENT "pullgate/" PULLGATE_VERSION

struct http_route {
	struct http_client *client;
	struct socket_pool *pool;
	bool https;
	struct curl_slist *connect_to,
		*resolve; /* the name of its connections, which means nothing */
};

struct http_transfer {
	struct http_client *client;
	CURL *easy;
	const struct http_route *route; /* that easy was set up for */
	uint64_t configuration;         /* likewise */
	void *context;
	struct curl_slist *headers; /* of this request alone, or NULL */
	bool active;
	bool no_socket;        /* the pool had none when libcurl asked */
	bool idle_spare;       /* it was given one that had waited */
	const char *limit_hit; /* the limit or fault that ended it, or NULL */
	struct http_framing framing;
	int64_t started_ms;
	char *body;
	size_t body_length, body_size, header_length;
	char error[CURL_ERROR_SIZE];
};

struct http_client {
	CURLM *multi;
	struct http_route routes[ORIGINS_MAX];
	size_t route_count;
	uint64_t configuration; /* counts every change of it, the routes' too */
	struct http_options options;
	struct curl_slist *headers;
	struct http_transfer *transfers[HTTP_CLIENT_TRANSFERS]; /* made as needed, kept */
	size_t made;
	struct http_transfer *idle[HTTP_CLIENT_TRANSFERS];
	size_t idle_count;
};

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
	transfer->idle_spare = waited_ms > SPARE_FRESH_MS;
	return fd;
}

static int say_connected(void *data, curl_socket_t fd, curlsocktype purpose)
{
	(void)data, (void)fd, (void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/*
 * Takes the C library's place for libcurl: 7.88 calls connect(2) even on a socket that say_connected()
 * called connected (lib/cf-socket.c, cf_tcp_connect). The kernel would answer EISCONN, or EINVAL for
 * a Unix socket, and the sandbox would end the process, for connect(2) could also take a socket away
 * from the origin it was connected to. No socket in this process needs connecting.
 */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	(void)fd, (void)address, (void)length;
	return 0;
}

/* Whose connections recv() is asked about; there is one client a process. */
static const struct http_client *kept;

static bool must_be_silent(int fd)
{
	for (size_t i = 0; kept != NULL && i < kept->route_count; i++) {
		if (socket_pool_must_be_silent(kept->routes[i].pool, fd))
			return true;
	}
	return false;
}

/*
 * Takes the C library's place for libcurl once more: with this very call 7.88 asks, before it uses a
 * kept connection again, whether the other side has closed it, and takes anything that waits there
 * for a sign of life (lib/cf-socket.c, lib/vtls/openssl.c). Over HTTP/1.1 what waits was not asked for:
 * the rest of a response that was longer than it said, a proxy's 408, an answer too many. The next
 * request would take it for its own answer, that is for another key's. So the connection is closed.
 */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	ssize_t got = recvfrom(fd, bytes, size, flags, NULL, NULL);

	if (flags == MSG_PEEK && got > 0 && must_be_silent(fd))
		return 0;
	return got;
}

static int close_socket(void *data, curl_socket_t fd)
{
	const struct http_route *route = data;

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

struct http_client *http_client_new(void)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->multi = curl_multi_init();
	if (client->multi == NULL) {
		free(client);
		return NULL;
	}
	kept = client;
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(
		client->multi, CURLMOPT_MAXCONNECTS, (long)(ORIGINS_MAX * SOCKET_POOL_CONNECTIONS));
	curl_multi_setopt(
		client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)SOCKET_POOL_STREAMS);
	return client;
}

static void free_transfer(struct http_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	wiping_free(transfer->body);
	free(transfer);
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	while (http_client_cancel(client) != NULL)
		continue;
	for (size_t i = 0; i < client->made; i++)
		free_transfer(client->transfers[i]);
	curl_multi_cleanup(client->multi);
	kept = NULL;
	curl_slist_free_all(client->headers);
	for (size_t i = 0; i < client->route_count; i++) {
		curl_slist_free_all(client->routes[i].connect_to);
		curl_slist_free_all(client->routes[i].resolve);
	}
	free(client);
}

/* Appends to *list. 0 or -ENOMEM. */
static int append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer == NULL)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int append_token(struct curl_slist **list, const struct material *token)
{
	char line[sizeof("Authorization: Bearer ") + MATERIAL_TOKEN_BYTES_MAX];
	int error;

	if (token->length == 0)
		return 0;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", (const char *)token->bytes);
	error = append(list, line);
	explicit_bzero(line, sizeof(line));
	return error;
}

struct http_route *http_client_add_route(struct http_client *client, struct socket_pool *pool)
{
	struct http_route *route = &client->routes[client->route_count];

	if (client->route_count == ORIGINS_MAX)
		return NULL;
	*route = (struct http_route){.client = client, .pool = pool};
	if (http_route_configure(route, false) != 0)
		return NULL;
	client->route_count++;
	return route;
}

/* The name is new each time: a connection to what the route led to before is not found by it. */
int http_route_configure(struct http_route *route, bool https)
{
	struct curl_slist *connect_to = NULL, *resolve = NULL;
	struct http_client *client = route->client;
	char name[48], line[96];

	client->configuration++;
	snprintf(name, sizeof(name), "origin-%" PRIu64, client->configuration);
	snprintf(line, sizeof(line), "::%s:1", name);
	if (append(&connect_to, line) != 0)
		return -ENOMEM;
	/* Sockets come connected: the address is never used. */
	snprintf(line, sizeof(line), "%s:1:127.0.0.1", name);
	if (append(&resolve, line) != 0) {
		curl_slist_free_all(connect_to);
		return -ENOMEM;
	}
	curl_slist_free_all(route->connect_to);
	curl_slist_free_all(route->resolve);
	route->connect_to = connect_to;
	route->resolve = resolve;
	route->https = https;
	return 0;
}

int http_client_configure(struct http_client *client, const struct http_options *options)
{
	struct curl_slist *headers = NULL;

	if (append(&headers, ACCEPT) != 0 ||
		append_token(&headers, &options->material->items[MATERIAL_TOKEN]) != 0) {
		curl_slist_free_all(headers);
		return -ENOMEM;
	}
	curl_slist_free_all(client->headers);
	client->headers = headers;
	client->options = *options;
	client->configuration++;
	return 0;
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
	const struct http_options *options = &route->client->options;

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

static struct http_transfer *make_transfer(struct http_client *client)
{
	struct http_transfer *transfer;

	if (client->made == HTTP_CLIENT_TRANSFERS)
		return NULL;
	transfer = calloc(1, sizeof(*transfer));
	if (transfer == NULL)
		return NULL;
	transfer->client = client;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL) {
		free(transfer);
		return NULL;
	}
	client->transfers[client->made++] = transfer;
	return transfer;
}

static int configure_transfer(struct http_transfer *transfer, const struct http_route *route)
{
	if (transfer->route == route && transfer->configuration == transfer->client->configuration)
		return 0;
	curl_easy_reset(transfer->easy);
	transfer->route = route;
	transfer->configuration = 0; /* until it is whole */
	if (set_protocol(route, transfer->easy) != CURLE_OK || set_callbacks(transfer) != CURLE_OK)
		return -ENOMEM;
	transfer->configuration = transfer->client->configuration;
	return 0;
}

/* Forgets everything of the last transfer. */
static void clean_transfer(struct http_transfer *transfer)
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

static void take_back(struct http_transfer *transfer)
{
	clean_transfer(transfer);
	transfer->client->idle[transfer->client->idle_count++] = transfer;
}

static int append_condition(struct curl_slist **list, const char *name, const char *value)
{
	char line[HTTP_VALIDATOR_BYTES + 32];

	if (value[0] == '\0')
		return 0;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	return append(list, line);
}

/* A list of its own where the request has more than the common fields. 0 or -ENOMEM. */
static int set_headers(struct http_transfer *transfer, const struct http_conditions *conditions)
{
	struct curl_slist *headers = NULL, *common = transfer->client->headers;
	int error = 0;

	if (conditions != NULL) {
		for (; common != NULL && error == 0; common = common->next)
			error = append(&headers, common->data);
		if (error == 0)
			error = append_condition(&headers, "If-None-Match", conditions->etag);
		if (error == 0)
			error = append_condition(
				&headers, "If-Modified-Since", conditions->last_modified);
		if (error == 0 && conditions->end_to_end)
			error = append(&headers, "Cache-Control: no-cache");
		transfer->headers = headers;
	}
	if (error == 0 &&
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER,
			headers != NULL ? headers : transfer->client->headers) != CURLE_OK)
		error = -ENOMEM;
	return error;
}

int http_client_start(struct http_client *client, const struct http_route *route, const char *url,
	const struct http_conditions *conditions, void *context)
{
	struct http_transfer *transfer;

	if (client->idle_count > 0)
		transfer = client->idle[--client->idle_count];
	else
		transfer = make_transfer(client);
	if (transfer == NULL)
		return client->made == HTTP_CLIENT_TRANSFERS ? -EBUSY : -ENOMEM;
	transfer->context = context;
	transfer->started_ms = clock_ms();
	http_framing_begin(&transfer->framing, route->https);
	if (configure_transfer(transfer, route) != 0 || set_headers(transfer, conditions) != 0 ||
		curl_easy_setopt(transfer->easy, CURLOPT_URL, url) != CURLE_OK ||
		curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 0L) != CURLE_OK ||
		curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
		take_back(transfer);
		return -ENOMEM;
	}
	transfer->active = true;
	return 0;
}

void http_client_poll(
	struct http_client *client, struct curl_waitfd *extra, unsigned count, int timeout_ms)
{
	int ready;

	curl_multi_poll(client->multi, extra, count, timeout_ms, &ready);
}

void http_client_perform(struct http_client *client)
{
	int running;

	curl_multi_perform(client->multi, &running);
}

/* Several fields of one name are one list (RFC 9110 section 5.3). */
static void read_field(CURL *easy, const char *name, char value[static HTTP_CLIENT_FIELD_BYTES])
{
	struct curl_header *header;
	size_t used = 0;

	value[0] = '\0';
	for (size_t i = 0; curl_easy_header(easy, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK;
		i++) {
		int length = snprintf(value + used, HTTP_CLIENT_FIELD_BYTES - used, "%s%s",
			i > 0 ? ", " : "", header->value);

		used += (size_t)length;
		if (used >= HTTP_CLIENT_FIELD_BYTES)
			return;
	}
}

static void read_response(struct http_result *result)
{
	CURL *easy = result->transfer->easy;
	long version = CURL_HTTP_VERSION_NONE;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->origin.status);
	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	/* Any status line can claim version 2; it is spoken where TLS negotiated it, nowhere else. */
	result->version = version == CURL_HTTP_VERSION_2_0 && result->transfer->route->https
				  ? HTTP_2
				  : HTTP_1;
	read_field(easy, "Cache-Control", result->cache_control);
	read_field(easy, "Age", result->age);
	read_field(easy, "Date", result->date);
	read_field(easy, "ETag", result->etag);
	read_field(easy, "Last-Modified", result->last_modified);
	read_field(easy, "Retry-After", result->retry_after);
	read_field(easy, "Content-Type", result->content_type);
	result->origin.cache_control = result->cache_control;
	result->origin.age = (struct response_age){
		.age = result->age, .date = result->date, .delay_ms = result->time_ms};
	result->origin.etag = result->etag;
	result->origin.last_modified = result->last_modified;
	result->origin.retry_after = result->retry_after;
	result->origin.content_type = result->content_type;
	result->origin.body = result->transfer->body != NULL ? result->transfer->body : "";
	result->origin.length = result->transfer->body_length;
}

/* What libcurl says when the other side has closed, by whichever layer notices first. */
static bool means_closed(CURLcode code)
{
	return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
	       code == CURLE_SSL_CONNECT_ERROR || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

static enum http_end classify(const struct http_result *result, CURLcode code)
{
	const struct http_transfer *transfer = result->transfer;

	if (code == CURLE_OK)
		return http_framing_ended(&transfer->framing) ? HTTP_COMPLETE : HTTP_FAILED;
	if (transfer->no_socket)
		return HTTP_NO_SOCKET;
	if (transfer->header_length == 0 && means_closed(code) &&
		(result->reused || transfer->idle_spare))
		return HTTP_CLOSED_UNUSED;
	return HTTP_FAILED;
}

static const char *describe(const struct http_transfer *transfer, CURLcode code)
{
	if (transfer->limit_hit != NULL)
		return transfer->limit_hit;
	if (code == CURLE_FILESIZE_EXCEEDED)
		return "body larger than 65536 bytes";
	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return "the origin's public key is none of pinned_public_key";
	if (code == CURLE_OK)
		return "closed within the header";
	if (code == CURLE_OUT_OF_MEMORY) /* libcurl says so of both */
		return "a line of the header is too long, or memory is short";
	return transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code);
}

static void tell_pool(const struct http_result *result, CURLcode code)
{
	struct socket_pool *pool = result->transfer->route->pool;
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(result->transfer->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (result->end == HTTP_COMPLETE)
		socket_pool_answered(pool, fd, result->version, clock_ms());
	else if (code == CURLE_OPERATION_TIMEDOUT && fd != CURL_SOCKET_BAD)
		socket_pool_timed_out(pool, fd, result->transfer->started_ms);
	else if (code == CURLE_SEND_ERROR || code == CURLE_HTTP2)
		/* libcurl 7.88 would put the next request on it, too. */
		socket_pool_give_up(pool, fd);
	if (result->end == HTTP_NO_SOCKET)
		socket_pool_refuse(pool);
	else
		socket_pool_ended(pool);
}

static void read_result(
	struct http_client *client, struct http_result *result, CURL *easy, CURLcode code)
{
	long connects = 0;

	memset(result, 0, sizeof(*result));
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &result->transfer);
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	result->context = result->transfer->context;
	result->reused = connects == 0;
	result->time_ms = clock_ms() - result->transfer->started_ms;
	result->end = classify(result, code);
	if (result->end == HTTP_COMPLETE)
		read_response(result);
	else
		snprintf(result->reason, sizeof(result->reason), "%s",
			describe(result->transfer, code));
	tell_pool(result, code);
	curl_multi_remove_handle(client->multi, easy);
	result->transfer->active = false;
}

bool http_client_finished(struct http_client *client, struct http_result *result)
{
	struct CURLMsg *message;
	int left;

	do {
		message = curl_multi_info_read(client->multi, &left);
	} while (message != NULL && message->msg != CURLMSG_DONE);
	if (message == NULL)
		return false;
	read_result(client, result, message->easy_handle, message->data.result);
	return true;
}

void http_client_release(struct http_client *client, struct http_result *result)
{
	(void)client;
	take_back(result->transfer);
	result->transfer = NULL;
}

void *http_client_cancel(struct http_client *client)
{
	for (size_t i = 0; i < client->made; i++) {
		struct http_transfer *transfer = client->transfers[i];
		void *context = transfer->context;

		if (!transfer->active)
			continue;
		curl_multi_remove_handle(client->multi, transfer->easy);
		take_back(transfer);
		return context;
	}
	return NULL;
}
