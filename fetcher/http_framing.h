/* SPDX-License-Identifier: ISC */
/*
 * Whether it is certain where a response ends, line by line of its header. libcurl 7.88 is generous:
 * of several Content-Length it takes the last, of a value the digits that it begins with; it reads
 * transfer codings that nobody asked for, "HTTP/2" where HTTP/1.1 is spoken, and a header that was cut
 * off as one that ended. Where sender, proxies and receiver may disagree about the end, what one of
 * them takes for the next response may be another key's (RFC 9112 sections 6.3 and 11).
 *
 * A response of HTTP/2 comes by here as libcurl writes it, in lines; nghttp2 has checked its framing.
 */
#ifndef PULLGATE_FETCHER_HTTP_FRAMING_H
#define PULLGATE_FETCHER_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_framing {
	bool may_be_http2;
	enum { HTTP_FRAMING_STATUS, HTTP_FRAMING_FIELDS, HTTP_FRAMING_ENDED } place;
	bool is_interim;   /* 1xx but 101: another response follows */
	bool is_http10;    /* which has no transfer codings */
	bool may_not_fold; /* the last field was one of the two that say where the body ends */
	bool has_length, is_chunked;
	uint64_t length;
};

/* may_be_http2: whether TLS could negotiate it. */
void http_framing_begin(struct http_framing *framing, bool may_be_http2);

/* Takes the next line of the header, with its end. NULL, or what is wrong with it: the response must
 * not be used, nor the connection again. Lines of a trailer are passed over. */
const char *http_framing_line(struct http_framing *framing, const char *line, size_t length);

/* Whether the header of a final response has come to its end (RFC 9112 section 8). */
bool http_framing_ended(const struct http_framing *framing);

/* Whether a body of that length is all that was announced. */
bool http_framing_length_reached(const struct http_framing *framing, uint64_t length);

#endif
