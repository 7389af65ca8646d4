/* SPDX-License-Identifier: ISC */
/* The raw sockets by which the installer gives a client's initiation to the local stack. */
#include "supervisor/replay_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int replay_socket_open_ipv4(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	int error;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int replay_socket_open_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	return fd >= 0 ? fd : -errno;
}
