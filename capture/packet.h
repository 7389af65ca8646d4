/* SPDX-License-Identifier: ISC */
/*
 * What a cooked packet socket (packet(7), SOCK_DGRAM) gives, as the handshake initiation that it
 * carries and the addresses around it.
 *
 * The packet socket's filter lets through little else, but it is no part of what is trusted here:
 * every byte is judged again. IPv4 (RFC 791) with options, IPv6 (RFC 8200) without extension
 * headers, unfragmented, UDP (RFC 768) of exactly the initiation's length. Bytes behind the IP
 * packet are padding and ignored, as the kernel ignores them.
 *
 * The UDP checksum isn't verified: where the sender left it to a network card, as on veth and lo,
 * the captured one is unfinished. mac1 covers what matters. The IP header's checksum is the
 * kernel's business, which drops the packet when it is wrong.
 */
#ifndef PULLGATE_PACKET_H
#define PULLGATE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/wireguard.h"

/* The longest packet that can be an initiation: an IPv4 header with all options. */
enum { PACKET_BYTES_MAX = 60 + 8 + WIREGUARD_INITIATION_BYTES };

struct packet {
	struct address source;
	struct address destination;
	uint16_t source_port; /* host order */
	uint16_t destination_port;
	uint32_t arrival_index; /* of the interface; the caller sets it */
	uint8_t initiation[WIREGUARD_INITIATION_BYTES];
};

enum packet_verdict {
	PACKET_OK,
	PACKET_OTHER_HOST,  /* outgoing, broadcast, multicast, or another host's */
	PACKET_MALFORMED,   /* lengths or versions that contradict each other, or too short */
	PACKET_UNSUPPORTED, /* fragmented, extension headers, not UDP */
	PACKET_OTHER_KIND,  /* UDP, but no handshake initiation */
	PACKET_BAD_ADDRESS, /* no unicast address, or one that never comes from the network */
};

/*
 * Parses `bytes` received bytes that begin at the IP header. `packet_type` is sockaddr_ll's
 * sll_pkttype. `packet` is filled (but for arrival_index) only when the verdict is PACKET_OK.
 */
enum packet_verdict packet_parse(
	struct packet *packet, const uint8_t *data, size_t bytes, uint8_t packet_type);

#endif
