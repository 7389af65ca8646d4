/* SPDX-License-Identifier: ISC */
/*
 * This host's own unicast addresses, as RTM_GETADDR tells them (rtnetlink(7)). A replay may go to
 * one of these alone, and capture looks at nothing that wasn't sent to one of them.
 *
 * Addresses of 127.0.0.0/8 and ::1 are left out, for no client can send to them; so are IPv6
 * addresses that aren't in use yet (tentative) or never will be (duplicate).
 */
#ifndef PULLGATE_INSTALLER_ADDRESSES_H
#define PULLGATE_INSTALLER_ADDRESSES_H

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

#define ADDRESSES_MAX 256 /* as LOCAL_ADDRESSES has it */

struct addresses {
	uint32_t count;
	uint32_t left_out; /* for lack of room */
	struct address item[ADDRESSES_MAX];
};

/* Adds what one RTM_NEWADDR message tells. 0, or -EBADMSG for what is not such a message. */
int addresses_parse(struct addresses *addresses, const struct nlmsghdr *header);

bool addresses_contain(const struct addresses *addresses, const struct address *address);

/* Whether both hold the same, in whatever order. */
bool addresses_equal(const struct addresses *a, const struct addresses *b);

/*
 * Whether a packet from outside can come from there: not loopback, multicast, broadcast,
 * unspecified, reserved (0.0.0.0/8, 240.0.0.0/4) or an IPv4 address in IPv6 clothes (::/96 and
 * ::ffff:0:0/96), as the registries of RFC 6890 have them.
 */
bool address_is_unicast(const struct address *address);
bool address_is_link_local_ipv6(const struct address *address);

#endif
