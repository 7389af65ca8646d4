/* SPDX-License-Identifier: ISC */
/*
 * How many initiations capture judges a second, on one core and with nothing around it: the judge
 * alone, without socket and channels. Prints lines "WHAT A_SECOND":
 *
 *     verified   right ones of strangers, each with its two Diffie-Hellmans
 *     unsealed   right mac1, the first seal wrong: one Diffie-Hellman
 *     rejected   wrong mac1
 */
#include <err.h>
#include <net/if_arp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/judge.h"
#include "common/clock.h"
#include "tests/support/initiator.h"

enum {
	PACKETS = 100, /* fewer than would be a crowd of strangers */
	INTERFACE = 7,
	PORT = 51820,
	MESSAGE_AT = 28,
	PACKET_BYTES = MESSAGE_AT + WIREGUARD_INITIATION_BYTES,
	LONG_ENOUGH_US = 500000,
	PASS_MS = 20000, /* copies are forgotten, and demands have expired, from pass to pass */
};

static struct judge judge;
static struct judge_secrets secrets;
static uint8_t packets[PACKETS][PACKET_BYTES];

static void open_judge(void)
{
	struct message_local_addresses local = {.addresses.count = 1};
	size_t bytes = timestamp_record_bytes(PACKETS);
	void *timestamps = calloc(1, bytes);
	uint8_t private_key[WIREGUARD_KEY_BYTES];

	local.addresses.item[0] = (struct address){.family = 4, .bytes = {192, 0, 2, 1}};
	randombytes_buf(private_key, sizeof(private_key));
	if (timestamps == NULL ||
		judge_init(&judge, &secrets, 100000, 10, 20, timestamps, bytes) != 0 ||
		judge_set_gateway(&judge, private_key, INTERFACE, PORT) != 0)
		errx(1, "no judge");
	judge_set_addresses(&judge, &local);
}

/* Each from a key and a source of its own. */
static void make_packet(uint8_t packet[static PACKET_BYTES], size_t number)
{
	static const uint8_t header[MESSAGE_AT] = {0x45, 0, 0, PACKET_BYTES, 0, 0, 0x40, 0, 64, 17,
		0, 0, 203, 0, 0, 0, 192, 0, 2, 1, 40000 >> 8, 40000 & 0xff, PORT >> 8, PORT & 0xff,
		0, PACKET_BYTES - 20};
	uint8_t private_key[WIREGUARD_KEY_BYTES], timestamp[TIMESTAMP_BYTES];

	memcpy(packet, header, sizeof(header));
	packet[14] = (uint8_t)(number >> 8);
	packet[15] = (uint8_t)number;
	randombytes_buf(private_key, sizeof(private_key));
	initiator_timestamp(timestamp, 1700000000, 0);
	if (initiator_make(
		    packet + MESSAGE_AT, private_key, secrets.gateway.public_key, timestamp) != 0)
		errx(1, "no initiation");
}

static void judge_one(const uint8_t *packet, int64_t now_ms)
{
	const struct sockaddr_ll from = {.sll_family = AF_PACKET,
		.sll_pkttype = PACKET_HOST,
		.sll_hatype = ARPHRD_ETHER,
		.sll_ifindex = 2};
	struct key_demand *demand;
	bool from_known_source;

	if (judge_arrival(&judge, packet, PACKET_BYTES, &from, now_ms, &from_known_source) ==
		JUDGEMENTS) {
		struct waiting waiting = {.packet = judge.packet};

		judge_initiation(&judge, &waiting, now_ms, &demand);
	}
}

/* Judges all packets again and again; each must come out as expected. */
static void measure(const char *what, enum judgement expected)
{
	static int64_t now_ms = 1000;
	uint64_t before = judge.count[expected], judged = 0;
	int64_t began_us = clock_us(), took_us;

	do {
		now_ms += PASS_MS;
		key_table_expire(&judge.keys, now_ms);
		for (size_t i = 0; i < PACKETS; i++)
			judge_one(packets[i], now_ms);
		judged += PACKETS;
		took_us = clock_us() - began_us;
	} while (took_us < LONG_ENOUGH_US);
	if (judge.count[expected] - before != judged)
		errx(1, "%s: not all were judged so", what);
	printf("%s %lld\n", what, (long long)(judged * 1000000 / (uint64_t)took_us));
}

int main(void)
{
	if (sodium_init() < 0)
		errx(1, "no libsodium");
	open_judge();
	for (size_t i = 0; i < PACKETS; i++)
		make_packet(packets[i], i);
	measure("verified", JUDGED_DEMAND);
	for (size_t i = 0; i < PACKETS; i++) {
		packets[i][MESSAGE_AT + INITIATION_STATIC_AT] ^= 1;
		initiator_set_mac1(packets[i] + MESSAGE_AT, secrets.gateway.public_key);
	}
	measure("unsealed", JUDGED_BAD_STATIC);
	for (size_t i = 0; i < PACKETS; i++)
		packets[i][MESSAGE_AT + INITIATION_MAC1_AT] ^= 1;
	measure("rejected", JUDGED_BAD_MAC1);
	return 0;
}
