/* SPDX-License-Identifier: ISC */
/* Reading dumps of the device, whole, split, broken; and building changes. */
#include "installer/device_message.h"

#include <errno.h>
#include <linux/time_types.h>
#include <netinet/in.h>
#include <stdio.h>

#include "dump_message.h"

/* What a reader was shown, as text. */
static struct {
	char text[8192];
	size_t used;
	struct device_facts facts;
	struct device_peer peer; /* the last */
	int error;               /* to return from peer() */
} shown;

static void note(const char *text)
{
	shown.used += (size_t)snprintf(
		shown.text + shown.used, sizeof(shown.text) - shown.used, "%s", text);
}

static int note_device(void *context, const struct device_facts *facts)
{
	(void)context;
	shown.facts = *facts;
	note("device ");
	return 0;
}

static int note_peer(void *context, const struct device_peer *peer, bool is_continued)
{
	char text[32];

	(void)context;
	shown.peer = *peer;
	snprintf(text, sizeof(text), "%s%u ", is_continued ? "again" : "peer", peer->public_key[0]);
	note(text);
	return shown.error;
}

static int note_allowed_ip(void *context, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_BYTES];

	(void)context;
	note(prefix_format(text, prefix));
	note(" ");
	return 0;
}

static const struct device_reader reader = {
	.device = note_device, .peer = note_peer, .allowed_ip = note_allowed_ip};
static struct device_dump dump;

static int set_up(void **state)
{
	(void)state;
	memset(&shown, 0, sizeof(shown));
	device_dump_begin(&dump, &reader);
	return 0;
}

static int read_message(struct nl_msg *message)
{
	int error = device_dump_message(&dump, nlmsg_hdr(message));

	nlmsg_free(message);
	return error;
}

static void put_first(struct nl_msg *message)
{
	static const uint8_t private_key[32] = {1, 2, 3}, public_key[32] = {4, 5, 6};

	dump_put_facts(message, 9, 51820, private_key, public_key);
}

/* A peer with that key's first byte; texts as allowed IPs. */
static void put_peer(struct nl_msg *message, uint32_t number, const char *const *texts)
{
	struct nlattr *nest = nla_nest_start(message, 0);
	uint8_t key[32];

	make_key(key, number);
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, key);
	dump_put_allowed_ips(message, texts);
	nla_nest_end(message, nest);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EMPTY     ((const char *const[]){NULL})

static void test_whole(void **state)
{
	static const struct __kernel_timespec handshake = {.tv_sec = 1700000000, .tv_nsec = 5};
	struct sockaddr_in endpoint = {.sin_family = AF_INET, .sin_port = htons(4000)};
	struct nl_msg *message = dump_begin();
	struct address expected = address_of("192.0.2.7");
	struct nlattr *peers, *nest;
	uint8_t key[32] = {7};

	(void)state;
	memcpy(&endpoint.sin_addr, expected.bytes, 4);
	put_first(message);
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	nest = nla_nest_start(message, 0);
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, key);
	nla_put(message, WGPEER_A_PRESHARED_KEY, 32, key);
	nla_put(message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(handshake), &handshake);
	nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
	nla_put_u64(message, WGPEER_A_RX_BYTES, 0x1122334455667788);
	nla_put_u64(message, WGPEER_A_TX_BYTES, 12);
	nla_put_u32(message, WGPEER_A_PROTOCOL_VERSION, 1);
	nla_put(message, WGPEER_A_ENDPOINT, sizeof(endpoint), &endpoint);
	dump_put_allowed_ips(message, LIST("10.64.0.0/24", "fd64::7/128", "0.0.0.0/0"));
	nla_nest_end(message, nest);
	nla_nest_end(message, peers);
	assert_int_equal(read_message(message), 0);
	assert_string_equal(shown.text, "device peer7 10.64.0.0/24 fd64::7/128 0.0.0.0/0 ");
	assert_int_equal(shown.facts.interface_index, 9);
	assert_int_equal(shown.facts.listen_port, 51820);
	assert_true(shown.facts.has_private_key);
	assert_int_equal(shown.facts.private_key[2], 3);
	assert_int_equal(shown.facts.public_key[2], 6);
	assert_memory_equal(shown.peer.public_key, key, 32);
	assert_int_equal(shown.peer.handshake_seconds, 1700000000);
	assert_int_equal(shown.peer.handshake_nanoseconds, 5);
	assert_int_equal(shown.peer.received_bytes, 0x1122334455667788);
	assert_int_equal(shown.peer.sent_bytes, 12);
	assert_int_equal(shown.peer.persistent_keepalive, 25);
	assert_true(shown.peer.has_endpoint);
	assert_true(address_equal(&shown.peer.endpoint, &expected));
	assert_int_equal(shown.peer.endpoint_port, 4000);
}

