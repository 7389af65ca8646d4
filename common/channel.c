/* SPDX-License-Identifier: ISC */
/* One end of a SOCK_SEQPACKET socketpair that carries messages. */
#include "common/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for two descriptors, so that a second one is seen, and closed, instead of cut off. */
union control {
	char bytes[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr align;
};

static int send_result(struct channel *channel, ssize_t sent)
{
	if (sent >= 0) {
		channel->sent++;
		return 0;
	}
	channel->dropped++;
	return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -ENOTCONN;
}

/* Length of the encoded message, or a negative errno. */
static int encode_for(struct channel *channel, const struct message *message, uint8_t *buffer)
{
	if (!message_allowed(message->type, channel->self, channel->peer))
		return -EINVAL;
	if (channel->fd < 0) {
		channel->dropped++;
		return -ENOTCONN;
	}
	return message_encode(message, buffer, MESSAGE_BYTES_MAX);
}

int channel_send(struct channel *channel, const struct message *message)
{
	uint8_t buffer[MESSAGE_BYTES_MAX];
	int length = encode_for(channel, message, buffer);
	int result = length;

	if (length > 0)
		result = send_result(channel,
			send(channel->fd, buffer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL));
	explicit_bzero(buffer, length > 0 ? (size_t)length : sizeof(buffer));
	return result;
}

int channel_send_descriptor(struct channel *channel, const struct message *message, int fd)
{
	uint8_t buffer[MESSAGE_BYTES_MAX];
	int length = encode_for(channel, message, buffer);
	struct iovec part = {.iov_base = buffer};
	union control control = {.bytes = {0}};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int))};
	struct cmsghdr *attached = CMSG_FIRSTHDR(&header);

	if (length < 0)
		return length;
	part.iov_len = (size_t)length;
	attached->cmsg_level = SOL_SOCKET;
	attached->cmsg_type = SCM_RIGHTS;
	attached->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(attached), &fd, sizeof(fd));
	return send_result(channel, sendmsg(channel->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/*
 * recv(2) returns 0 at the end and for an empty packet alike. An honest process sends no empty one
 * and never shuts down one direction alone; its end hangs both up.
 */
static int empty_result(const struct channel *channel)
{
	struct pollfd state = {.fd = channel->fd};

	return poll(&state, 1, 0) >= 0 && (state.revents & POLLHUP) == 0 ? -EBADMSG : -ENOTCONN;
}

/* What recv returned, as a message; wipes the bytes. */
static int receive_result(
	struct channel *channel, struct message *message, uint8_t *buffer, ssize_t length)
{
	int error;

	if (length == 0)
		return empty_result(channel);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : -ENOTCONN;
	if (length > MESSAGE_BYTES_MAX)
		return -EBADMSG;
	error = message_decode(message, buffer, (size_t)length);
	explicit_bzero(buffer, (size_t)length);
	if (error != 0)
		return error;
	if (!message_allowed(message->type, channel->peer, channel->self))
		return -EBADMSG;
	channel->received++;
	return 0;
}

/*
 * A peer that ended with bytes of ours unread shows as this error, once, before what it had sent
 * (unix(7); Linux net/core/datagram.c looks at the error first). Its last messages still count.
 */
static bool is_reset(ssize_t length)
{
	return length < 0 && errno == ECONNRESET;
}

int channel_receive(struct channel *channel, struct message *message)
{
	uint8_t buffer[MESSAGE_BYTES_MAX];
	const int flags = MSG_DONTWAIT | MSG_TRUNC;
	ssize_t length;

	if (channel->fd < 0)
		return -ENOTCONN;
	length = recv(channel->fd, buffer, sizeof(buffer), flags);
	if (is_reset(length))
		length = recv(channel->fd, buffer, sizeof(buffer), flags);
	return receive_result(channel, message, buffer, length);
}

/*
 * Takes the attached descriptor out of header into *fd. -EBADMSG for more than one, all closed;
 * -EMFILE where it was cut off, for which there is one reason left: our own table is full.
 */
static int take_descriptor(struct msghdr *header, int *fd)
{
	size_t count = 0;

	for (struct cmsghdr *attached = CMSG_FIRSTHDR(header); attached != NULL;
		attached = CMSG_NXTHDR(header, attached)) {
		if (attached->cmsg_level != SOL_SOCKET || attached->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= attached->cmsg_len;
			at += sizeof(int)) {
			int received;

			memcpy(&received, (char *)attached + at, sizeof(received));
			if (count++ == 0)
				*fd = received;
			else
				close(received);
		}
	}
	if (count > 1)
		return -EBADMSG;
	return (header->msg_flags & MSG_CTRUNC) != 0 ? -EMFILE : 0;
}

int channel_receive_descriptor(struct channel *channel, struct message *message, int *fd)
{
	uint8_t buffer[MESSAGE_BYTES_MAX];
	struct iovec part = {.iov_base = buffer, .iov_len = sizeof(buffer)};
	union control control;
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	const int flags = MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC;
	ssize_t length;
	int error;

	*fd = -1;
	if (channel->fd < 0)
		return -ENOTCONN;
	length = recvmsg(channel->fd, &header, flags);
	if (is_reset(length))
		length = recvmsg(channel->fd, &header, flags);
	if (length < 0)
		header.msg_controllen = 0;
	error = take_descriptor(&header, fd);
	if (error == 0)
		error = receive_result(channel, message, buffer, length);
	if (error != 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}
