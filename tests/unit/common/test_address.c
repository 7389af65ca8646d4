/* SPDX-License-Identifier: ISC */
/* Addresses and prefixes: what parses, what doesn't, what overlaps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/address.h"

static struct prefix parse(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), 0);
	return prefix;
}

static void good_prefixes_come_back_as_text(void **state)
{
	static const char *const texts[] = {"0.0.0.0/0", "10.64.0.0/10", "10.64.0.7/32",
		"255.255.255.255/32", "128.0.0.0/1", "::/0", "fd64::/32", "fd64::1/128", "8000::/1",
		"fe80::/10", "2001:db8::/127"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct prefix prefix = parse(texts[i]);
		char text[PREFIX_TEXT_BYTES];

		assert_true(prefix_valid(&prefix));
		assert_string_equal(prefix_format(text, &prefix), texts[i]);
	}
	assert_int_equal(parse("10.0.0.1").length, 32);
	assert_int_equal(parse("fd64::1").length, 128);
}

static void bad_prefixes_are_refused(void **state)
{
	static const char *const texts[] = {"", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "::/129",
		"10.0.0/8", "10.0.0.0/08", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/-1",
		"10.0.0.0/+8", "10.0.0.0/8/8", "fd64::/", "fd64:::/32", "10.0.0.0/0x8",
		"10.0.0.256/32", "1::2::3/64", "10.0.0.0/9999999999999", "::ffff:10.0.0.0.0/96",
		"host/8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/64"};
	static const char *const host_bits[] = {
		"10.64.0.1/10", "10.0.0.1/31", "0.0.0.1/0", "fd64::1/127", "::1/0", "fd64::/8"};
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(prefix_parse(&prefix, texts[i]), -EINVAL);
	for (size_t i = 0; i < sizeof(host_bits) / sizeof(host_bits[0]); i++)
		assert_int_equal(prefix_parse(&prefix, host_bits[i]), -EDOM);
}

static void invalid_shapes_are_seen(void **state)
{
	struct prefix prefix = parse("10.64.0.0/10");
	struct address address = {.family = 4, .bytes = {10, 0, 0, 1}};

	(void)state;
	assert_true(address_valid(&address));
	address.bytes[4] = 1; /* behind an IPv4 address */
	assert_false(address_valid(&address));
	address = (struct address){.family = 5};
	assert_false(address_valid(&address));
	prefix.bytes[1] |= 1;
	assert_false(prefix_valid(&prefix));
	prefix = parse("10.64.0.0/10");
	prefix.length = 33;
	assert_false(prefix_valid(&prefix));
	prefix = parse("10.64.0.0/10");
	prefix.bytes[15] = 1;
	assert_false(prefix_valid(&prefix));
}

static void containment_and_overlap(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool contains, overlaps;
	} rows[] = {
		{"10.64.0.0/10", "10.64.0.0/10", true, true},
		{"10.64.0.0/10", "10.127.255.255/32", true, true},
		{"10.64.0.0/10", "10.128.0.0/32", false, false},
		{"10.64.0.7/32", "10.64.0.0/10", false, true},
		{"0.0.0.0/0", "10.64.0.7/32", true, true},
		{"0.0.0.0/0", "fd64::1/128", false, false},
		{"10.0.0.0/9", "10.128.0.0/9", false, false},
		{"fd64::/32", "fd64:0:ffff::1/128", true, true},
		{"fd64::/32", "fd65::1/128", false, false},
		{"fd64::/33", "fd64:0:8000::/33", false, false},
		{"::/0", "::/0", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix outer = parse(rows[i].outer), inner = parse(rows[i].inner);

		assert_int_equal(prefix_contains(&outer, &inner), rows[i].contains);
		assert_int_equal(prefix_overlaps(&outer, &inner), rows[i].overlaps);
		assert_int_equal(prefix_overlaps(&inner, &outer), rows[i].overlaps);
	}
}

static void addresses_format(void **state)
{
	struct address ipv4 = {.family = 4, .bytes = {192, 0, 2, 7}};
	struct address ipv6 = {.family = 6, .bytes = {0xfd, 0x64, [15] = 9}};
	struct address none = {0};
	char text[ADDRESS_TEXT_BYTES];

	(void)state;
	assert_string_equal(address_format(text, &ipv4), "192.0.2.7");
	assert_string_equal(address_format(text, &ipv6), "fd64::9");
	assert_string_equal(address_format(text, &none), "invalid");
	assert_true(address_equal(&ipv4, &ipv4));
	assert_false(address_equal(&ipv4, &ipv6));
}

static void lists_of_prefixes_are_cut(void **state)
{
	struct prefix prefixes[64];
	char text[PREFIX_LIST_TEXT_BYTES];
	size_t length;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		prefixes[i] = parse("1111:2222:3333:4444:5555:6666:7777:8888/128");
	assert_string_equal(prefix_list_format(text, prefixes, 0), "");
	prefixes[0] = parse("10.64.0.7/32");
	prefixes[1] = parse("fd64::/32");
	assert_string_equal(prefix_list_format(text, prefixes, 1), "10.64.0.7/32");
	assert_string_equal(prefix_list_format(text, prefixes, 2), "10.64.0.7/32,fd64::/32");
	length = strlen(prefix_list_format(text, prefixes, 64));
	assert_true(length < sizeof(text));
	assert_string_equal(text + length - strlen("8888/128,..."), "8888/128,...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_prefixes_come_back_as_text),
		cmocka_unit_test(bad_prefixes_are_refused),
		cmocka_unit_test(invalid_shapes_are_seen),
		cmocka_unit_test(containment_and_overlap),
		cmocka_unit_test(addresses_format),
		cmocka_unit_test(lists_of_prefixes_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
