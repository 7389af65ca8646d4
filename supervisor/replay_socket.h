/* SPDX-License-Identifier: ISC */
/*
 * The raw sockets by which the installer gives a client's initiation to the local stack. Opened
 * here, where CAP_NET_RAW is. IPPROTO_RAW sends what it is given, header included (raw(7),
 * Linux net/ipv6/raw.c), and receives nothing.
 */
#ifndef PULLGATE_REPLAY_SOCKET_H
#define PULLGATE_REPLAY_SOCKET_H

/* Bound to lo, so that nothing sent on it can leave the machine. Descriptor or negative errno. */
int replay_socket_open_ipv4(void);

/*
 * Not bound: bound to lo, a send fails with ENETUNREACH (measured on Linux 6.1). The installer
 * sends to local addresses alone. Descriptor, or -EAFNOSUPPORT where IPv6 is off, or another
 * negative errno.
 */
int replay_socket_open_ipv6(void);

#endif
