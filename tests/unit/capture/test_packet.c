/* SPDX-License-Identifier: ISC */
/* What the packet socket gives: right packets of both families, and everything that isn't one. */
#include "unit.h"

#include <linux/if_packet.h>
#include <stdlib.h>

#include "capture/packet.h"

enum { UDP_BYTES = 8 + 148 };

static const uint8_t ipv4_source[4] = {203, 0, 113, 9};
static const uint8_t ipv4_destination[4] = {192, 0, 2, 1};
static const uint8_t ipv6_source[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 9};
static const uint8_t ipv6_destination[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 1};

/* Bytes of a packet, with room for more of them. */
struct bytes {
	uint8_t at[400];
	size_t count;
};

static void store_be16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void append_udp(struct bytes *bytes)
{
	uint8_t *udp = bytes->at + bytes->count;

	memset(udp, 0, UDP_BYTES);
	store_be16(udp, 40000);
	store_be16(udp + 2, 51820);
	store_be16(udp + 4, UDP_BYTES);
	store_be16(udp + 6, 0xbeef); /* unfinished: never looked at */
	udp[8] = 1;
	for (uint8_t i = 4; i < 148; i++)
		udp[8 + i] = i;
	bytes->count += UDP_BYTES;
}

static struct bytes ipv4_packet(size_t option_bytes)
{
	struct bytes bytes = {.count = 20 + option_bytes};

	append_udp(&bytes);
	bytes.at[0] = (uint8_t)(0x40 | (bytes.count - UDP_BYTES) / 4);
	store_be16(bytes.at + 2, bytes.count);
	store_be16(bytes.at + 6, 0x4000); /* don't fragment */
	bytes.at[8] = 64;
	bytes.at[9] = 17;
	memcpy(bytes.at + 12, ipv4_source, 4);
	memcpy(bytes.at + 16, ipv4_destination, 4);
	memset(bytes.at + 20, 1, option_bytes); /* no operation */
	return bytes;
}

static struct bytes ipv6_packet(void)
{
	struct bytes bytes = {.count = 40};

	append_udp(&bytes);
	bytes.at[0] = 0x60;
	store_be16(bytes.at + 4, UDP_BYTES);
	bytes.at[6] = 17;
	bytes.at[7] = 64;
	memcpy(bytes.at + 8, ipv6_source, 16);
	memcpy(bytes.at + 24, ipv6_destination, 16);
	return bytes;
}

/* Parsed from memory that ends where the bytes end, so that a sanitizer sees a read behind. */
static enum packet_verdict parse(struct packet *packet, const struct bytes *bytes)
{
	uint8_t *exact = malloc(bytes->count > 0 ? bytes->count : 1);
	enum packet_verdict verdict;

	assert_non_null(exact);
	memcpy(exact, bytes->at, bytes->count);
	memset(packet, 0xa5, sizeof(*packet));
	verdict = packet_parse(packet, exact, bytes->count, PACKET_HOST);
	free(exact);
	return verdict;
}

static enum packet_verdict verdict_of(const struct bytes *bytes)
{
	struct packet packet, untouched;
	enum packet_verdict verdict = parse(&packet, bytes);

	memset(&untouched, 0xa5, sizeof(untouched));
	if (verdict != PACKET_OK)
		assert_memory_equal(&packet, &untouched, sizeof(packet));
	return verdict;
}

static void check_ports_and_message(const struct packet *packet)
{
	assert_int_equal(packet->source_port, 40000);
	assert_int_equal(packet->destination_port, 51820);
	assert_int_equal(packet->initiation[0], 1);
	assert_zeroed(packet->initiation + 1, 3);
	for (uint8_t i = 4; i < 148; i++)
		assert_int_equal(packet->initiation[i], i);
}

