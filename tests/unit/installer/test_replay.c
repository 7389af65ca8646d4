/* SPDX-License-Identifier: ISC */
/*
 * The packets that are replayed, compared with ones that the kernel made: Debian's 6.1 sent the same
 * payload from a UDP socket over a veth with transmit checksum offload off, TTL (hop limit) 1, don't
 * fragment and net.ipv6.auto_flowlabels=0; a packet socket recorded them.
 */
#include "installer/replay.h"

#include "unit.h"

static const uint8_t ipv4_headers[] = {0x45, 0x00, 0x00, 0xb0, 0x00, 0x00, 0x40, 0x00, 0x01, 0x11,
	0xf4, 0xee, 0xc0, 0x00, 0x02, 0x4d, 0xc0, 0x00, 0x02, 0x01, 0x9c, 0x41, 0xca, 0x6c, 0x00,
	0x9c, 0x4e, 0xfd};
static const uint8_t ipv6_headers[] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x11, 0x01, 0x20, 0x01,
	0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x77, 0x20,
	0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x9c, 0x41, 0xca, 0x6c, 0x00, 0x9c, 0x77, 0x62};

/* Payload's last two bytes that make the checksum 0, which goes out as 0xffff. */
static const uint8_t ipv4_zero_end[] = {0x34, 0xea}, ipv6_zero_end[] = {0x5d, 0x4f};

static struct message_demand demand_of(const char *source, const char *destination)
{
	struct message_demand demand = {.id = 1,
		.source = address_of(source),
		.source_port = 40001,
		.destination = address_of(destination),
		.destination_port = 51820,
		.initiation = {1}};

	for (unsigned i = 0; i < 144; i++)
		demand.initiation[4 + i] = (uint8_t)(i * 7 + 3);
	return demand;
}

static void check_packet(struct message_demand *demand, const uint8_t *headers, size_t length)
{
	uint8_t packet[REPLAY_IPV6_BYTES];

	assert_int_equal(replay_build(packet, demand), length + WIREGUARD_INITIATION_BYTES);
	assert_memory_equal(packet, headers, length);
	assert_memory_equal(packet + length, demand->initiation, WIREGUARD_INITIATION_BYTES);
}

static void test_ipv4(void **state)
{
	struct message_demand demand = demand_of("192.0.2.77", "192.0.2.1");
	uint8_t headers[sizeof(ipv4_headers)];

	(void)state;
	check_packet(&demand, ipv4_headers, sizeof(ipv4_headers));
	memcpy(demand.initiation + 146, ipv4_zero_end, 2);
	memcpy(headers, ipv4_headers, sizeof(headers));
	headers[26] = headers[27] = 0xff;
	check_packet(&demand, headers, sizeof(headers));
}

static void test_ipv6(void **state)
{
	struct message_demand demand = demand_of("2001:db8::77", "2001:db8::1");
	uint8_t headers[sizeof(ipv6_headers)];

	(void)state;
	check_packet(&demand, ipv6_headers, sizeof(ipv6_headers));
	memcpy(demand.initiation + 146, ipv6_zero_end, 2);
	memcpy(headers, ipv6_headers, sizeof(headers));
	headers[46] = headers[47] = 0xff;
	check_packet(&demand, headers, sizeof(headers));
}

static void set_local(struct addresses *local)
{
	*local = (struct addresses){.count = 4,
		.item = {address_of("192.0.2.1"), address_of("198.51.100.1"),
			address_of("2001:db8::1"), address_of("fe80::1")}};
}

static void test_admitted(void **state)
{
	struct message_demand ipv4 = demand_of("203.0.113.9", "192.0.2.1");
	struct message_demand ipv6 = demand_of("2001:db8:1::9", "2001:db8::1");
	struct addresses local;

	(void)state;
	set_local(&local);
	assert_null(replay_refusal(&ipv4, &local, 51820));
	assert_null(replay_refusal(&ipv6, &local, 51820));
}

static void test_refused(void **state)
{
	static const struct {
		const char *source, *destination;
	} cases[] = {
		{"203.0.113.9", "192.0.2.2"}, /* not an address of this host */
		{"203.0.113.9", "8.8.8.8"},   /* would leave the machine */
		{"203.0.113.9", "255.255.255.255"},
		{"203.0.113.9", "224.0.0.1"},
		{"203.0.113.9", "127.0.0.1"},
		{"198.51.100.1", "192.0.2.1"}, /* from ourselves */
		{"192.0.2.1", "192.0.2.1"},
		{"127.0.0.1", "192.0.2.1"},
		{"0.0.0.0", "192.0.2.1"},
		{"0.1.2.3", "192.0.2.1"},
		{"224.0.0.1", "192.0.2.1"},
		{"240.0.0.1", "192.0.2.1"},
		{"255.255.255.255", "192.0.2.1"},
		{"2001:db8:1::9", "192.0.2.1"}, /* of two families */
		{"203.0.113.9", "2001:db8::1"},
		{"::", "2001:db8::1"},
		{"::1", "2001:db8::1"},
		{"::ffff:203.0.113.9", "2001:db8::1"},
		{"::203.0.113.9", "2001:db8::1"},
		{"ff02::1", "2001:db8::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:db8:1::9", "2001:db8::2"},
		{"2001:db8:1::9", "ff02::1"},
		{"fe80::9", "2001:db8::1"}, /* link-local */
		{"febf::9", "2001:db8::1"},
		{"2001:db8:1::9", "fe80::1"},
	};
	struct addresses local;

	(void)state;
	set_local(&local);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_demand demand = demand_of(cases[i].source, cases[i].destination);

		if (replay_refusal(&demand, &local, 51820) == NULL)
			fail_msg("replayed from %s to %s", cases[i].source, cases[i].destination);
	}
}

static void test_ports(void **state)
{
	struct message_demand demand = demand_of("203.0.113.9", "192.0.2.1");
	struct addresses local;

	(void)state;
	set_local(&local);
	assert_non_null(replay_refusal(&demand, &local, 51821));
	assert_non_null(replay_refusal(&demand, &local, 0));
	demand.source_port = 0;
	assert_non_null(replay_refusal(&demand, &local, 51820));
	demand.source_port = demand.destination_port = 0;
	assert_non_null(replay_refusal(&demand, &local, 0));
}

static void test_type(void **state)
{
	struct message_demand demand = demand_of("203.0.113.9", "192.0.2.1");
	struct addresses local;

	(void)state;
	set_local(&local);
	for (unsigned byte = 0; byte < 4; byte++) {
		demand.initiation[byte] ^= 2;
		assert_non_null(replay_refusal(&demand, &local, 51820));
		demand.initiation[byte] ^= 2;
	}
	assert_null(replay_refusal(&demand, &local, 51820));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_admitted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
