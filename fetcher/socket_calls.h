/* SPDX-License-Identifier: ISC */
/*
 * Two calls that take the C library's place for libcurl, which this process links dynamically:
 *
 *   connect()  makes nothing and says that it did: every socket comes connected.
 *   recv()     is the only way to an origin's bytes, over TLS too. It says of a kept connection that
 *              has something to say unasked that it was closed, and gives each connection no more
 *              than an allowance a turn: an origin that sends faster than its bytes are made sense of
 *              (an HTTP/2 frame that carries nothing is a few bytes) can't hold the process in one
 *              call of libcurl's, away from everyone else.
 */
#ifndef PULLGATE_FETCHER_SOCKET_CALLS_H
#define PULLGATE_FETCHER_SOCKET_CALLS_H

#include <stdbool.h>

#define SOCKET_CALLS_ALLOWANCE_BYTES 65536 /* of one connection between two turns */
#define SOCKET_CALLS_DESCRIPTORS     4096  /* greatest number; above the fetcher's RLIMIT_NOFILE */

/* Asked of an idle connection where something waits; NULL: none must be silent. */
void socket_calls_ask(bool (*must_be_silent)(int fd));

/* The socket is a connection of libcurl's until socket_calls_let_go(); other sockets have no allowance. */
void socket_calls_hold(int fd);
void socket_calls_let_go(int fd);

/* Every connection has its whole allowance again. What was left over waits in its socket, which is
 * ready at once. */
void socket_calls_begin_turn(void);

#endif
