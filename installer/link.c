/* SPDX-License-Identifier: ISC */
/* What the interface is. */
#include "installer/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool kind_is_wireguard(struct nlattr *information)
{
	struct nlattr *attributes[IFLA_INFO_MAX + 1];
	const struct nlattr *kind;

	if (information == NULL ||
		nla_parse_nested(attributes, IFLA_INFO_MAX, information, NULL) != 0)
		return false;
	kind = attributes[IFLA_INFO_KIND];
	return kind != NULL && nla_len(kind) == sizeof("wireguard") &&
	       memcmp(nla_data(kind), "wireguard", sizeof("wireguard")) == 0;
}

int link_parse(struct link *link, const struct nlmsghdr *header)
{
	struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *body = nlmsg_data(header);

	if (header->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse((struct nlmsghdr *)header, sizeof(*body), attributes, IFLA_MAX, NULL) !=
			0)
		return -EBADMSG;
	link->interface_index = (uint32_t)body->ifi_index;
	link->is_up = (body->ifi_flags & IFF_UP) != 0;
	link->is_wireguard = kind_is_wireguard(attributes[IFLA_LINKINFO]);
	return 0;
}

static int handle_link(void *context, const struct nlmsghdr *header)
{
	return link_parse(context, header);
}

int link_read(struct netlink *route, const char *interface, struct link *link)
{
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK);
	struct ifinfomsg body = {.ifi_family = AF_UNSPEC};
	int error = -ENOMEM;

	if (request != NULL && nlmsg_append(request, &body, sizeof(body), NLMSG_ALIGNTO) == 0 &&
		nla_put_string(request, IFLA_IFNAME, interface) == 0)
		error = netlink_ask(route, request, handle_link, link);
	netlink_free_message(request);
	return error;
}

static int bind_result(int family, const void *address, socklen_t length)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int error;

	if (fd < 0)
		return -errno;
	error = bind(fd, address, length) == 0 ? 0 : -errno;
	close(fd);
	return error;
}

int link_port_taken(uint16_t port)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int result = bind_result(AF_INET, &ipv4, sizeof(ipv4));

	if (result == -EADDRINUSE)
		return 1;
	return result;
}
