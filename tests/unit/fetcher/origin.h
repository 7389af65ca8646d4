/* SPDX-License-Identifier: ISC */
/* Origins for tests: Debian's nginx, and a server that misbehaves in one chosen way. */
#ifndef PULLGATE_TEST_ORIGIN_H
#define PULLGATE_TEST_ORIGIN_H

#include <stdint.h>
#include <sys/types.h>

/* Where the origin of origin_start() listens, on every IPv4 address, and on ::1 in part. */
#define ORIGIN_HTTP       8080
#define ORIGIN_HTTPS_1    8441 /* TLS, HTTP/1.1 only */
#define ORIGIN_HTTPS_2    8442 /* TLS with HTTP/2 */
#define ORIGIN_MUTUAL     8443 /* TLS, asks for a client's certificate */
#define ORIGIN_ONE_A_TIME 8081 /* closes each connection after one response */
#define ORIGIN_HASTY      8082 /* closes idle connections after a second */

struct origin {
	char directory
		[64]; /* holds ca.pem, other-ca.pem, client.pem, client.key, token, access.log */
	pid_t nginx;
};

/* Makes the directory and the certificates. */
void origin_open(struct origin *origin);

/* Starts nginx and waits until it listens; stops it. */
void origin_start(struct origin *origin);
void origin_stop(struct origin *origin);

/* Ends it and removes the directory. */
void origin_close(struct origin *origin);

/* Writes the peer's file: {"public_key": KEY, members}. */
void origin_put(const struct origin *origin, const uint8_t key[static 32], const char *members);

/* The path of one of its files, in a buffer that the next call but three uses again. */
const char *origin_path(const struct origin *origin, const char *name);

enum misbehaviour {
	SAYS_NOTHING,         /* accepts, and never answers */
	CLOSES_AT_ONCE,       /* accepts, and closes */
	CLOSES_AFTER_REQUEST, /* reads a request, and closes */
	ANSWERS_ONCE,    /* answers 404 keeping the connection, and closes at the second request */
	ENDLESS_HEADERS, /* header lines without end */
	ENDLESS_INTERIM, /* 103 responses without end */
	ENDLESS_BODY,    /* a chunked body without end */
	CUT_BODY,        /* less body than Content-Length says */
	CUT_HEADER,      /* a 410 that is closed before its header ends */
	TWO_LENGTHS,     /* Content-Length twice, with different values */
	SAYS_MORE,       /* answers 404 and, when that has been read, 410 to nobody */
	TRICKLES,        /* one byte of a header a moment */
	NO_HTTP,         /* something that isn't HTTP */
};

/* Starts such a server on 127.0.0.1 in a process of its own. */
pid_t misbehave(enum misbehaviour how, uint16_t port);
void stop_misbehaving(pid_t server);

#endif
