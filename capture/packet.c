/* SPDX-License-Identifier: ISC */
/* Captured packets. */
#include "capture/packet.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

enum {
	IPV4_HEADER_BYTES = 20,
	IPV4_FRAGMENT_BITS = 0x3fff, /* more fragments, and the offset; not "don't fragment" */
	IPV6_HEADER_BYTES = 40,
	UDP_HEADER_BYTES = 8,
	UDP_BYTES = UDP_HEADER_BYTES + WIREGUARD_INITIATION_BYTES,
};

/* WireGuard paper section 5.4.2: the type and three reserved bytes. */
static const uint8_t initiation_type[4] = {1, 0, 0, 0};

static uint16_t load_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* A unicast address that the network can carry: not 0/8, 127/8, 224/4 or the broadcast address. */
static bool ipv4_is_usable(const uint8_t address[static 4])
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	return address[0] != 0 && address[0] != 127 && (address[0] & 0xf0) != 224 &&
	       memcmp(address, broadcast, sizeof(broadcast)) != 0;
}

/* The same: not ::, ::1, ff00::/8, and not IPv4 in IPv6's clothes (::ffff:0:0/96). */
static bool ipv6_is_usable(const uint8_t address[static 16])
{
	static const uint8_t zero[15];
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (memcmp(address, zero, sizeof(zero)) == 0 && address[15] <= 1)
		return false;
	return address[0] != 0xff && memcmp(address, mapped, sizeof(mapped)) != 0;
}

static enum packet_verdict parse_udp(struct packet *packet, const uint8_t *udp)
{
	if (load_be16(udp + 4) != UDP_BYTES)
		return PACKET_OTHER_KIND;
	if (memcmp(udp + UDP_HEADER_BYTES, initiation_type, sizeof(initiation_type)) != 0)
		return PACKET_OTHER_KIND;
	packet->source_port = load_be16(udp);
	packet->destination_port = load_be16(udp + 2);
	/* Nothing can be answered to port 0. */
	if (packet->source_port == 0 || packet->destination_port == 0)
		return PACKET_BAD_ADDRESS;
	memcpy(packet->initiation, udp + UDP_HEADER_BYTES, sizeof(packet->initiation));
	return PACKET_OK;
}

static enum packet_verdict parse_ipv4(struct packet *packet, const uint8_t *data, size_t bytes)
{
	size_t header_bytes, total_bytes;

	if (bytes < IPV4_HEADER_BYTES)
		return PACKET_MALFORMED;
	header_bytes = (size_t)(data[0] & 0x0f) * 4;
	total_bytes = load_be16(data + 2);
	if (header_bytes < IPV4_HEADER_BYTES || total_bytes < header_bytes || total_bytes > bytes)
		return PACKET_MALFORMED;
	if ((load_be16(data + 6) & IPV4_FRAGMENT_BITS) != 0 || data[9] != IPPROTO_UDP)
		return PACKET_UNSUPPORTED;
	if (total_bytes - header_bytes != UDP_BYTES)
		return PACKET_OTHER_KIND;
	if (!ipv4_is_usable(data + 12) || !ipv4_is_usable(data + 16))
		return PACKET_BAD_ADDRESS;
	packet->source.family = packet->destination.family = 4;
	memcpy(packet->source.bytes, data + 12, 4);
	memcpy(packet->destination.bytes, data + 16, 4);
	return parse_udp(packet, data + header_bytes);
}

static enum packet_verdict parse_ipv6(struct packet *packet, const uint8_t *data, size_t bytes)
{
	size_t payload_bytes;

	if (bytes < IPV6_HEADER_BYTES)
		return PACKET_MALFORMED;
	payload_bytes = load_be16(data + 4);
	if (payload_bytes > bytes - IPV6_HEADER_BYTES)
		return PACKET_MALFORMED;
	if (data[6] != IPPROTO_UDP)
		return PACKET_UNSUPPORTED;
	if (payload_bytes != UDP_BYTES)
		return PACKET_OTHER_KIND;
	if (!ipv6_is_usable(data + 8) || !ipv6_is_usable(data + 24))
		return PACKET_BAD_ADDRESS;
	packet->source.family = packet->destination.family = 6;
	memcpy(packet->source.bytes, data + 8, 16);
	memcpy(packet->destination.bytes, data + 24, 16);
	return parse_udp(packet, data + IPV6_HEADER_BYTES);
}

enum packet_verdict packet_parse(
	struct packet *packet, const uint8_t *data, size_t bytes, uint8_t packet_type)
{
	struct packet parsed = {0};
	enum packet_verdict verdict;

	if (packet_type != PACKET_HOST)
		return PACKET_OTHER_HOST;
	if (bytes < 1)
		return PACKET_MALFORMED;
	switch (data[0] >> 4) {
	case 4:
		verdict = parse_ipv4(&parsed, data, bytes);
		break;
	case 6:
		verdict = parse_ipv6(&parsed, data, bytes);
		break;
	default:
		return PACKET_MALFORMED;
	}
	if (verdict == PACKET_OK)
		*packet = parsed;
	return verdict;
}