static void test_ipv6_endpoint(void **state)
{
	struct sockaddr_in6 endpoint = {.sin6_family = AF_INET6, .sin6_port = htons(4000)};
	struct address expected = address_of("2001:db8::7");
	struct nl_msg *message = dump_begin();
	struct nlattr *peers, *nest;
	uint8_t key[32] = {7};

	(void)state;
	memcpy(&endpoint.sin6_addr, expected.bytes, 16);
	put_first(message);
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	nest = nla_nest_start(message, 0);
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, key);
	nla_put(message, WGPEER_A_ENDPOINT, sizeof(endpoint), &endpoint);
	nla_nest_end(message, nest);
	nla_nest_end(message, peers);
	assert_int_equal(read_message(message), 0);
	assert_true(shown.peer.has_endpoint);
	assert_true(address_equal(&shown.peer.endpoint, &expected));
}

static struct nl_msg *message_with(bool is_first, uint32_t peer, const char *const *texts)
{
	struct nl_msg *message = dump_begin();
	struct nlattr *peers;

	if (is_first)
		put_first(message);
	else
		nla_put_string(message, WGDEVICE_A_IFNAME, "wg0");
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	put_peer(message, peer, texts);
	nla_nest_end(message, peers);
	return message;
}

static void test_split(void **state)
{
	struct nl_msg *message = dump_begin();
	struct nlattr *peers;

	(void)state;
	assert_int_equal(read_message(message_with(true, 1, LIST("10.64.0.1/32"))), 0);
	assert_int_equal(read_message(message_with(false, 1, LIST("10.64.0.2/32"))), 0);
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	put_peer(message, 1, LIST("10.64.0.3/32"));
	put_peer(message, 2, EMPTY);
	nla_nest_end(message, peers);
	assert_int_equal(read_message(message), 0);
	assert_int_equal(read_message(message_with(false, 3, EMPTY)), 0);
	assert_string_equal(shown.text, "device peer1 10.64.0.1/32 again1 10.64.0.2/32 "
					"again1 10.64.0.3/32 peer2 peer3 ");
}

static void test_no_peers(void **state)
{
	struct nl_msg *message = dump_begin();

	(void)state;
	dump_put_facts(message, 9, 0, NULL, NULL);
	assert_int_equal(read_message(message), 0);
	assert_string_equal(shown.text, "device ");
	assert_false(shown.facts.has_private_key);
	assert_int_equal(shown.facts.listen_port, 0);
}

/* What is left out of a peer that is continued after the device changed. */
static void test_left_out(void **state)
{
	static const struct {
		uint32_t peer;
		bool is_interrupted, may_lack;
	} messages[] = {{1, false, false}, {1, true, true}, {2, true, false}, {2, false, false}};
	struct nl_msg *message;

	(void)state;
	for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		message = message_with(i == 0, messages[i].peer, LIST("10.64.0.1/32"));
		if (messages[i].is_interrupted)
			nlmsg_hdr(message)->nlmsg_flags |= NLM_F_DUMP_INTR;
		assert_int_equal(read_message(message), 0);
		assert_int_equal(shown.peer.may_lack_allowed_ips, messages[i].may_lack);
	}
}