static void test_ipv4(void **state)
{
	struct packet packet;

	(void)state;
	for (size_t option_bytes = 0; option_bytes <= 40; option_bytes += 4) {
		struct bytes bytes = ipv4_packet(option_bytes);

		assert_int_equal(parse(&packet, &bytes), PACKET_OK);
		assert_int_equal(packet.source.family, 4);
		assert_memory_equal(packet.source.bytes, ipv4_source, 4);
		assert_int_equal(packet.destination.family, 4);
		assert_memory_equal(packet.destination.bytes, ipv4_destination, 4);
		assert_true(address_valid(&packet.source));
		assert_true(address_valid(&packet.destination));
		check_ports_and_message(&packet);
		assert_true(bytes.count <= PACKET_BYTES_MAX);
	}
}

static void test_ipv6(void **state)
{
	struct bytes bytes = ipv6_packet();
	struct packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &bytes), PACKET_OK);
	assert_int_equal(packet.source.family, 6);
	assert_memory_equal(packet.source.bytes, ipv6_source, 16);
	assert_int_equal(packet.destination.family, 6);
	assert_memory_equal(packet.destination.bytes, ipv6_destination, 16);
	check_ports_and_message(&packet);
	assert_true(bytes.count <= PACKET_BYTES_MAX);
}

static void test_padding_behind(void **state)
{
	struct bytes bytes = ipv4_packet(0);
	struct packet packet;

	(void)state;
	bytes.count += 6;
	assert_int_equal(parse(&packet, &bytes), PACKET_OK);
	check_ports_and_message(&packet);
	bytes = ipv6_packet();
	bytes.count += 6;
	assert_int_equal(parse(&packet, &bytes), PACKET_OK);
	check_ports_and_message(&packet);
}

static void test_truncated_at_every_byte(void **state)
{
	struct bytes whole[] = {ipv4_packet(0), ipv4_packet(40), ipv6_packet()};

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		struct bytes bytes = whole[i];

		for (bytes.count = 0; bytes.count < whole[i].count; bytes.count++)
			assert_int_equal(verdict_of(&bytes), PACKET_MALFORMED);
	}
}

/* Every value that the IP header's and UDP's lengths can have: one is right. */
static void test_every_length(void **state)
{
	(void)state;
	for (size_t length = 0; length <= 0xffff; length++) {
		struct bytes ipv4 = ipv4_packet(0), ipv6 = ipv6_packet(), udp = ipv4_packet(0);

		store_be16(ipv4.at + 2, length);
		assert_int_equal(verdict_of(&ipv4) == PACKET_OK, length == 20 + UDP_BYTES);
		store_be16(ipv6.at + 4, length);
		assert_int_equal(verdict_of(&ipv6) == PACKET_OK, length == UDP_BYTES);
		store_be16(udp.at + 20 + 4, length);
		assert_int_equal(verdict_of(&udp) == PACKET_OK, length == UDP_BYTES);
		store_be16(ipv6.at + 4, UDP_BYTES);
		store_be16(ipv6.at + 40 + 4, length);
		assert_int_equal(verdict_of(&ipv6) == PACKET_OK, length == UDP_BYTES);
	}
}

/* IP and UDP agree with each other and with what was received, but it is no initiation's length. */
static void test_other_message_lengths(void **state)
{
	(void)state;
	for (size_t more = 0; more < 8; more++) {
		struct bytes ipv4 = ipv4_packet(0), ipv6 = ipv6_packet();
		size_t udp_bytes = UDP_BYTES - 4 + more;

		ipv4.count = 20 + udp_bytes;
		store_be16(ipv4.at + 2, ipv4.count);
		store_be16(ipv4.at + 24, udp_bytes);
		assert_int_equal(verdict_of(&ipv4), more == 4 ? PACKET_OK : PACKET_OTHER_KIND);
		ipv6.count = 40 + udp_bytes;
		store_be16(ipv6.at + 4, udp_bytes);
		store_be16(ipv6.at + 44, udp_bytes);
		assert_int_equal(verdict_of(&ipv6), more == 4 ? PACKET_OK : PACKET_OTHER_KIND);
	}
}

