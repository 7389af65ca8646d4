/* SPDX-License-Identifier: ISC */
/* What a socket of another process is. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit/audit.h"

static const char *family_name(int family)
{
	switch (family) {
	case AF_UNIX:
		return "unix";
	case AF_INET:
		return "ipv4";
	case AF_INET6:
		return "ipv6";
	case AF_PACKET:
		return "packet";
	case AF_NETLINK:
		return "netlink";
	default:
		return NULL;
	}
}

static const char *type_name(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_RAW:
		return "raw";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "of another type";
	}
}

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static void describe(int fd, char text[static AUDIT_TEXT_BYTES])
{
	int family = option_of(fd, SO_DOMAIN), protocol = option_of(fd, SO_PROTOCOL);
	const char *name = family_name(family), *type = type_name(option_of(fd, SO_TYPE));

	if (name == NULL) {
		snprintf(text, AUDIT_TEXT_BYTES, "socket of family %d", family);
		return;
	}
	if (family == AF_NETLINK && protocol == NETLINK_ROUTE)
		type = "route";
	else if (family == AF_NETLINK && protocol == NETLINK_GENERIC)
		type = "generic";
	else if (family == AF_NETLINK)
		type = "of another protocol";
	snprintf(text, AUDIT_TEXT_BYTES, "%s %s%s", name, type,
		family == AF_PACKET && option_of(fd, SO_LOCK_FILTER) == 1 ? ", filter locked" : "");
}

/* /proc/net has no word of sockets that are neither bound nor connected; the socket itself has. */
void audit_describe_socket(pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES])
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (copy < 0)
		snprintf(text, AUDIT_TEXT_BYTES, "socket: %s", strerror(errno));
	else
		describe(copy, text);
	if (copy >= 0)
		close(copy);
	if (pidfd >= 0)
		close(pidfd);
}