/* A kernel that sends the same message for ever: with the device alone, or one peer again. */
static void test_no_progress(void **state)
{
	unsigned messages = 0;

	(void)state;
	for (int error = 0; error == 0; messages++) {
		struct nl_msg *message = dump_begin();

		put_first(message);
		error = read_message(message);
		assert_true(error == 0 || error == -ELOOP);
	}
	assert_int_equal(messages, 3);
	set_up(NULL);
	messages = 0;
	for (int error = 0; error == 0; messages++) {
		error = read_message(message_with(true, 1, EMPTY));
		assert_true(error == 0 || error == -ELOOP);
	}
	assert_int_equal(messages, 4);
}

/* The same with an allowed IP each time: only the number of messages can tell. */
static void test_endless(void **state)
{
	struct nl_msg *message = message_with(true, 1, LIST("10.64.0.1/32"));

	(void)state;
	assert_int_equal(device_dump_message(&dump, nlmsg_hdr(message)), 0);
	dump.messages = DEVICE_DUMP_MESSAGES_MAX;
	assert_int_equal(read_message(message), -ELOOP);
}

static void test_reader_error(void **state)
{
	(void)state;
	shown.error = -ENOSPC;
	assert_int_equal(read_message(message_with(true, 1, LIST("10.64.0.1/32"))), -ENOSPC);
	assert_string_equal(shown.text, "device peer1 ");
}

/* One attribute of a wrong size at a time. */
static void test_wrong_sizes(void **state)
{
	static const struct {
		int type, size;
		int result;
	} device[] = {{WGDEVICE_A_PRIVATE_KEY, 31, -EBADMSG},
		{WGDEVICE_A_PRIVATE_KEY, 33, -EBADMSG}, {WGDEVICE_A_PUBLIC_KEY, 0, -EBADMSG},
		{WGDEVICE_A_LISTEN_PORT, 1, -EBADMSG}, {WGDEVICE_A_LISTEN_PORT, 4, -EBADMSG},
		{WGDEVICE_A_IFINDEX, 3, -EBADMSG}, {WGDEVICE_A_IFINDEX, 8, -EBADMSG}, {60, 5, 0}},
	  peer[] = {{WGPEER_A_PUBLIC_KEY, 31, -EBADMSG}, {WGPEER_A_PUBLIC_KEY, 33, -EBADMSG},
		  {WGPEER_A_LAST_HANDSHAKE_TIME, 8, -EBADMSG}, {WGPEER_A_RX_BYTES, 4, -EBADMSG},
		  {WGPEER_A_TX_BYTES, 9, -EBADMSG},
		  {WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 4, -EBADMSG},
		  {WGPEER_A_ALLOWEDIPS, 3, -EBADMSG}, {WGPEER_A_ENDPOINT, 3, 0},
		  {WGPEER_A_ENDPOINT, 16, 0}, {77, 100, 0}};
	uint8_t bytes[128] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++) {
		struct nl_msg *message = dump_begin();

		set_up(NULL);
		put_first(message);
		nla_put(message, device[i].type, device[i].size, bytes); /* the later one counts */
		assert_int_equal(read_message(message), device[i].result);
	}
	for (size_t i = 0; i < sizeof(peer) / sizeof(peer[0]); i++) {
		struct nl_msg *message = dump_begin();
		struct nlattr *peers, *nest;

		set_up(NULL);
		put_first(message);
		peers = nla_nest_start(message, WGDEVICE_A_PEERS);
		nest = nla_nest_start(message, 0);
		nla_put(message, WGPEER_A_PUBLIC_KEY, 32, bytes);
		nla_put(message, peer[i].type, peer[i].size, bytes);
		nla_nest_end(message, nest);
		nla_nest_end(message, peers);
		assert_int_equal(read_message(message), peer[i].result);
		assert_false(shown.peer.has_endpoint);
	}
}

static void test_missing(void **state)
{
	struct nl_msg *message = dump_begin();
	struct nlattr *peers, *nest;

	(void)state;
	assert_int_equal(read_message(message), -EBADMSG); /* no facts */
	message = dump_begin();
	put_first(message);
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	nest = nla_nest_start(message, 0);
	nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
	nla_nest_end(message, nest);
	nla_nest_end(message, peers);
	assert_int_equal(read_message(message), -EBADMSG); /* a peer without key */
}