static void test_header_lengths_and_versions(void **state)
{
	(void)state;
	for (unsigned int first = 0; first <= 0xff; first++) {
		struct bytes ipv4 = ipv4_packet(0), ipv6 = ipv6_packet();

		ipv4.at[0] = (uint8_t)first;
		assert_int_equal(verdict_of(&ipv4) == PACKET_OK, first == 0x45);
		ipv6.at[0] = (uint8_t)first; /* the lower half is part of the traffic class */
		assert_int_equal(verdict_of(&ipv6) == PACKET_OK, first >> 4 == 6);
	}
}

/* A header shorter than one can be, all else in keeping: UDP begins where the destination lies. */
static void test_short_header(void **state)
{
	struct bytes bytes = ipv4_packet(0);

	(void)state;
	bytes.at[0] = 0x44;
	store_be16(bytes.at + 2, 16 + UDP_BYTES);
	memmove(bytes.at + 16, bytes.at + 20, UDP_BYTES);
	assert_int_equal(verdict_of(&bytes), PACKET_MALFORMED);
}

static void test_fragments(void **state)
{
	(void)state;
	for (size_t bits = 0; bits <= 0xffff; bits++) {
		struct bytes bytes = ipv4_packet(0);
		bool whole = (bits & 0x3fff) == 0;

		store_be16(bytes.at + 6, bits);
		assert_int_equal(verdict_of(&bytes), whole ? PACKET_OK : PACKET_UNSUPPORTED);
	}
}

/* Among them IPv6's extension headers: hop-by-hop 0, routing 43, fragment 44, options 60. */
static void test_every_protocol(void **state)
{
	(void)state;
	for (unsigned int protocol = 0; protocol <= 0xff; protocol++) {
		struct bytes ipv4 = ipv4_packet(0), ipv6 = ipv6_packet();
		enum packet_verdict expected = protocol == 17 ? PACKET_OK : PACKET_UNSUPPORTED;

		ipv4.at[9] = (uint8_t)protocol;
		assert_int_equal(verdict_of(&ipv4), expected);
		ipv6.at[6] = (uint8_t)protocol;
		assert_int_equal(verdict_of(&ipv6), expected);
	}
}

/* A fragment header that says "whole packet" and UDP behind it: refused all the same. */
static void test_extension_header(void **state)
{
	struct bytes bytes = ipv6_packet();

	(void)state;
	memmove(bytes.at + 48, bytes.at + 40, UDP_BYTES);
	memset(bytes.at + 40, 0, 8);
	bytes.at[6] = 44;
	bytes.at[40] = 17;
	bytes.count += 8;
	store_be16(bytes.at + 4, UDP_BYTES + 8);
	assert_int_equal(verdict_of(&bytes), PACKET_UNSUPPORTED);
}

