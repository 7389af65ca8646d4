/* SPDX-License-Identifier: ISC */
/* GETs to the origins over the sockets of their pools. */
#include "fetcher/http_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "fetcher/http_transfer.h"
#include "fetcher/socket_calls.h"

/* RFC 9110 section 12.5.1: where the origin has both, JSON, which a person can read. */
#define ACCEPT "Accept: application/json, application/msgpack;q=0.9"

struct http_client {
	CURLM *multi;
	struct http_route routes[ORIGINS_MAX];
	size_t route_count;
	struct http_setup setup;
	struct http_transfer *transfers[HTTP_CLIENT_TRANSFERS]; /* made as needed, kept */
	size_t made;
	struct http_transfer *idle[HTTP_CLIENT_TRANSFERS];
	size_t idle_count;
};

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
	socket_calls_ask(must_be_silent);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(
		client->multi, CURLMOPT_MAXCONNECTS, (long)(ORIGINS_MAX * SOCKET_POOL_CONNECTIONS));
	curl_multi_setopt(
		client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)SOCKET_POOL_STREAMS);
	return client;
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	while (http_client_cancel(client) != NULL)
		continue;
	for (size_t i = 0; i < client->made; i++)
		http_transfer_free(client->transfers[i]);
	curl_multi_cleanup(client->multi);
	socket_calls_ask(NULL);
	kept = NULL;
	curl_slist_free_all(client->setup.headers);
	for (size_t i = 0; i < client->route_count; i++) {
		curl_slist_free_all(client->routes[i].connect_to);
		curl_slist_free_all(client->routes[i].resolve);
	}
	free(client);
}

static int append_token(struct curl_slist **list, const struct material *token)
{
	char line[sizeof("Authorization: Bearer ") + MATERIAL_TOKEN_BYTES_MAX];
	int error;

	if (token->length == 0)
		return 0;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", (const char *)token->bytes);
	error = http_transfer_append(list, line);
	explicit_bzero(line, sizeof(line));
	return error;
}

struct http_route *http_client_add_route(struct http_client *client, struct socket_pool *pool)
{
	struct http_route *route = &client->routes[client->route_count];

	if (client->route_count == ORIGINS_MAX)
		return NULL;
	*route = (struct http_route){.setup = &client->setup, .pool = pool};
	if (http_route_configure(route, false) != 0)
		return NULL;
	client->route_count++;
	return route;
}

/* The name is new each time: a connection to what the route led to before is not found by it. */
int http_route_configure(struct http_route *route, bool https)
{
	struct curl_slist *connect_to = NULL, *resolve = NULL;
	char name[48], line[96];

	route->setup->version++;
	snprintf(name, sizeof(name), "origin-%" PRIu64, route->setup->version);
	snprintf(line, sizeof(line), "::%s:1", name);
	if (http_transfer_append(&connect_to, line) != 0)
		return -ENOMEM;
	/* Sockets come connected: the address is never used. */
	snprintf(line, sizeof(line), "%s:1:127.0.0.1", name);
	if (http_transfer_append(&resolve, line) != 0) {
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

	if (http_transfer_append(&headers, ACCEPT) != 0 ||
		append_token(&headers, &options->material->items[MATERIAL_TOKEN]) != 0) {
		curl_slist_free_all(headers);
		return -ENOMEM;
	}
	curl_slist_free_all(client->setup.headers);
	client->setup.headers = headers;
	client->setup.options = *options;
	client->setup.version++;
	return 0;
}

static struct http_transfer *make_transfer(struct http_client *client)
{
	struct http_transfer *transfer;

	if (client->made == HTTP_CLIENT_TRANSFERS)
		return NULL;
	transfer = http_transfer_new();
	if (transfer == NULL)
		return NULL;
	client->transfers[client->made++] = transfer;
	return transfer;
}

static void take_back(struct http_client *client, struct http_transfer *transfer)
{
	http_transfer_clean(transfer);
	client->idle[client->idle_count++] = transfer;
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
	if (http_transfer_prepare(transfer, route, url, conditions, context) != 0 ||
		curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
		take_back(client, transfer);
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

	socket_calls_begin_turn();
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
	take_back(client, result->transfer);
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
		take_back(client, transfer);
		return context;
	}
	return NULL;
}
