/* SPDX-License-Identifier: ISC */
/*
 * One end of a SOCK_SEQPACKET socketpair that carries the messages of message_table.h, one a
 * packet. Never blocks. Reading is strict: what the table doesn't allow from this peer to us is an
 * offence, and the caller stops reading that channel.
 */
#ifndef PULLGATE_CHANNEL_H
#define PULLGATE_CHANNEL_H

#include "common/message.h"
#include "common/role.h"

struct channel {
	int fd; /* -1 while there is no peer */
	enum role self, peer;
	uint64_t generation; /* as the supervisor numbers them */
	uint64_t sent, received;
	uint64_t dropped; /* not sent: the peer's queue was full or the peer gone */
};

/*
 * Sends one message. 0, -EAGAIN when the queue is full (counted: the caller decides whether that
 * loses anything), -ENOTCONN without a peer (counted), -EINVAL for a message that the table does
 * not let us send there. Bytes on the stack are wiped.
 */
int channel_send(struct channel *channel, const struct message *message);

/* As channel_send, with one descriptor, which stays the caller's. For the channels that carry them:
 * from the supervisor, and from the connector to the fetcher. */
int channel_send_descriptor(struct channel *channel, const struct message *message, int fd);

/*
 * Receives one message. 0, -EAGAIN when there is none, -ENOTCONN when the peer is gone, -EBADMSG
 * for an offence. Uses recv(2) alone; a descriptor that a peer attaches is never installed.
 */
int channel_receive(struct channel *channel, struct message *message);

/*
 * As channel_receive; *fd is the descriptor that came along (close-on-exec, the caller's), or -1.
 * More than one is an offence, and all are closed. -EMFILE when this process has no number free
 * for it: the message is lost with it, and the sender is not to blame.
 */
int channel_receive_descriptor(struct channel *channel, struct message *message, int *fd);

/* Closes the descriptor, if there is one. */
void channel_close(struct channel *channel);

#endif
