/* SPDX-License-Identifier: ISC */
/*
 * GETs to the origins over the sockets of their pools, by libcurl's multi interface: HTTP/1.1, and HTTP/2
 * where TLS negotiates it (libcurl 7.88 can't keep a clear HTTP/2 connection with prior knowledge,
 * curl issue 10634). TLS 1.2 at least, peer and host verified. No redirect, proxy, cookie, content
 * coding or other protocol; no name is resolved and no file opened.
 *
 * A connection belongs to one origin: libcurl keeps connections by the name that it connects to, and
 * each route has such a name of its own, whatever its URLs say (CURLOPT_CONNECT_TO). TLS verifies the
 * URL's host nevertheless.
 *
 * One thread: callbacks run inside http_client_poll() and http_client_perform().
 */
#ifndef PULLGATE_FETCHER_HTTP_CLIENT_H
#define PULLGATE_FETCHER_HTTP_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "fetcher/answer.h"
#include "fetcher/material.h"
#include "fetcher/socket_pool.h"

#define HTTP_CLIENT_TRANSFERS    1024  /* FETCHER_SETTINGS' greatest concurrency; of all routes */
#define HTTP_CLIENT_BODY_BYTES   65536 /* a longer body ends the transfer */
#define HTTP_CLIENT_HEADER_BYTES 32768 /* all header lines together, 1xx too: likewise */
#define HTTP_CLIENT_FIELD_BYTES  512   /* longer values of the fields read are cut */
#define HTTP_CLIENT_REASON_BYTES CURL_ERROR_SIZE

enum http_end {
	HTTP_COMPLETE,      /* origin is a whole response */
	HTTP_NO_SOCKET,     /* nothing was sent: the pool had no socket for it */
	HTTP_CLOSED_UNUSED, /* a connection that had been idle was closed before it answered
			       anything: to be tried once more (RFC 9112 section 9.3.1) */
	HTTP_FAILED,        /* reason says why */
	HTTP_UNUSABLE,      /* the same, of one file and not of the whole origin (file_origin.h) */
};

struct http_result {
	enum http_end end;
	void *context;
	struct origin_response origin; /* valid until http_client_release() */
	enum http_version version;
	bool reused; /* the connection had carried a request before */
	int64_t time_ms;
	char reason[HTTP_CLIENT_REASON_BYTES];
	/* of the client's own */
	struct http_transfer *transfer;
	char cache_control[HTTP_CLIENT_FIELD_BYTES], retry_after[HTTP_CLIENT_FIELD_BYTES];
	char age[HTTP_CLIENT_FIELD_BYTES], date[HTTP_CLIENT_FIELD_BYTES];
	char content_type[HTTP_CLIENT_FIELD_BYTES];
	char etag[HTTP_CLIENT_FIELD_BYTES], last_modified[HTTP_CLIENT_FIELD_BYTES];
};

/* What makes a request conditional (RFC 9110 section 13.1); "" where there is none. */
struct http_conditions {
	const char *etag, *last_modified;
	bool end_to_end; /* Cache-Control: no-cache, for the caches on the way */
};

/* What all routes have in common; must stay until no transfer that uses it is left. */
struct http_options {
	const struct material_set *material;
	const char *pinned_public_keys; /* as CURLOPT_PINNEDPUBLICKEY has them; "" for any */
	uint64_t timeout_ms;
};

struct http_client;

/* The way to one origin. */
struct http_route;

/* Before the sandbox closes: libcurl makes a socket pair of its own. NULL without memory. */
struct http_client *http_client_new(void);
void http_client_free(struct http_client *client);

/* One more, at most ORIGINS_MAX, for the sockets of that pool, which must outlive the client. The
 * client's; NULL without memory. */
struct http_route *http_client_add_route(struct http_client *client, struct socket_pool *pool);

/* What the transfers that start from now on use; none may be under way (http_client_cancel). 0, or
 * -ENOMEM. */
int http_client_configure(struct http_client *client, const struct http_options *options);

/* The route leads to another origin from now on; as above. No connection that is kept serves it. */
int http_route_configure(struct http_route *route, bool https);

/* Starts a GET; conditions may be NULL. 0, -EBUSY with HTTP_CLIENT_TRANSFERS under way, or
 * -ENOMEM. */
int http_client_start(struct http_client *client, const struct http_route *route, const char *url,
	const struct http_conditions *conditions, void *context);

/* Waits for sockets, extra ones or timeout_ms; the extra ones' revents are set. */
void http_client_poll(
	struct http_client *client, struct curl_waitfd *extra, unsigned count, int timeout_ms);

/* Carries the transfers on, without waiting. */
void http_client_perform(struct http_client *client);

/* The next one that ended; false when there is none. Must be released. */
bool http_client_finished(struct http_client *client, struct http_result *result);

/* Wipes the body and takes the transfer back. */
void http_client_release(struct http_client *client, struct http_result *result);

/* Breaks off one transfer and returns its context; NULL when none is left. */
void *http_client_cancel(struct http_client *client);

#endif
