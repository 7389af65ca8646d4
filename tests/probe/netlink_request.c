/* SPDX-License-Identifier: ISC */
/* Single netlink requests. */
#include "netlink_request.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <string.h>
#include <sys/socket.h>

#include "attempt.h"

/* NLMSG_ALIGN, in a type that its argument has. */
static uint32_t aligned(uint32_t size)
{
	return (size + 3) & ~3U;
}

struct netlink_request request_new(uint16_t type, uint16_t flags)
{
	return (struct netlink_request){.header = {.nlmsg_len = sizeof(struct nlmsghdr),
						.nlmsg_type = type,
						.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
						.nlmsg_seq = 1}};
}

void request_add(struct netlink_request *request, const void *bytes, size_t size)
{
	memcpy((uint8_t *)request + request->header.nlmsg_len, bytes, size);
	request->header.nlmsg_len = aligned(request->header.nlmsg_len + (uint32_t)size);
}

void request_add_attribute(
	struct netlink_request *request, uint16_t type, const void *bytes, size_t size)
{
	struct nlattr attribute = {
		.nla_len = (uint16_t)(sizeof(attribute) + size), .nla_type = type};

	request_add(request, &attribute, sizeof(attribute));
	request_add(request, bytes, size);
}

struct netlink_request request_generic(
	uint16_t family, uint16_t flags, uint8_t command, uint8_t version)
{
	struct netlink_request request = request_new(family, flags);
	struct genlmsghdr generic = {.cmd = command, .version = version};

	request_add(&request, &generic, sizeof(generic));
	return request;
}

static int send_request(int fd, struct netlink_request *request, bool by_sendmsg)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec part = {.iov_base = request, .iov_len = request->header.nlmsg_len};
	struct msghdr header = {.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = &part,
		.msg_iovlen = 1};
	ssize_t sent;

	if (by_sendmsg)
		sent = sendmsg(fd, &header, 0);
	else
		sent = sendto(
			fd, request, request->header.nlmsg_len, 0, (void *)&kernel, sizeof(kernel));
	return sent < 0 ? -errno : 0;
}

int request_ask(int fd, struct netlink_request *request, bool by_sendmsg, void *answer, size_t size)
{
	struct iovec part = {.iov_base = answer, .iov_len = size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	const struct nlmsghdr *first = answer;
	int error = send_request(fd, request, by_sendmsg);
	ssize_t length;

	if (error != 0)
		return error;
	length = recvmsg(fd, &header, 0);
	if (length < (ssize_t)sizeof(*first))
		return length < 0 ? -errno : -EBADMSG;
	if (first->nlmsg_type == NLMSG_ERROR) {
		error = ((const struct nlmsgerr *)NLMSG_DATA(first))->error;
		return error < 0 ? error : (int)length;
	}
	return (int)length;
}

/* The attribute of that type in a generic answer, or NULL. */
static const struct nlattr *find_attribute(const uint8_t *answer, int length, uint16_t type)
{
	uint32_t end = (uint32_t)length, at = sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr);

	while (at + sizeof(struct nlattr) <= end) {
		const struct nlattr *attribute = (const void *)(answer + at);

		if (attribute->nla_type == type)
			return attribute;
		if (attribute->nla_len < sizeof(struct nlattr))
			break;
		at += aligned(attribute->nla_len);
	}
	return NULL;
}

int request_family(int fd, const char *name, bool by_sendmsg)
{
	struct netlink_request request = request_generic(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	uint8_t answer[8192] __attribute__((aligned(4)));
	const struct nlattr *found;
	uint16_t family;
	int length;

	request_add_attribute(&request, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	length = request_ask(fd, &request, by_sendmsg, answer, sizeof(answer));
	if (length < 0)
		return length;
	found = find_attribute(answer, length, CTRL_ATTR_FAMILY_ID);
	if (found == NULL)
		return -EBADMSG;
	memcpy(&family, found + 1, sizeof(family));
	return family;
}

int request_private_key(int fd, bool by_sendmsg)
{
	uint8_t answer[8192] __attribute__((aligned(4)));
	struct netlink_request request;
	int length, family = request_family(fd, WG_GENL_NAME, by_sendmsg);

	if (family < 0)
		return family;
	request = request_generic((uint16_t)family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);
	request_add_attribute(
		&request, WGDEVICE_A_IFNAME, PROBE_INTERFACE, sizeof(PROBE_INTERFACE));
	length = request_ask(fd, &request, by_sendmsg, answer, sizeof(answer));
	if (length < 0)
		return length;
	return find_attribute(answer, length, WGDEVICE_A_PRIVATE_KEY) != NULL ? 0 : -ENOKEY;
}

int request_link_change(int fd, int link, bool by_sendmsg)
{
	struct netlink_request request = request_new(RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg which = {.ifi_family = AF_UNSPEC, .ifi_index = link};
	uint32_t packets = 999;
	uint8_t answer[1024] __attribute__((aligned(4)));
	int length;

	request_add(&request, &which, sizeof(which));
	request_add_attribute(&request, IFLA_TXQLEN, &packets, sizeof(packets));
	length = request_ask(fd, &request, by_sendmsg, answer, sizeof(answer));
	return length < 0 ? length : 0;
}
