/* SPDX-License-Identifier: ISC */
/* connect() and recv(), as libcurl finds them here. */
#include "fetcher/socket_calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* For the whole process, as the calls are. */
static bool (*is_to_be_silent)(int fd);
static bool is_held[SOCKET_CALLS_DESCRIPTORS];
static uint32_t taken[SOCKET_CALLS_DESCRIPTORS]; /* bytes, this turn */

void socket_calls_ask(bool (*must_be_silent)(int fd))
{
	is_to_be_silent = must_be_silent;
}

static bool fits(int fd)
{
	return fd >= 0 && fd < SOCKET_CALLS_DESCRIPTORS;
}

void socket_calls_hold(int fd)
{
	if (!fits(fd))
		return;
	is_held[fd] = true;
	taken[fd] = 0;
}

void socket_calls_let_go(int fd)
{
	if (fits(fd))
		is_held[fd] = false;
}

void socket_calls_begin_turn(void)
{
	memset(taken, 0, sizeof(taken));
}

/*
 * libcurl 7.88 calls connect(2) even on a socket that CURLOPT_SOCKOPTFUNCTION called connected
 * (lib/cf-socket.c, cf_tcp_connect). The kernel would answer EISCONN, or EINVAL for a Unix socket, and
 * the sandbox would end the process, for connect(2) could also take a socket away from the origin it
 * was connected to. No socket in this process needs connecting.
 */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	(void)fd, (void)address, (void)length;
	return 0;
}

/*
 * Before it uses a kept connection again, libcurl 7.88 asks with MSG_PEEK whether the other side has
 * closed it, and takes anything that waits there for a sign of life (lib/cf-socket.c,
 * lib/vtls/openssl.c). Over HTTP/1.1 what waits was not asked for: the rest of a response that was
 * longer than it said, a proxy's 408, an answer too many. The next request would take it for its own
 * answer, that is for another key's. So the connection is closed.
 */
static ssize_t peek(int fd, void *bytes, size_t size)
{
	ssize_t got = recvfrom(fd, bytes, size, MSG_PEEK, NULL, NULL);

	return got > 0 && is_to_be_silent != NULL && is_to_be_silent(fd) ? 0 : got;
}

/* At the end of its allowance a socket seems to be empty. */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	size_t left;
	ssize_t got;

	if (flags == MSG_PEEK)
		return peek(fd, bytes, size);
	if (!fits(fd) || !is_held[fd])
		return recvfrom(fd, bytes, size, flags, NULL, NULL);
	left = SOCKET_CALLS_ALLOWANCE_BYTES - taken[fd];
	if (left == 0) {
		errno = EAGAIN;
		return -1;
	}
	got = recvfrom(fd, bytes, size < left ? size : left, flags, NULL, NULL);
	if (got > 0)
		taken[fd] += (uint32_t)got;
	return got;
}