static int read_allowed_ip(uint16_t family, int bytes, int length)
{
	struct nl_msg *message = dump_begin();
	struct nlattr *peers, *peer, *list, *entry;
	uint8_t key[32] = {1}, address[20] = {10, 64, 0, 1};

	set_up(NULL);
	put_first(message);
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	peer = nla_nest_start(message, 0);
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, key);
	list = nla_nest_start(message, WGPEER_A_ALLOWEDIPS);
	entry = nla_nest_start(message, 0);
	if (length >= 0)
		nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, (uint8_t)length);
	nla_put_u16(message, WGALLOWEDIP_A_FAMILY, family);
	nla_put(message, WGALLOWEDIP_A_IPADDR, bytes, address);
	nla_nest_end(message, entry);
	nla_nest_end(message, list);
	nla_nest_end(message, peer);
	nla_nest_end(message, peers);
	return read_message(message);
}

static void test_broken_allowed_ips(void **state)
{
	(void)state;
	assert_int_equal(read_allowed_ip(AF_INET, 4, 32), 0);
	assert_int_equal(read_allowed_ip(AF_INET6, 16, 128), 0);
	assert_int_equal(read_allowed_ip(AF_INET, 4, 33), -EBADMSG);
	assert_int_equal(read_allowed_ip(AF_INET, 4, 24), -EBADMSG); /* host bits */
	assert_int_equal(read_allowed_ip(AF_INET, 16, 32), -EBADMSG);
	assert_int_equal(read_allowed_ip(AF_INET6, 4, 32), -EBADMSG);
	assert_int_equal(read_allowed_ip(AF_INET6, 16, 129), -EBADMSG);
	assert_int_equal(read_allowed_ip(AF_UNIX, 16, 32), -EBADMSG);
	assert_int_equal(read_allowed_ip(AF_INET, 4, -1), -EBADMSG);
}

/* Every length that a whole message can be cut to: never more than was there, never a crash. */
static void test_truncated(void **state)
{
	struct nl_msg *message = message_with(true, 1, LIST("10.64.0.1/32", "fd64::1/128"));
	struct nlmsghdr *header = nlmsg_hdr(message);
	uint32_t whole = header->nlmsg_len;

	(void)state;
	for (uint32_t length = NLMSG_HDRLEN; length < whole; length++) {
		struct nlmsghdr *cut = test_malloc(length);

		set_up(NULL);
		memcpy(cut, header, length);
		cut->nlmsg_len = length;
		device_dump_message(&dump, cut);
		assert_null(strstr(shown.text, "fd64::1/128"));
		test_free(cut);
	}
	nlmsg_free(message);
}

/* --- Building. */

static struct nlattr **parse_set(struct nl_msg *message)
{
	static struct nlattr *attributes[WGDEVICE_A_MAX + 1];
	struct genlmsghdr *header = nlmsg_data(nlmsg_hdr(message));

