/* SPDX-License-Identifier: ISC */
/* A dump of this host's addresses (RTM_GETADDR): pieces, each what one recvmsg(2) gave. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/message.h"
#include "installer/addresses.h"
#include "installer/netlink.h"
#include "tests/fuzz/fuzz.h"

enum { PACKETS_MAX = 64 };

static int handle(void *context, const struct nlmsghdr *header)
{
	int error = addresses_parse(context, header);

	FUZZ_CHECK(error == 0 || error == -EBADMSG);
	return error;
}

/* All are addresses that LOCAL_ADDRESSES may carry, none twice. */
static void check_addresses(const struct addresses *addresses)
{
	static struct addresses reversed;
	static struct message message;
	static uint8_t bytes[MESSAGE_BYTES_MAX];

	FUZZ_CHECK(addresses->count <= ADDRESSES_MAX);
	FUZZ_CHECK(addresses->left_out == 0 || addresses->count == ADDRESSES_MAX);
	memset(&message, 0, sizeof(message));
	message.type = MESSAGE_TYPE_LOCAL_ADDRESSES;
	message.local_addresses.addresses.count = reversed.count = addresses->count;
	for (uint32_t i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->item[i];

		FUZZ_CHECK(fuzz_is_address(address) && address_is_unicast(address));
		FUZZ_CHECK(addresses_contain(addresses, address));
		for (uint32_t j = 0; j < i; j++)
			FUZZ_CHECK(!address_equal(address, &addresses->item[j]));
		message.local_addresses.addresses.item[i] = *address;
		reversed.item[addresses->count - 1 - i] = *address;
	}
	FUZZ_CHECK(addresses_equal(addresses, &reversed));
	FUZZ_CHECK(message_encode(&message, bytes, sizeof(bytes)) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct addresses addresses;
	struct fuzz_input input = {data, size};
	struct netlink_progress progress = {.is_done = false};
	struct nlmsghdr first = {0};
	int error = 0;

	addresses.count = addresses.left_out = 0;
	if (size >= 2 + sizeof(first))
		memcpy(&first, data + 2, sizeof(first));
	for (int i = 0; i < PACKETS_MAX && input.left > 0 && error == 0 && !progress.is_done; i++) {
		size_t length;
		uint8_t *packet = fuzz_piece(&input, &length);

		error = netlink_walk(
			packet, length, first.nlmsg_seq, handle, &addresses, &progress);
		FUZZ_CHECK(error <= 0);
		free(packet);
	}
	check_addresses(&addresses);
	return 0;
}
