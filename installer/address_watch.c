/* SPDX-License-Identifier: ISC */
/* Keeps the list of this host's addresses up to date. */
#include "installer/address_watch.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/log.h"
#include "installer/announce.h"

#define READ_ATTEMPTS  3 /* a dump during which an address changes is asked for again */
#define NOTICES_A_TURN 1024

static int handle_address(void *context, const struct nlmsghdr *header)
{
	return addresses_parse(context, header);
}

static int read_once(struct netlink *route, struct addresses *addresses)
{
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP);
	struct ifaddrmsg body = {.ifa_family = AF_UNSPEC};
	int error = -ENOMEM;

	addresses->count = addresses->left_out = 0;
	if (request != NULL && nlmsg_append(request, &body, sizeof(body), NLMSG_ALIGNTO) == 0)
		error = netlink_ask(route, request, handle_address, addresses);
	netlink_free_message(request);
	return error;
}

static int read_addresses(struct netlink *route, struct addresses *addresses)
{
	int error = -EINTR;

	for (unsigned i = 0; i < READ_ATTEMPTS && error == -EINTR; i++)
		error = read_once(route, addresses);
	return error;
}

int address_watch_open(struct installer *installer)
{
	int error =
		netlink_open(&installer->route, NETLINK_ROUTE, installer->secrets->netlink_buffer);

	if (error == 0)
		error = netlink_open(
			&installer->notices, NETLINK_ROUTE, installer->secrets->netlink_buffer);
	if (error == 0)
		error = netlink_error(nl_socket_add_memberships(
			installer->notices.socket, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0));
	return error != 0 ? error : read_addresses(&installer->route, &installer->addresses);
}

/* Whether anything changed, seen or missed. */
static bool take_notices(struct installer *installer)
{
	bool any = false;

	for (unsigned i = 0; i < NOTICES_A_TURN; i++) {
		ssize_t length = netlink_receive(&installer->notices);

		if (length == -EAGAIN)
			break;
		any = true;
		if (length < 0 && length != -ENOBUFS && length != -EMSGSIZE)
			break;
	}
	return any;
}

void address_watch_refresh(struct installer *installer)
{
	struct addresses now;
	int error;

	if (!take_notices(installer))
		return;
	error = read_addresses(&installer->route, &now);
	if (error != 0) {
		/* Rather none than one that is no longer ours: the clients' retries still connect. */
		log_event(LOG_LEVEL_WARNING, "addresses_unknown", "error=\"%s\"", strerror(-error));
		now.count = now.left_out = 0;
	}
	if (now.left_out > 0 && now.left_out != installer->addresses.left_out)
		log_event(LOG_LEVEL_WARNING, "addresses_left_out", "count=%u limit=%u",
			now.left_out, ADDRESSES_MAX);
	if (!addresses_equal(&now, &installer->addresses))
		announce_addresses(installer);
	installer->addresses = now;
}
