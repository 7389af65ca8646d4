/* SPDX-License-Identifier: ISC */
/* Single netlink requests (netlink(7)), as an attacker would make them by hand. */
#ifndef PULLGATE_PROBE_NETLINK_REQUEST_H
#define PULLGATE_PROBE_NETLINK_REQUEST_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request that grows by its parts. */
struct netlink_request {
	struct nlmsghdr header;
	uint8_t rest[512];
};

struct netlink_request request_new(uint16_t type, uint16_t flags);
void request_add(struct netlink_request *request, const void *bytes, size_t size);
void request_add_attribute(
	struct netlink_request *request, uint16_t type, const void *bytes, size_t size);

/* A generic netlink request (linux/genetlink.h). */
struct netlink_request request_generic(
	uint16_t family, uint16_t flags, uint8_t command, uint8_t version);

/*
 * Sends it and reads the first packet of the answer, of at most size bytes, into answer. Its
 * length, or a negative errno, the kernel's own among them. by_sendmsg: with sendmsg(2), else with
 * sendto(2).
 */
int request_ask(
	int fd, struct netlink_request *request, bool by_sendmsg, void *answer, size_t size);

/* The number of a generic family, or a negative errno. */
int request_family(int fd, const char *name, bool by_sendmsg);

/* Whether the WireGuard interface's private key can be read with the socket. 0 or an errno. */
int request_private_key(int fd, bool by_sendmsg);

/* Changes the queue length of the link with that index. 0 or a negative errno. */
int request_link_change(int fd, int link, bool by_sendmsg);

#endif
