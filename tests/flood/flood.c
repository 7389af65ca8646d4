/* SPDX-License-Identifier: ISC */
/*
 * A flood of handshake initiations with right mac1 and right seals, each of a key of its own, from
 * random sources: flood INTERFACE NEIGHBOUR-MAC DESTINATION PORT GATEWAY-KEY COUNT
 *
 * COUNT initiations are computed first, on all processors, so that the sender isn't the limit;
 * prints "ready". Each line of the standard input is then a rate, in packets a second, to send with
 * from then on; 0 rests. At the end of the input it prints "sent N" and ends. The initiations are
 * sent in turn and, when all were, again, with other sources: choose COUNT so that a key comes back
 * when it is long forgotten.
 *
 * The sources are IPv4 addresses of 20.0.0.0 to 99.255.255.255, the packets whole Ethernet frames.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "tests/support/initiator.h"

enum {
	IP_AT = ETH_HLEN,
	UDP_AT = IP_AT + 20,
	MESSAGE_AT = UDP_AT + 8,
	FRAME_BYTES = MESSAGE_AT + WIREGUARD_INITIATION_BYTES,
	BATCH = 64,
	PAUSE_MS = 2,
	/* What was not sent in time, for want of the processor, isn't caught up with for longer. */
	LATE_MS = 100,
};

struct flood {
	int fd;
	uint8_t (*messages)[WIREGUARD_INITIATION_BYTES];
	size_t count, next;
	uint8_t header[MESSAGE_AT]; /* all but the source and what depends on it */
	uint64_t sent;
};

/* A share of the messages. They have one ephemeral key, which costs their receiver the same. */
static void make_messages(struct flood *flood, const uint8_t *gateway_key, size_t from, size_t step)
{
	struct initiator_parts parts;
	uint8_t private_key[WIREGUARD_KEY_BYTES], timestamp[TIMESTAMP_BYTES];

	initiator_timestamp(timestamp, (uint64_t)time(NULL), 0);
	randombytes_buf(private_key, sizeof(private_key));
	if (initiator_prepare(&parts, private_key, gateway_key, timestamp) != 0)
		errx(1, "no gateway's key");
	for (size_t i = from; i < flood->count; i += step) {
		randombytes_buf(private_key, sizeof(private_key));
		crypto_scalarmult_base(parts.static_key, private_key);
		if (crypto_scalarmult(parts.static_secret, private_key, gateway_key) != 0)
			errx(1, "no gateway's key");
		parts.sender_index = (uint32_t)i;
		initiator_seal(flood->messages[i], gateway_key, &parts);
	}
}

static void make_all_messages(struct flood *flood, const uint8_t *gateway_key)
{
	size_t processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	int status;

	flood->messages = mmap(NULL, flood->count * sizeof(*flood->messages),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (flood->messages == MAP_FAILED)
		err(1, "mmap");
	for (size_t i = 0; i < processors; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child == 0) {
			make_messages(flood, gateway_key, i, processors);
			_exit(0);
		}
	}
	for (size_t i = 0; i < processors; i++) {
		if (wait(&status) < 0 || status != 0)
			errx(1, "not all messages could be made");
	}
}

static void store_be16(uint8_t *bytes, unsigned int value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/* UDP without a checksum (RFC 768). */
static void make_header(struct flood *flood, const uint8_t *own_mac, const char *neighbour_mac,
	const char *destination, const char *port)
{
	uint8_t *ip = flood->header + IP_AT, *udp = flood->header + UDP_AT;
	struct ether_addr neighbour;

	if (ether_aton_r(neighbour_mac, &neighbour) == NULL)
		errx(1, "%s is no MAC address", neighbour_mac);
	memcpy(flood->header, &neighbour, ETH_ALEN);
	memcpy(flood->header + ETH_ALEN, own_mac, ETH_ALEN);
	store_be16(flood->header + 12, ETH_P_IP);
	ip[0] = 0x45;
	store_be16(ip + 2, FRAME_BYTES - IP_AT);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	if (inet_pton(AF_INET, destination, ip + 16) != 1)
		errx(1, "%s is no IPv4 address", destination);
	store_be16(udp + 2, (unsigned int)strtoul(port, NULL, 10));
	store_be16(udp + 4, FRAME_BYTES - UDP_AT);
}

static void open_socket(struct flood *flood, const char *interface, uint8_t *own_mac)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	socklen_t length = sizeof(address);

	flood->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (flood->fd < 0 || bind(flood->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		getsockname(flood->fd, (struct sockaddr *)&address, &length) != 0)
		err(1, "%s", interface);
	memcpy(own_mac, address.sll_addr, ETH_ALEN);
}

static void set_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	store_be16(ip + 10, ~sum & 0xffff);
}

static void make_frame(struct flood *flood, uint8_t frame[static FRAME_BYTES])
{
	uint32_t source = randombytes_random();

	memcpy(frame, flood->header, sizeof(flood->header));
	memcpy(frame + IP_AT + 12, &source, sizeof(source));
	frame[IP_AT + 12] = (uint8_t)(20 + frame[IP_AT + 12] % 80);
	store_be16(frame + UDP_AT, 1024 + (source >> 8) % 60000);
	set_checksum(frame + IP_AT);
	memcpy(frame + MESSAGE_AT, flood->messages[flood->next], WIREGUARD_INITIATION_BYTES);
	flood->next = (flood->next + 1) % flood->count;
}

static void send_batch(struct flood *flood, size_t count)
{
	static uint8_t frames[BATCH][FRAME_BYTES];
	static struct iovec parts[BATCH];
	static struct mmsghdr headers[BATCH];
	int sent;

	for (size_t i = 0; i < count; i++) {
		make_frame(flood, frames[i]);
		parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = FRAME_BYTES};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	sent = sendmmsg(flood->fd, headers, (unsigned int)count, 0);
	if (sent < 0 && errno != ENOBUFS)
		err(1, "sendmmsg");
	flood->sent += sent > 0 ? (uint64_t)sent : 0;
}

/* Sends at that rate until there is something to read. */
static void send_at(struct flood *flood, uint64_t rate)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t due_us = clock_us(), step_us = rate > 0 ? (int64_t)(1000000 * BATCH / rate) : 0;

	while (poll(&input, 1, rate > 0 ? PAUSE_MS : -1) == 0) {
		int64_t now_us = clock_us();

		if (due_us < now_us - LATE_MS * 1000)
			due_us = now_us - LATE_MS * 1000;
		for (; due_us <= now_us; due_us += step_us)
			send_batch(flood, BATCH);
	}
}

int main(int argument_count, char **arguments)
{
	static struct flood flood;
	uint8_t gateway_key[WIREGUARD_KEY_BYTES], own_mac[ETH_ALEN];
	char line[32];

	if (argument_count != 7 || sodium_init() < 0)
		errx(2, "usage: flood INTERFACE NEIGHBOUR-MAC DESTINATION PORT GATEWAY-KEY COUNT");
	if (key_from_base64(gateway_key, arguments[5]) != 0)
		errx(2, "%s is no key", arguments[5]);
	flood.count = strtoul(arguments[6], NULL, 10);
	if (flood.count == 0)
		errx(2, "nothing to send");
	open_socket(&flood, arguments[1], own_mac);
	make_header(&flood, own_mac, arguments[2], arguments[3], arguments[4]);
	make_all_messages(&flood, gateway_key);
	setvbuf(stdin, NULL, _IONBF, 0); /* what poll sees is what there is */
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		send_at(&flood, strtoull(line, NULL, 10));
	printf("sent %llu\n", (unsigned long long)flood.sent);
	return 0;
}
