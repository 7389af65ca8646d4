/* SPDX-License-Identifier: ISC */
/*
 * Conversations over a netlink socket (netlink(7)). libnl makes the sockets and codes messages and
 * attributes. Receiving is ours: libnl copies each packet and each message into memory that it frees
 * unwiped, and the interface's private key and all preshared keys come this way. Here they lie in
 * one buffer that the caller can lock and wipe. Nothing waits for the kernel, which answers a
 * request before the call that sends it returns.
 */
#ifndef PULLGATE_INSTALLER_NETLINK_H
#define PULLGATE_INSTALLER_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel fills packets of a dump up to 32 KiB if the reader's buffer takes that much
 * (net/netlink/af_netlink.c, netlink_recvmsg). */
#define NETLINK_BUFFER_BYTES 32768

struct netlink {
	struct nl_sock *socket;
	uint8_t *buffer;   /* NETLINK_BUFFER_BYTES, the caller's; may be shared between sockets */
	uint32_t sequence; /* of the request under way */
};

/* What one packet meant for the request under way. */
struct netlink_progress {
	bool is_done;        /* nothing more comes */
	bool is_interrupted; /* what a dump shows has changed under way (NLM_F_DUMP_INTR) */
};

/* Called with each message that answers a request. Its error ends the walk. */
typedef int netlink_handler(void *context, const struct nlmsghdr *header);

/* Opens a non-blocking socket of that protocol. 0 or a negative errno. */
int netlink_open(struct netlink *netlink, int protocol, uint8_t *buffer);
void netlink_close(struct netlink *netlink);
int netlink_fd(const struct netlink *netlink);

/* Sends a request and remembers its sequence number. The message stays the caller's. */
int netlink_send(struct netlink *netlink, struct nl_msg *message);

/*
 * Receives one packet into the buffer. Its length, or a negative errno: -EAGAIN for none, -ENOBUFS
 * when the kernel dropped some, -EMSGSIZE for one that is larger than the buffer. Packets that
 * don't come from the kernel are dropped.
 */
ssize_t netlink_receive(struct netlink *netlink);

/*
 * Goes through the messages of a packet that belong to the request with that sequence number. Sets
 * in progress what they say. 0, the negative errno that the kernel or the handler gave, or -EBADMSG.
 * A pure function over the bytes, which are aligned to 4.
 */
int netlink_walk(const uint8_t *packet, size_t length, uint32_t sequence, netlink_handler *handle,
	void *context, struct netlink_progress *progress);

/*
 * Sends a request, gives each answer to the handler (NULL: there is none but the acknowledgement),
 * and wipes the buffer. -EINTR for a dump that was interrupted, -EPROTO when the kernel falls silent
 * before the end.
 */
int netlink_ask(
	struct netlink *netlink, struct nl_msg *request, netlink_handler *handle, void *context);

/* Wipes and frees a message that may hold secrets. */
void netlink_free_message(struct nl_msg *message);

/* A libnl error as a negative errno. */
int netlink_error(int error);

#endif
