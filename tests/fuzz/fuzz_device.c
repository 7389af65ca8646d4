/* SPDX-License-Identifier: ISC */
/*
 * A dump of the WireGuard interface: pieces, each what one recvmsg(2) of the installer's socket
 * gave. The sequence number that counts is the first message's.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "installer/device_message.h"
#include "installer/netlink.h"
#include "tests/fuzz/fuzz.h"

enum { PACKETS_MAX = 64, READER_ERROR = -EXFULL };

/* What the reader was shown so far. */
struct shown {
	unsigned devices, peers, allowed_ips;
	unsigned idle; /* messages in a row without a new peer or an allowed IP */
	bool has_progress;
	uint8_t key[WIREGUARD_KEY_BYTES];
	unsigned fail_at; /* the peer at which the reader gives up */
	struct device_dump dump;
};

static int show_device(void *context, const struct device_facts *facts)
{
	struct shown *shown = context;

	FUZZ_CHECK(shown->devices++ == 0 && shown->peers == 0);
	FUZZ_CHECK(facts->interface_index > 0 && facts->interface_index <= INT32_MAX);
	return 0;
}

static int show_peer(void *context, const struct device_peer *peer, bool is_continued)
{
	struct shown *shown = context;
	bool is_same = shown->peers > 0 && memcmp(shown->key, peer->public_key, 32) == 0;

	FUZZ_CHECK(shown->devices == 1 && is_continued == is_same);
	FUZZ_CHECK(!peer->has_endpoint || fuzz_is_address(&peer->endpoint));
	shown->has_progress |= !is_continued;
	memcpy(shown->key, peer->public_key, sizeof(shown->key));
	return ++shown->peers == shown->fail_at ? READER_ERROR : 0;
}

static int show_allowed_ip(void *context, const struct prefix *prefix)
{
	struct shown *shown = context;

	FUZZ_CHECK(shown->peers > 0 && fuzz_is_prefix(prefix));
	shown->has_progress = true;
	shown->allowed_ips++;
	return 0;
}

static const struct device_reader reader_shape = {
	.device = show_device, .peer = show_peer, .allowed_ip = show_allowed_ip};

static int handle(void *context, const struct nlmsghdr *header)
{
	struct shown *shown = context;
	int error;

	shown->has_progress = false;
	error = device_dump_message(&shown->dump, header);
	shown->idle = shown->has_progress ? 0 : shown->idle + 1;
	FUZZ_CHECK(error <= 0);
	FUZZ_CHECK(error != READER_ERROR || shown->peers == shown->fail_at);
	/* A dump that goes on for ever with nothing in it is given up. */
	FUZZ_CHECK(error != 0 || shown->idle < 3);
	return error;
}

static uint32_t first_sequence(struct fuzz_input input)
{
	struct nlmsghdr header = {0};
	size_t length;
	uint8_t *piece = fuzz_piece(&input, &length);

	if (length >= sizeof(header))
		memcpy(&header, piece, sizeof(header));
	free(piece);
	return header.nlmsg_seq;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct shown shown = {.fail_at = fuzz_byte(&input)};
	struct device_reader reader = reader_shape;
	struct netlink_progress progress = {.is_done = false};
	uint32_t sequence = first_sequence(input);
	int error = 0;

	reader.context = &shown;
	device_dump_begin(&shown.dump, &reader);
	for (int i = 0; i < PACKETS_MAX && input.left > 0 && error == 0 && !progress.is_done; i++) {
		size_t length;
		uint8_t *packet = fuzz_piece(&input, &length);

		error = netlink_walk(packet, length, sequence, handle, &shown, &progress);
		FUZZ_CHECK(error <= 0);
		free(packet);
	}
	return 0;
}
