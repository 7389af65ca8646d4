/* SPDX-License-Identifier: ISC */
/* Gives a client's handshake initiation to the local stack. */
#include "installer/replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define PROTOCOL_UDP 17 /* RFC 768 */
#define UDP_BYTES    (8 + WIREGUARD_INITIATION_BYTES)

/* Sum of 16-bit words in network order (RFC 1071); length is even but for the last part. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (; length > 1; bytes += 2, length -= 2)
		sum += (uint32_t)bytes[0] << 8 | bytes[1];
	return length == 1 ? sum + ((uint32_t)bytes[0] << 8) : sum;
}

static uint16_t finish_sum(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t address_bytes(const struct address *address)
{
	return address->family == 4 ? 4 : 16;
}

/* The UDP datagram at udp; its checksum covers the pseudo header (RFC 768; RFC 8200, 8.1). */
static void build_udp(uint8_t *udp, const struct message_demand *demand)
{
	uint32_t sum = PROTOCOL_UDP + UDP_BYTES;
	uint16_t checksum;

	put_16(udp, (unsigned)demand->source_port);
	put_16(udp + 2, (unsigned)demand->destination_port);
	put_16(udp + 4, UDP_BYTES);
	put_16(udp + 6, 0);
	memcpy(udp + 8, demand->initiation, WIREGUARD_INITIATION_BYTES);
	sum = sum_words(sum, demand->source.bytes, address_bytes(&demand->source));
	sum = sum_words(sum, demand->destination.bytes, address_bytes(&demand->destination));
	checksum = finish_sum(sum_words(sum, udp, UDP_BYTES));
	put_16(udp + 6, checksum != 0 ? checksum : 0xffff); /* 0 would mean that there is none */
}

static size_t build_ipv4(uint8_t *packet, const struct message_demand *demand)
{
	memset(packet, 0, 20);
	packet[0] = 0x45;
	put_16(packet + 2, REPLAY_IPV4_BYTES);
	put_16(packet + 6,
		0x4000); /* don't fragment; so the identification may stay 0 (RFC 6864) */
	packet[8] = 1;   /* TTL */
	packet[9] = PROTOCOL_UDP;
	memcpy(packet + 12, demand->source.bytes, 4);
	memcpy(packet + 16, demand->destination.bytes, 4);
	put_16(packet + 10, finish_sum(sum_words(0, packet, 20)));
	build_udp(packet + 20, demand);
	return REPLAY_IPV4_BYTES;
}

static size_t build_ipv6(uint8_t *packet, const struct message_demand *demand)
{
	memset(packet, 0, 40);
	packet[0] = 0x60;
	put_16(packet + 4, UDP_BYTES);
	packet[6] = PROTOCOL_UDP;
	packet[7] = 1; /* hop limit */
	memcpy(packet + 8, demand->source.bytes, 16);
	memcpy(packet + 24, demand->destination.bytes, 16);
	build_udp(packet + 40, demand);
	return REPLAY_IPV6_BYTES;
}

size_t replay_build(uint8_t packet[static REPLAY_IPV6_BYTES], const struct message_demand *demand)
{
	return demand->source.family == 4 ? build_ipv4(packet, demand) : build_ipv6(packet, demand);
}

const char *replay_refusal(
	const struct message_demand *demand, const struct addresses *local, uint16_t listen_port)
{
	static const uint8_t type[4] = {1}; /* WireGuard paper, section 5.4.2 */

	if (memcmp(demand->initiation, type, sizeof(type)) != 0)
		return "not a handshake initiation";
	if (demand->source.family != demand->destination.family)
		return "source and destination are of different families";
	if (listen_port == 0 || demand->destination_port != listen_port)
		return "not sent to the listen port";
	if (demand->source_port == 0)
		return "source port 0";
	if (!address_is_unicast(&demand->source))
		return "the source is no unicast address";
	if (address_is_link_local_ipv6(&demand->source) ||
		address_is_link_local_ipv6(&demand->destination))
		return "link-local addresses are left to the client's retry";
	if (addresses_contain(local, &demand->source))
		return "the source is an address of this host";
	if (!addresses_contain(local, &demand->destination))
		return "the destination is no address of this host";
	return NULL;
}

static int send_to(int fd, const struct message_demand *demand, const void *to, socklen_t to_length)
{
	uint8_t packet[REPLAY_IPV6_BYTES];
	size_t length = replay_build(packet, demand);

	if (sendto(fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL, to, to_length) < 0)
		return -errno;
	return 0;
}

int replay_send(const struct message_demand *demand)
{
	/* The port in a raw socket's address means nothing for IPv4, and must be 0 for IPv6. */
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	if (demand->destination.family == 4) {
		memcpy(&ipv4.sin_addr, demand->destination.bytes, sizeof(ipv4.sin_addr));
		return send_to(FD_REPLAY_IPV4, demand, &ipv4, sizeof(ipv4));
	}
	memcpy(&ipv6.sin6_addr, demand->destination.bytes, sizeof(ipv6.sin6_addr));
	return send_to(FD_REPLAY_IPV6, demand, &ipv6, sizeof(ipv6));
}
