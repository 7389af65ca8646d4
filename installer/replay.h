/* SPDX-License-Identifier: ISC */
/*
 * Gives a client's handshake initiation to the local stack as if it had just come from the client,
 * so that the kernel, which dropped it when it knew no such peer, answers it now.
 *
 * Nothing of the captured headers is used: both are built anew around the 148 bytes, for the
 * captured UDP checksum may be unfinished (checksum offload). The packet goes to one of this host's
 * own addresses and to the interface's port, or nowhere. Its TTL or hop limit of 1 is enough for
 * that, and lets no router forward it, should an address vanish at this very moment.
 *
 * By loopback the kernel takes lo as the interface of arrival. A link-local IPv6 client is
 * reachable by its own link alone, so its initiation isn't replayed: its retry connects.
 */
#ifndef PULLGATE_INSTALLER_REPLAY_H
#define PULLGATE_INSTALLER_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "common/message.h"
#include "installer/addresses.h"

#define REPLAY_IPV4_BYTES (20 + 8 + WIREGUARD_INITIATION_BYTES) /* RFC 791, RFC 768 */
#define REPLAY_IPV6_BYTES (40 + 8 + WIREGUARD_INITIATION_BYTES) /* RFC 8200 */

/* Builds the packet, IPv4 or IPv6 by the addresses' family; returns its length. */
size_t replay_build(uint8_t packet[static REPLAY_IPV6_BYTES], const struct message_demand *demand);

/* Why this demand's packet must not be replayed, or NULL. */
const char *replay_refusal(
	const struct message_demand *demand, const struct addresses *local, uint16_t listen_port);

/* Sends it on FD_REPLAY_IPV4 or FD_REPLAY_IPV6. 0 or a negative errno of sendto(2). The caller has
 * asked replay_refusal() with addresses that are up to date. */
int replay_send(const struct message_demand *demand);

#endif
