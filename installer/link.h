/* SPDX-License-Identifier: ISC */
/* What the interface is, by RTM_GETLINK (rtnetlink(7)). */
#ifndef PULLGATE_INSTALLER_LINK_H
#define PULLGATE_INSTALLER_LINK_H

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

#include "installer/netlink.h"

struct link {
	uint32_t interface_index;
	bool is_wireguard;
	bool is_up;
};

/* Asks for the interface of that name. 0, -ENODEV if there is none, or another negative errno. */
int link_read(struct netlink *route, const char *interface, struct link *link);

/* What one RTM_NEWLINK message tells. 0, or -EBADMSG for what is not such a message. */
int link_parse(struct link *link, const struct nlmsghdr *header);

/*
 * Whether a UDP port is taken in this network namespace; a negative errno when it can't be told. The kernel doesn't say in which namespace a WireGuard interface has its socket:
 * that of the interface's creation (drivers/net/wireguard/socket.c). But an interface that is up
 * holds its port there, so a port that is still free here tells that the socket is elsewhere.
 */
int link_port_taken(uint16_t port);

#endif
