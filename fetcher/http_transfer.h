/* SPDX-License-Identifier: ISC */
/*
 * One GET as libcurl is told of it: what it may do and what it may not, its header, its limits, and
 * what is kept of the answer. http_client.c runs it.
 */
#ifndef PULLGATE_FETCHER_HTTP_TRANSFER_H
#define PULLGATE_FETCHER_HTTP_TRANSFER_H

#include "fetcher/http_client.h"
#include "fetcher/http_framing.h"

/* What all transfers have in common. */
struct http_setup {
	struct http_options options;
	struct curl_slist *headers;
	uint64_t version; /* counts every change of it, the routes' too */
};

struct http_route {
	struct http_setup *setup;
	struct socket_pool *pool;
	bool https;
	struct curl_slist *connect_to,
		*resolve; /* the name of its connections, which means nothing */
};

struct http_transfer {
	CURL *easy;
	const struct http_route *route; /* that easy was set up for */
	uint64_t setup_version;         /* likewise */
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

/* NULL without memory. */
struct http_transfer *http_transfer_new(void);
void http_transfer_free(struct http_transfer *transfer);

/* Makes it ready to be carried out; conditions may be NULL. 0 or -ENOMEM. */
int http_transfer_prepare(struct http_transfer *transfer, const struct http_route *route,
	const char *url, const struct http_conditions *conditions, void *context);

/* Forgets everything of the last request and wipes its answer. */
void http_transfer_clean(struct http_transfer *transfer);

/* Appends a line to a list of header fields, or of another kind. 0 or -ENOMEM. */
int http_transfer_append(struct curl_slist **list, const char *line);

#endif