/* The type and its reserved bytes: one bit is enough. */
static void test_each_type_bit_flipped(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 32; bit++) {
		struct bytes ipv4 = ipv4_packet(8), ipv6 = ipv6_packet();

		ipv4.at[28 + 8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(verdict_of(&ipv4), PACKET_OTHER_KIND);
		ipv6.at[40 + 8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(verdict_of(&ipv6), PACKET_OTHER_KIND);
	}
}

static void test_ports(void **state)
{
	(void)state;
	for (size_t at = 0; at < 4; at += 2) {
		struct bytes ipv4 = ipv4_packet(0), ipv6 = ipv6_packet();

		store_be16(ipv4.at + 20 + at, 0);
		assert_int_equal(verdict_of(&ipv4), PACKET_BAD_ADDRESS);
		store_be16(ipv6.at + 40 + at, 0);
		assert_int_equal(verdict_of(&ipv6), PACKET_BAD_ADDRESS);
		store_be16(ipv6.at + 40 + at, 0xffff);
		assert_int_equal(verdict_of(&ipv6), PACKET_OK);
	}
}

struct address_case {
	uint8_t bytes[16];
	enum packet_verdict verdict;
};

static void test_ipv4_addresses(void **state)
{
	static const struct address_case cases[] = {
		{{0, 0, 0, 0}, PACKET_BAD_ADDRESS},
		{{0, 255, 255, 255}, PACKET_BAD_ADDRESS},
		{{1, 0, 0, 0}, PACKET_OK},
		{{10, 64, 0, 7}, PACKET_OK},
		{{126, 255, 255, 255}, PACKET_OK},
		{{127, 0, 0, 0}, PACKET_BAD_ADDRESS},
		{{127, 255, 255, 255}, PACKET_BAD_ADDRESS},
		{{128, 0, 0, 0}, PACKET_OK},
		{{223, 255, 255, 255}, PACKET_OK},
		{{224, 0, 0, 0}, PACKET_BAD_ADDRESS},
		{{239, 255, 255, 255}, PACKET_BAD_ADDRESS},
		{{240, 0, 0, 1}, PACKET_OK}, /* Linux routes class E as unicast */
		{{255, 255, 255, 254}, PACKET_OK},
		{{255, 255, 255, 255}, PACKET_BAD_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t at = 12; at <= 16; at += 4) {
			struct bytes bytes = ipv4_packet(0);

			memcpy(bytes.at + at, cases[i].bytes, 4);
			assert_int_equal(verdict_of(&bytes), cases[i].verdict);
		}
	}
}

static void test_ipv6_addresses(void **state)
{
	static const struct address_case cases[] = {
		{{0}, PACKET_BAD_ADDRESS},
		{{[15] = 1}, PACKET_BAD_ADDRESS},
		{{[15] = 2}, PACKET_OK},
		{{[14] = 1}, PACKET_OK},
		{{0xff, 0x02, [15] = 1}, PACKET_BAD_ADDRESS},
		{{0xff, 0xff}, PACKET_BAD_ADDRESS},
		{{0xfe, 0x80, [15] = 1}, PACKET_OK},
		{{0xfd, 0x64, [15] = 1}, PACKET_OK},
		{{[10] = 0xff, 0xff, 192, 0, 2, 1}, PACKET_BAD_ADDRESS},
		{{[10] = 0xff, 0xfe, 192, 0, 2, 1}, PACKET_OK},
		{{[9] = 1, 0xff, 0xff, 192, 0, 2, 1}, PACKET_OK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t at = 8; at <= 24; at += 16) {
			struct bytes bytes = ipv6_packet();

			memcpy(bytes.at + at, cases[i].bytes, 16);
			assert_int_equal(verdict_of(&bytes), cases[i].verdict);
		}
	}
}

static void test_only_packets_for_this_host(void **state)
{
	struct bytes bytes = ipv4_packet(0);
	struct packet packet;

	(void)state;
	for (unsigned int type = 0; type <= 0xff; type++) {
		enum packet_verdict expected = type == PACKET_HOST ? PACKET_OK : PACKET_OTHER_HOST;

		assert_int_equal(
			packet_parse(&packet, bytes.at, bytes.count, (uint8_t)type), expected);
	}
}

/* Random bytes, and right packets with some bytes changed: never read behind, never half filled. */
static void test_random_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct bytes bytes =
			i % 2 == 0 ? ipv4_packet(4 * randombytes_uniform(11)) : ipv6_packet();

		for (uint32_t n = randombytes_uniform(6); n > 0; n--)
			bytes.at[randombytes_uniform(60)] = (uint8_t)randombytes_random();
		if (i % 3 == 0)
			bytes.count = randombytes_uniform((uint32_t)bytes.count + 1);
		(void)verdict_of(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_padding_behind),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_other_message_lengths),
		cmocka_unit_test(test_header_lengths_and_versions),
		cmocka_unit_test(test_short_header),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_every_protocol),
		cmocka_unit_test(test_extension_header),
		cmocka_unit_test(test_each_type_bit_flipped),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ipv4_addresses),
		cmocka_unit_test(test_ipv6_addresses),
		cmocka_unit_test(test_only_packets_for_this_host),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests_name("packet", tests, start_sodium, NULL);
}
