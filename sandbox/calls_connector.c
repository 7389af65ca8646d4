/* SPDX-License-Identifier: ISC */
/*
 * The system calls of connector, besides those of every process: sockets to the origin, and what
 * glibc 2.36's getaddrinfo does for `hosts: files dns`. A module of another service would have to
 * be loaded, which nothing here allows. Whom it connects to no filter can see: that is for the
 * firewall, and for the root that holds nothing but the resolver's files: no nscd, and no other
 * service's Unix socket.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sandbox/calls.h"

/* A socket's type, whatever its flags. */
#define TYPE_IS(n, type) BITS_ARE((n), ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (type))

/* Internet addresses are longer (the kernel refuses less for them), so this is a netlink one. */
#define NETLINK_ADDRESS(n) INT_IS((n), sizeof(struct sockaddr_nl))

static const struct call calls[] = {
	CALL(recvfrom, "messages of fetcher; name servers' answers"),
	CALL_IF(sendto, "CONNECT_FAILED; one question to a name server", NO_ADDRESS),
	CALL_IF(sendmsg, "CONNECTED, with the socket", CHANNEL_TO(0, ROLE_FETCHER)),
	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_FETCHER),
		INT_IS(2, O_CLOEXEC)),

	/* The origin. */
	CALL_IF(socket, "origin by IPv4; name server by TCP", INT_IS(0, AF_INET),
		TYPE_IS(1, SOCK_STREAM), INT_IS(2, 0)),
	CALL_IF(socket, "origin by IPv6; name server by TCP", INT_IS(0, AF_INET6),
		TYPE_IS(1, SOCK_STREAM), INT_IS(2, 0)),
	CALL_IF(socket, "origin on this host; getaddrinfo looks for nscd", INT_IS(0, AF_UNIX),
		TYPE_IS(1, SOCK_STREAM), INT_IS(2, 0)),
	CALL(connect, "origin, name servers; getaddrinfo: which source address would be used"),
	CALL_IF(setsockopt, "requests go out at once", INT_IS(1, IPPROTO_TCP),
		INT_IS(2, TCP_NODELAY)),
	CALL_IF(setsockopt, "a dead connection is noticed", INT_IS(1, SOL_SOCKET),
		INT_IS(2, SO_KEEPALIVE)),
	CALL_IF(setsockopt, "after so long", INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_KEEPIDLE)),
	CALL_IF(setsockopt, "and so often", INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_KEEPINTVL)),
	CALL_IF(setsockopt, "so many times", INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_KEEPCNT)),
	CALL_IF(setsockopt, "and where bytes are not acknowledged", INT_IS(1, IPPROTO_TCP),
		INT_IS(2, TCP_USER_TIMEOUT)),
	CALL_IF(getsockopt, "did it connect", INT_IS(1, SOL_SOCKET), INT_IS(2, SO_ERROR)),

	/* getaddrinfo: its files. */
	CALL_IF(openat, "resolv.conf, hosts, host.conf, gai.conf", INT_IS(0, AT_FDCWD),
		INT_IS(2, O_RDONLY | O_CLOEXEC)),
	CALL(newfstatat, "whether these files changed"),
	CALL(lseek, "rewinding them"),
	CALL(read, "reading them; name server's answers by TCP"),
	CALL(uname, "the domain, where resolv.conf has none"),
	CALL_IF(futex, "pthread_once wakes waiters that don't exist",
		INT_IS(1, FUTEX_WAKE_PRIVATE)),

	/* getaddrinfo: name servers. */
	CALL_IF(socket, "name server, source address by IPv4", INT_IS(0, AF_INET),
		TYPE_IS(1, SOCK_DGRAM), INT_IS(2, 0)),
	CALL_IF(socket, "name server, source address by IPv6", INT_IS(0, AF_INET6),
		TYPE_IS(1, SOCK_DGRAM), INT_IS(2, 0)),
	CALL_IF(setsockopt, "a name server that isn't there is told at once", INT_IS(1, IPPROTO_IP),
		INT_IS(2, IP_RECVERR)),
	CALL_IF(setsockopt, "a name server that isn't there is told at once",
		INT_IS(1, IPPROTO_IPV6), INT_IS(2, IPV6_RECVERR)),
	CALL_IF(sendmmsg, "questions for both families", INT_IS(2, 2), INT_IS(3, MSG_NOSIGNAL)),
	CALL(writev, "questions by TCP"),
	CALL_IF(ioctl, "length of the answer", INT_IS(1, FIONREAD)),

	/* getaddrinfo: the order of several addresses (RFC 6724). */
	CALL_IF(socket, "own addresses", INT_IS(0, AF_NETLINK), TYPE_IS(1, SOCK_RAW),
		INT_IS(2, NETLINK_ROUTE)),
	CALL_IF(bind, "own addresses", NETLINK_ADDRESS(2)),
	CALL_IF(sendto, "own addresses", NETLINK_ADDRESS(5)),
	CALL(recvmsg, "own addresses"),
	CALL(getsockname, "own addresses; which source address would be used"),
};

const struct call_list calls_connector = CALL_LIST(calls);