	assert_int_equal(nlmsg_hdr(message)->nlmsg_type, 30);
	assert_int_equal(nlmsg_hdr(message)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(header->cmd, WG_CMD_SET_DEVICE);
	assert_int_equal(header->version, 1);
	assert_int_equal(
		nlmsg_parse(nlmsg_hdr(message), GENL_HDRLEN, attributes, WGDEVICE_A_MAX, NULL), 0);
	assert_string_equal(nla_data(attributes[WGDEVICE_A_IFNAME]), "wg7");
	assert_null(attributes[WGDEVICE_A_FLAGS]); /* REPLACE_PEERS would empty the interface */
	assert_null(attributes[WGDEVICE_A_PRIVATE_KEY]);
	assert_null(attributes[WGDEVICE_A_LISTEN_PORT]);
	return attributes;
}

static void check_allowed_ip(struct nlattr *entry, const struct prefix *prefix)
{
	struct nlattr *attributes[WGALLOWEDIP_A_MAX + 1];
	size_t bytes = prefix->family == 4 ? 4 : 16;

	nla_parse_nested(attributes, WGALLOWEDIP_A_MAX, entry, NULL);
	assert_int_equal(nla_get_u16(attributes[WGALLOWEDIP_A_FAMILY]),
		prefix->family == 4 ? AF_INET : AF_INET6);
	assert_int_equal(nla_len(attributes[WGALLOWEDIP_A_IPADDR]), bytes);
	assert_memory_equal(nla_data(attributes[WGALLOWEDIP_A_IPADDR]), prefix->bytes, bytes);
	assert_int_equal(nla_get_u8(attributes[WGALLOWEDIP_A_CIDR_MASK]), prefix->length);
}

static void check_change(struct nlattr *nest, const struct device_change *change)
{
	struct nlattr *attributes[WGPEER_A_MAX + 1], *entry;
	uint32_t count = 0;
	int left;

	nla_parse_nested(attributes, WGPEER_A_MAX, nest, NULL);
	assert_int_equal(nla_len(attributes[WGPEER_A_PUBLIC_KEY]), 32);
	assert_memory_equal(nla_data(attributes[WGPEER_A_PUBLIC_KEY]), change->public_key, 32);
	assert_int_equal(attributes[WGPEER_A_FLAGS] != NULL, change->flags != 0);
	if (change->flags != 0)
		assert_int_equal(nla_get_u32(attributes[WGPEER_A_FLAGS]), change->flags);
	assert_int_equal(attributes[WGPEER_A_PRESHARED_KEY] != NULL, change->preshared_key != NULL);
	if (change->preshared_key != NULL)
		assert_memory_equal(
			nla_data(attributes[WGPEER_A_PRESHARED_KEY]), change->preshared_key, 32);
	assert_int_equal(
		attributes[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] != NULL, change->sets_keepalive);
	if (change->sets_keepalive)
		assert_int_equal(nla_get_u16(attributes[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]),
			change->persistent_keepalive);
	assert_int_equal(attributes[WGPEER_A_ENDPOINT] != NULL, change->endpoint != NULL);
	assert_int_equal(attributes[WGPEER_A_ALLOWEDIPS] != NULL, change->allowed_ip_count != 0);
	if (change->allowed_ip_count == 0)
		return;
	nla_for_each_nested(entry, attributes[WGPEER_A_ALLOWEDIPS], left)
		check_allowed_ip(entry, &change->allowed_ips[count++]);
	assert_int_equal(count, change->allowed_ip_count);
}

static void check_set(const struct device_change *changes, size_t count, size_t expected)
{
	struct nl_msg *message = nlmsg_alloc_size(DEVICE_SET_BYTES);
	struct nlattr *entry, *peers;
	size_t seen = 0;
	int left;

	assert_int_equal(device_put_set(message, 30, "wg7", changes, count), expected);
	peers = parse_set(message)[WGDEVICE_A_PEERS];
	nla_for_each_nested(entry, peers, left) check_change(entry, &changes[seen++]);
	assert_int_equal(left, 0);
	assert_int_equal(seen, expected);
	nlmsg_free(message);
}

static void test_set(void **state)
{
	const uint8_t first[32] = {1}, second[32] = {2}, preshared_key[32] = {3};
	const struct prefix prefixes[] = {prefix_of("10.64.0.1/32"), prefix_of("fd64::/64")};
	const struct address endpoint = address_of("192.0.2.7");
	const struct device_change changes[] = {
		{.public_key = first,
			.preshared_key = preshared_key,
			.sets_keepalive = true,
			.persistent_keepalive = 25,
			.endpoint = &endpoint,
			.endpoint_port = 4000,
			.allowed_ips = prefixes,
			.allowed_ip_count = 2},
		{.public_key = first, .flags = WGPEER_F_UPDATE_ONLY, .sets_keepalive = true},
		{.public_key = second, .flags = WGPEER_F_REMOVE_ME},
		{.public_key = second,
			.flags = WGPEER_F_REPLACE_ALLOWEDIPS,
			.allowed_ips = prefixes + 1,
			.allowed_ip_count = 1},
	};

	(void)state;
	check_set(changes, 4, 4);
}

static const void *built_endpoint(const struct device_change *change, int *length)
{
	static uint8_t bytes[64];
	struct nl_msg *message = nlmsg_alloc_size(DEVICE_SET_BYTES);
	struct nlattr *attributes[WGPEER_A_MAX + 1], *entry, *peers;
	int left;

	assert_int_equal(device_put_set(message, 30, "wg7", change, 1), 1);
	peers = parse_set(message)[WGDEVICE_A_PEERS];
	nla_for_each_nested(entry, peers, left)
		nla_parse_nested(attributes, WGPEER_A_MAX, entry, NULL);
	*length = nla_len(attributes[WGPEER_A_ENDPOINT]);
	memcpy(bytes, nla_data(attributes[WGPEER_A_ENDPOINT]), (size_t)*length);
	nlmsg_free(message);
	return bytes;
}

static void test_endpoints(void **state)
{
	const uint8_t key[32] = {1};
	struct address address = address_of("192.0.2.7");
	struct device_change change = {.public_key = key,
		.endpoint = &address,
		.endpoint_port = 4000,
		.endpoint_scope = 3};
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(4000)};
	struct sockaddr_in6 ipv6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(4000), .sin6_scope_id = 3};
	const void *built;
	int length;

	(void)state;
	memcpy(&ipv4.sin_addr, address.bytes, 4);
	built = built_endpoint(&change, &length);
	assert_int_equal(length, sizeof(ipv4));
	assert_memory_equal(built, &ipv4, sizeof(ipv4));
	address = address_of("fe80::7");
	memcpy(&ipv6.sin6_addr, address.bytes, 16);
	built = built_endpoint(&change, &length);
	assert_int_equal(length, sizeof(ipv6));
	assert_memory_equal(built, &ipv6, sizeof(ipv6));
}

