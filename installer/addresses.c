/* SPDX-License-Identifier: ISC */
/* This host's own unicast addresses. */
#include "installer/addresses.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t zeros[16];

static bool ipv6_is_unicast(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return bytes[0] != 0xff && memcmp(bytes, zeros, 12) != 0 &&
	       memcmp(bytes, mapped, sizeof(mapped)) != 0;
}

bool address_is_unicast(const struct address *address)
{
	if (address->family == 6)
		return ipv6_is_unicast(address->bytes);
	return address->family == 4 && address->bytes[0] != 0 && address->bytes[0] != 127 &&
	       address->bytes[0] < 224;
}

bool address_is_link_local_ipv6(const struct address *address)
{
	return address->family == 6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

bool addresses_contain(const struct addresses *addresses, const struct address *address)
{
	for (uint32_t i = 0; i < addresses->count; i++) {
		if (address_equal(&addresses->item[i], address))
			return true;
	}
	return false;
}

bool addresses_equal(const struct addresses *a, const struct addresses *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (!addresses_contain(b, &a->item[i]))
			return false;
	}
	return true;
}

static void add(struct addresses *addresses, const struct address *address)
{
	if (!address_is_unicast(address) || addresses_contain(addresses, address))
		return;
	if (addresses->count == ADDRESSES_MAX)
		addresses->left_out++;
	else
		addresses->item[addresses->count++] = *address;
}

static bool is_in_use(uint32_t flags)
{
	if ((flags & IFA_F_DADFAILED) != 0)
		return false;
	return (flags & IFA_F_TENTATIVE) == 0 || (flags & IFA_F_OPTIMISTIC) != 0;
}

int addresses_parse(struct addresses *addresses, const struct nlmsghdr *header)
{
	struct nlattr *attributes[IFA_MAX + 1];
	const struct ifaddrmsg *body = nlmsg_data(header);
	const struct nlattr *local;
	struct address address = {.family = 0};
	uint32_t flags;
	int length;

	if (header->nlmsg_type != RTM_NEWADDR ||
		nlmsg_parse((struct nlmsghdr *)header, sizeof(*body), attributes, IFA_MAX, NULL) !=
			0)
		return -EBADMSG;
	if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6)
		return 0;
	length = body->ifa_family == AF_INET ? 4 : 16;
	/* With a peer address IFA_ADDRESS is the other side's. */
	local = attributes[IFA_LOCAL] != NULL ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	if (local == NULL || nla_len(local) != length)
		return -EBADMSG;
	flags = body->ifa_flags;
	if (attributes[IFA_FLAGS] != NULL) {
		if (nla_len(attributes[IFA_FLAGS]) != sizeof(flags))
			return -EBADMSG;
		flags = nla_get_u32(attributes[IFA_FLAGS]);
	}
	address.family = length == 4 ? 4 : 6;
	memcpy(address.bytes, nla_data(local), (size_t)length);
	if (is_in_use(flags))
		add(addresses, &address);
	return 0;
}
