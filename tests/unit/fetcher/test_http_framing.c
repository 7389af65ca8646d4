/* SPDX-License-Identifier: ISC */
/* Headers whose response has a certain end, and those that leave a doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/http_framing.h"

/* Feeds text line by line; the first fault, or NULL. */
static const char *feed(struct http_framing *framing, bool may_be_http2, const char *text)
{
	const char *fault = NULL;

	http_framing_begin(framing, may_be_http2);
	while (*text != '\0' && fault == NULL) {
		const char *end = strchr(text, '\n');
		size_t length = end != NULL ? (size_t)(end - text) + 1 : strlen(text);

		fault = http_framing_line(framing, text, length);
		text += length;
	}
	return fault;
}

#define OK "HTTP/1.1 200 OK\r\n"

static void passes_what_is_certain(void **state)
{
	static const char *const rows[] = {
		OK "\r\n",
		"HTTP/1.1 200\r\n\r\n",
		"HTTP/1.0 404 Not Found\nX: y\n\n",
		OK "Content-Length: 5\r\n\r\n",
		OK "content-length:5\r\n\r\n",
		OK "Content-Length: \t005 \r\n\r\n",
		OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		OK "Content-Length: 5, 5\r\n\r\n",
		OK "Content-Length: 5,05 , 5\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n",
		OK "Transfer-Encoding:\tChunked \r\n\r\n",
		OK "X: one\r\n two\r\n\tthree\r\n\r\n",
		OK "Content-Length: 5\r\nX: one\r\n two\r\n\r\n",
		OK "X:\r\n\r\n",
		/* What comes first counts for itself alone. */
		"HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n" OK
		"Content-Length: 5\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK "\r\n",
		"HTTP/1.1 101 Switching\r\n\r\n",
		/* A trailer says nothing about the end. */
		OK "Transfer-Encoding: chunked\r\n\r\nContent-Length: 7\r\n\r\n",
	};
	struct http_framing framing;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *fault = feed(&framing, false, rows[i]);

		if (fault != NULL)
			fail_msg("%s: %s", rows[i], fault);
		assert_true(http_framing_ended(&framing));
	}
}

static void refuses_what_leaves_a_doubt(void **state)
{
	static const char *const rows[] = {
		OK "Content-Length: 5\r\nContent-Length: 6\r\n",
		OK "Content-Length: 5, 6\r\n",
		OK "Content-Length: 5,,5\r\n",
		OK "Content-Length: 5,\r\n",
		OK "Content-Length:\r\n",
		OK "Content-Length: \r\n",
		OK "Content-Length: +5\r\n",
		OK "Content-Length: -5\r\n",
		OK "Content-Length: 0x5\r\n",
		OK "Content-Length: 5x\r\n",
		OK "Content-Length: 5 5\r\n",
		OK "Content-Length: 5.0\r\n",
		OK "Content-Length: 18446744073709551621\r\nContent-Length: 5\r\n",
		OK "Content-Length: 5\r\n 0\r\n",
		OK "Content-Length:\r\n 5\r\n",
		OK "Transfer-Encoding: chunked\r\n , gzip\r\n",
		OK "Transfer-Encoding:\r\n",
		OK "Transfer-Encoding: gzip\r\n",
		OK "Transfer-Encoding: gzip, chunked\r\n",
		OK "Transfer-Encoding: chunked, gzip\r\n",
		OK "Transfer-Encoding: chunked, chunked\r\n",
		OK "Transfer-Encoding: chunkedx\r\n",
		OK "Transfer-Encoding: identity\r\n",
		OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
		OK "Content-Length : 5\r\n",
		OK "X Y: z\r\n",
		OK ": z\r\n",
		OK "no colon\r\n",
		OK "nocolon\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\n" OK "Content-Length: x\r\n",
		"HTTP/2 200 \r\n",
		"HTTP/2.0 200 OK\r\n",
		"HTTP/1.2 200 OK\r\n",
		"HTTP/1 200 OK\r\n",
		"http/1.1 200 OK\r\n",
		" HTTP/1.1 200 OK\r\n",
		"HTTP/1.1  200 OK\r\n",
		"HTTP/1.1\r\n",
		"HTTP/1.1 \r\n",
		"HTTP/1.1 20\r\n",
		"HTTP/1.1 2OO OK\r\n",
		"HTTP/1.1 2000\r\n",
		"HTTP/1.1 200OK\r\n",
		"\r\n",
	};
	struct http_framing framing;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (feed(&framing, false, rows[i]) == NULL)
			fail_msg("passed: %s", rows[i]);
	}
}

static void sees_that_a_header_was_cut(void **state)
{
	static const char *const rows[] = {
		"",
		OK,
		OK "Content-Length: 5\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\n",
		("HTTP/1.1 103 Early Hints\r\n\r\n" OK),
	};
	struct http_framing framing;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(feed(&framing, false, rows[i]));
		assert_false(http_framing_ended(&framing));
	}
}

static void takes_http2_where_it_can_be(void **state)
{
	struct http_framing framing;

	(void)state;
	assert_null(feed(
		&framing, true, "HTTP/2 103 \r\n\r\nHTTP/2 200 \r\ncontent-length: 5\r\n\r\n"));
	assert_true(http_framing_ended(&framing));
	assert_null(feed(&framing, true, OK "\r\n"));
	assert_non_null(feed(&framing, true, "HTTP/3 200 \r\n"));
	assert_non_null(feed(&framing, true, "HTTP/2 2000 \r\n"));
}

static void knows_the_length(void **state)
{
	struct http_framing framing;

	(void)state;
	assert_null(feed(&framing, false, OK "Content-Length: 5\r\n\r\n"));
	assert_false(http_framing_length_reached(&framing, 4));
	assert_true(http_framing_length_reached(&framing, 5));
	assert_null(feed(&framing, false, OK "Transfer-Encoding: chunked\r\n\r\n"));
	assert_false(http_framing_length_reached(&framing, 5));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_is_certain),
		cmocka_unit_test(refuses_what_leaves_a_doubt),
		cmocka_unit_test(sees_that_a_header_was_cut),
		cmocka_unit_test(takes_http2_where_it_can_be),
		cmocka_unit_test(knows_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
