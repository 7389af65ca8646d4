/* SPDX-License-Identifier: ISC */
/* Reading this host's addresses from RTM_NEWADDR messages. */
#include "installer/addresses.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdio.h>

#include "unit.h"

struct shown {
	const char *local, *address; /* IFA_LOCAL, IFA_ADDRESS; NULL: without */
	uint32_t flags;
	bool in_attribute; /* IFA_FLAGS */
	uint16_t type;
};

static void put_address(struct nl_msg *message, int type, const char *text)
{
	struct address address;

	if (text == NULL)
		return;
	address = address_of(text);
	assert_int_equal(nla_put(message, type, address.family == 4 ? 4 : 16, address.bytes), 0);
}

static int parse(struct addresses *addresses, const struct shown *shown)
{
	struct nl_msg *message =
		nlmsg_alloc_simple(shown->type != 0 ? shown->type : RTM_NEWADDR, 0);
	const char *any = shown->local != NULL ? shown->local : shown->address;
	struct ifaddrmsg body = {.ifa_family = strchr(any, ':') != NULL ? AF_INET6 : AF_INET};
	int error;

	if (!shown->in_attribute)
		body.ifa_flags = (uint8_t)shown->flags;
	assert_int_equal(nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO), 0);
	put_address(message, IFA_LOCAL, shown->local);
	put_address(message, IFA_ADDRESS, shown->address);
	if (shown->in_attribute)
		assert_int_equal(nla_put_u32(message, IFA_FLAGS, shown->flags), 0);
	error = addresses_parse(addresses, nlmsg_hdr(message));
	nlmsg_free(message);
	return error;
}

static void test_kinds(void **state)
{
	static const struct {
		struct shown shown;
		const char *kept;
	} cases[] = {
		{{.local = "192.0.2.1", .address = "192.0.2.1"}, "192.0.2.1"},
		{{.local = "192.0.2.1", .address = "192.0.2.9"}, "192.0.2.1"}, /* with a peer */
		{{.address = "2001:db8::1"}, "2001:db8::1"},
		{{.local = "2001:db8::1", .address = "2001:db8::9"}, "2001:db8::1"},
		{{.address = "fe80::1"}, "fe80::1"},
		{{.address = "2001:db8::1", .flags = IFA_F_TENTATIVE}, NULL},
		{{.address = "2001:db8::1", .flags = IFA_F_TENTATIVE, .in_attribute = true}, NULL},
		{{.address = "2001:db8::1", .flags = IFA_F_DADFAILED}, NULL},
		{{.address = "2001:db8::1", .flags = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC},
			"2001:db8::1"},
		{{.address = "2001:db8::1", .flags = IFA_F_MANAGETEMPADDR, .in_attribute = true},
			"2001:db8::1"},
		{{.local = "127.0.0.1"}, NULL},
		{{.address = "::1"}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addresses addresses = {.count = 0};

		assert_int_equal(parse(&addresses, &cases[i].shown), 0);
		assert_int_equal(addresses.count, cases[i].kept != NULL);
		if (cases[i].kept != NULL) {
			struct address kept = address_of(cases[i].kept);

			assert_true(addresses_contain(&addresses, &kept));
		}
	}
}

static void test_garbage(void **state)
{
	struct addresses addresses = {.count = 0};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct ifaddrmsg body = {.ifa_family = AF_INET};

	(void)state;
	assert_int_equal(
		parse(&addresses, &(struct shown){.local = "192.0.2.1", .type = RTM_DELADDR}),
		-EBADMSG);
	assert_int_equal(addresses_parse(&addresses, nlmsg_hdr(message)), -EBADMSG);
	nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO);
	assert_int_equal(addresses_parse(&addresses, nlmsg_hdr(message)), -EBADMSG);
	nla_put(message, IFA_LOCAL, 3, "abc");
	assert_int_equal(addresses_parse(&addresses, nlmsg_hdr(message)), -EBADMSG);
	assert_int_equal(addresses.count, 0);
	nlmsg_free(message);
}

static void test_bounded(void **state)
{
	struct addresses addresses = {.count = 0};
	char text[ADDRESS_TEXT_BYTES];

	(void)state;
	for (unsigned i = 0; i < ADDRESSES_MAX + 3; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250 + 1);
		assert_int_equal(parse(&addresses, &(struct shown){.local = text}), 0);
		assert_int_equal(parse(&addresses, &(struct shown){.local = text}), 0);
	}
	assert_int_equal(addresses.count, ADDRESSES_MAX);
	assert_int_equal(addresses.left_out, 6);
}

static void test_equal(void **state)
{
	struct addresses a = {.count = 2, .item = {address_of("192.0.2.1"), address_of("::2")}};
	struct addresses b = {.count = 2, .item = {address_of("::2"), address_of("192.0.2.1")}};

	(void)state;
	assert_true(addresses_equal(&a, &b));
	b.item[0] = address_of("::3");
	assert_false(addresses_equal(&a, &b));
	b.count = 1;
	b.item[0] = a.item[0];
	assert_false(addresses_equal(&a, &b));
	assert_false(addresses_equal(&b, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