/* More than a message holds: whole peers go in, the rest is left for the next. */
static void test_too_many(void **state)
{
	static struct prefix prefixes[64];
	static struct device_change changes[100];
	static uint8_t keys[100][32];
	struct nl_msg *tiny = nlmsg_alloc_size(100);
	struct nl_msg *message = nlmsg_alloc_size(DEVICE_SET_BYTES);
	int put;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		prefixes[i] = prefix_of("fd64::/128");
		prefixes[i].bytes[15] = (uint8_t)i;
	}
	for (size_t i = 0; i < 100; i++) {
		make_key(keys[i], (uint32_t)i);
		changes[i] = (struct device_change){.public_key = keys[i],
			.preshared_key = keys[i],
			.sets_keepalive = true,
			.allowed_ips = prefixes,
			.allowed_ip_count = 64};
	}
	put = device_put_set(message, 30, "wg7", changes, 100);
	assert_in_range(put, 5, 20);
	nlmsg_free(message);
	check_set(changes, 100, (size_t)put);
	check_set(changes + put, (size_t)(100 - put), (size_t)put);
	assert_int_equal(device_put_set(tiny, 30, "wg7", changes, 1), -EMSGSIZE);
	nlmsg_free(tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, set_up),
		cmocka_unit_test_setup(test_ipv6_endpoint, set_up),
		cmocka_unit_test_setup(test_split, set_up),
		cmocka_unit_test_setup(test_left_out, set_up),
		cmocka_unit_test_setup(test_no_peers, set_up),
		cmocka_unit_test_setup(test_no_progress, set_up),
		cmocka_unit_test_setup(test_endless, set_up),
		cmocka_unit_test_setup(test_reader_error, set_up),
		cmocka_unit_test_setup(test_wrong_sizes, set_up),
		cmocka_unit_test_setup(test_missing, set_up),
		cmocka_unit_test_setup(test_broken_allowed_ips, set_up),
		cmocka_unit_test_setup(test_truncated, set_up),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
