/* SPDX-License-Identifier: ISC */
/* Conversations over a netlink socket. */
#include "installer/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <string.h>
#include <sys/socket.h>

/* No answer of the kernel takes more packets than this; a dump of addresses has a few. */
#define ASK_PACKETS_MAX 4096

int netlink_error(int error)
{
	switch (error < 0 ? -error : error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_NODEV:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_MSGSIZE:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

/* Else the kernel's refusals would carry the whole request back, preshared keys included. */
static int cap_acknowledgements(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) == 0 ? 0 : -errno;
}

int netlink_open(struct netlink *netlink, int protocol, uint8_t *buffer)
{
	int error;

	*netlink = (struct netlink){.socket = nl_socket_alloc(), .buffer = buffer};
	if (netlink->socket == NULL)
		return -ENOMEM;
	error = netlink_error(nl_connect(netlink->socket, protocol));
	if (error == 0)
		error = netlink_error(nl_socket_set_nonblocking(netlink->socket));
	if (error == 0)
		error = cap_acknowledgements(nl_socket_get_fd(netlink->socket));
	if (error != 0)
		netlink_close(netlink);
	return error;
}

void netlink_close(struct netlink *netlink)
{
	nl_socket_free(netlink->socket);
	netlink->socket = NULL;
}

int netlink_fd(const struct netlink *netlink)
{
	return nl_socket_get_fd(netlink->socket);
}

int netlink_send(struct netlink *netlink, struct nl_msg *message)
{
	int sent = nl_send_auto(netlink->socket, message);

	if (sent < 0)
		return netlink_error(sent);
	netlink->sequence = nlmsg_hdr(message)->nlmsg_seq;
	return 0;
}

ssize_t netlink_receive(struct netlink *netlink)
{
	struct sockaddr_nl sender;
	struct iovec part = {.iov_base = netlink->buffer, .iov_len = NETLINK_BUFFER_BYTES};
	struct msghdr header = {.msg_name = &sender, .msg_iov = &part, .msg_iovlen = 1};
	ssize_t length;

	do {
		header.msg_namelen = sizeof(sender);
		length = recvmsg(netlink_fd(netlink), &header, MSG_DONTWAIT | MSG_TRUNC);
		if (length < 0 && errno != EINTR)
			return -errno;
	} while (length < 0 || header.msg_namelen != sizeof(sender) || sender.nl_pid != 0);
	return length <= NETLINK_BUFFER_BYTES ? length : -EMSGSIZE;
}

/* The error that an NLMSG_ERROR or NLMSG_DONE carries in its first bytes; DONE may have none. */
static int carried_error(const struct nlmsghdr *header)
{
	int error = 0;

	if ((size_t)nlmsg_datalen(header) < sizeof(error))
		return header->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, nlmsg_data(header), sizeof(error));
	return error <= 0 ? error : -EBADMSG;
}

int netlink_walk(const uint8_t *packet, size_t length, uint32_t sequence, netlink_handler *handle,
	void *context, struct netlink_progress *progress)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(uintptr_t)packet;
	int left = (int)length;
	int error = 0;

	for (; nlmsg_ok(header, left) && error == 0; header = nlmsg_next(header, &left)) {
		if (header->nlmsg_seq != sequence)
			continue; /* of a request that was given up */
		if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			progress->is_interrupted = true;
		if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
			progress->is_done = true;
			return carried_error(header);
		}
		if (header->nlmsg_type == NLMSG_OVERRUN)
			return -ENOBUFS;
		if (header->nlmsg_type >= NLMSG_MIN_TYPE && handle != NULL)
			error = handle(context, header);
	}
	return error != 0 ? error : left > 0 ? -EBADMSG : 0;
}

static int receive_all(struct netlink *netlink, netlink_handler *handle, void *context)
{
	struct netlink_progress progress = {.is_done = false};

	for (unsigned packets = 0; packets < ASK_PACKETS_MAX; packets++) {
		ssize_t length = netlink_receive(netlink);
		int error;

		if (length < 0)
			return length == -EAGAIN ? -EPROTO : (int)length;
		error = netlink_walk(netlink->buffer, (size_t)length, netlink->sequence, handle,
			context, &progress);
		explicit_bzero(netlink->buffer, (size_t)length);
		if (error != 0)
			return error;
		if (progress.is_done)
			return progress.is_interrupted ? -EINTR : 0;
	}
	return -EPROTO;
}

int netlink_ask(
	struct netlink *netlink, struct nl_msg *request, netlink_handler *handle, void *context)
{
	int error = netlink_send(netlink, request);

	return error != 0 ? error : receive_all(netlink, handle, context);
}

void netlink_free_message(struct nl_msg *message)
{
	if (message == NULL)
		return;
	explicit_bzero(nlmsg_hdr(message), nlmsg_get_max_size(message));
	nlmsg_free(message);
}
