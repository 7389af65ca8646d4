/* SPDX-License-Identifier: ISC */
/*
 * The sockets to one origin: asked of the connector, kept as spares, in libcurl's hands. This
 * process can make none, and libcurl's callback can't wait for one, so a transfer starts only when
 * a connection or a spare can carry it (socket_pool_capacity). Pure bookkeeping: who sends the
 * CONNECTs and runs the transfers is dispatch.c and http_client.c.
 *
 * Which connection a transfer gets is libcurl's choice. What is counted here:
 *   HTTP/1.1   each connection carries one transfer;
 *   HTTP/2     each connection that has answered once carries many;
 *   unknown    (https, and nothing has answered yet, on a first or again on no connection) a few
 *              connections at most, so that an HTTP/2 origin isn't given one a request.
 * The count can be wrong for a moment (a kept connection that the origin has closed is noticed by
 * libcurl when it wants to use it): then the transfer is refused a socket, and waits in the queue
 * (socket_pool_refuse).
 */
#ifndef PULLGATE_FETCHER_SOCKET_POOL_H
#define PULLGATE_FETCHER_SOCKET_POOL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOCKET_POOL_SPARES      64 /* greatest number of spares */
#define SOCKET_POOL_SPARES_KEPT 2  /* in hand when nothing is asked */
/* FETCHER_SETTINGS' greatest concurrency, and spares taken before libcurl has noticed the end of
 * as many kept connections; and once more, for those that were retired all at once. */
#define SOCKET_POOL_CONNECTIONS (2 * (1024 + SOCKET_POOL_SPARES_KEPT))
#define SOCKET_POOL_CONNECTS    64   /* CONNECTs under way; the connector's limit too */
#define SOCKET_POOL_STREAMS     100  /* an HTTP/2 connection's transfers: libcurl's own limit */
#define SOCKET_POOL_UNKNOWN     4    /* connections until the origin's version is known */
#define SOCKET_POOL_TRIM_MS     5000 /* without a lookup, after which surplus spares are closed */

/* Pause before the next CONNECT after a failure: doubles from the first to the last, and is no
 * longer than the eager one while lookups wait. */
#define SOCKET_POOL_BACKOFF_MS       100
#define SOCKET_POOL_BACKOFF_MAX_MS   5000
#define SOCKET_POOL_BACKOFF_EAGER_MS 500

enum http_version { HTTP_UNKNOWN, HTTP_1, HTTP_2 };

struct spare {
	int fd;
	int64_t since_ms;
};

struct connection {
	int fd;
	bool answered; /* at least once: its version is known */
	enum http_version version;
	bool retired; /* shut down; libcurl has still to notice */
	int64_t answered_ms;
};

struct connect_request {
	uint64_t id;
	int64_t asked_ms;
};

struct socket_pool {
	struct spare spares[SOCKET_POOL_SPARES]; /* oldest first, and used so: a server that serves
						    one connection after the other expects it */
	size_t spare_count;
	struct connection connections[SOCKET_POOL_CONNECTIONS];
	size_t connection_count;
	struct connect_request connects[SOCKET_POOL_CONNECTS];
	size_t connect_count;
	bool https;
	enum http_version version;
	bool refused;                  /* libcurl wanted a socket where none was counted on */
	int64_t failed_ms, backoff_ms; /* the last failure and the pause after it; 0: healthy */
};

void socket_pool_init(struct socket_pool *pool);

/* The origin may be another one now: forgets its version and the outstanding CONNECTs, closes the
 * spares, shuts the connections down so that libcurl doesn't use them again. */
void socket_pool_reset(struct socket_pool *pool, bool https);

/* How many transfers the sockets in hand can carry at once. */
size_t socket_pool_capacity(const struct socket_pool *pool);

/* Whether one transfer more than active can start. */
bool socket_pool_can_start(const struct socket_pool *pool, size_t active);

/* How many CONNECTs to send now, for queued lookups, active transfers and that concurrency. */
size_t socket_pool_wanted(const struct socket_pool *pool, size_t queued, size_t active,
	size_t concurrency, int64_t now_ms);

/* When socket_pool_wanted() can become more by time alone; INT64_MAX for never. */
int64_t socket_pool_retry_at_ms(const struct socket_pool *pool, bool lookups_wait);

/* Notes one CONNECT by its id, which no other of any pool has. */
void socket_pool_ask(struct socket_pool *pool, uint64_t id, int64_t now_ms);

/* Forgets a CONNECT that could not be sent. */
void socket_pool_unask(struct socket_pool *pool, uint64_t id);

/* The connector's answers. 0, or -ENOENT for an id that isn't outstanding: then the descriptor is
 * still the caller's, else it is the pool's; -ENOSPC likewise. */
int socket_pool_connected(struct socket_pool *pool, uint64_t id, int fd, int64_t now_ms);
int socket_pool_connect_failed(struct socket_pool *pool, uint64_t id, int64_t now_ms);

/* Takes CONNECTs older than timeout_ms for failed; their number. */
size_t socket_pool_expire(struct socket_pool *pool, int64_t timeout_ms, int64_t now_ms);

/* The oldest spare that is still open, with how long it waited, or -1. From here on it is a
 * connection, until socket_pool_close(). */
int socket_pool_take(struct socket_pool *pool, int64_t *waited_ms, int64_t now_ms);

/* Closes a connection. */
void socket_pool_close(struct socket_pool *pool, int fd);

/* A complete response came over fd (-1: over a connection that is closed already). */
void socket_pool_answered(
	struct socket_pool *pool, int fd, enum http_version version, int64_t now_ms);

/* Whether an idle connection must be silent: over HTTP/1, where nothing comes that wasn't asked for,
 * and when it has been shut down. Over HTTP/2 there may be frames that are nobody's answer. */
bool socket_pool_must_be_silent(const struct socket_pool *pool, int fd);

/* A transfer ended, whatever its end: a refused one may find its place now. */
void socket_pool_ended(struct socket_pool *pool);

/* libcurl was refused a socket: nothing starts without a spare before a transfer has ended. */
void socket_pool_refuse(struct socket_pool *pool);

/*
 * A transfer timed out on fd. When nothing at all was answered there since it started, the
 * connection is dead (HTTP/2 would go on using it): shuts it down and returns true.
 */
bool socket_pool_timed_out(struct socket_pool *pool, int fd, int64_t started_ms);

/* The connection is of no use any more, though it may look open: shuts it down. */
void socket_pool_give_up(struct socket_pool *pool, int fd);

/* Fills one entry a spare and returns their number. */
size_t socket_pool_watch(const struct socket_pool *pool, struct pollfd set[SOCKET_POOL_SPARES]);

/* After poll: closes the spares that became readable or broke, which an idle one does when the
 * origin closes it. One that lasted less than a second counts as a failure to connect. */
void socket_pool_check(
	struct socket_pool *pool, const struct pollfd *set, size_t count, int64_t now_ms);

/* Closes spares beyond those kept; for quiet times. */
void socket_pool_trim(struct socket_pool *pool);

#endif
