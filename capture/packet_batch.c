/* SPDX-License-Identifier: ISC */
/* Packets from the packet socket. */
#include "capture/packet_batch.h"

#include <errno.h>
#include <string.h>

void packet_batch_init(struct packet_batch *batch)
{
	memset(batch, 0, sizeof(*batch));
	for (int i = 0; i < PACKET_BATCH_MAX; i++) {
		batch->parts[i].iov_base = batch->data[i];
		batch->parts[i].iov_len = sizeof(batch->data[i]);
		batch->headers[i].msg_hdr.msg_iov = &batch->parts[i];
		batch->headers[i].msg_hdr.msg_iovlen = 1;
		batch->headers[i].msg_hdr.msg_name = &batch->from[i];
	}
}

/* What packet(7) says of an interface's state or of the moment's memory, not of the socket. */
static int is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENETDOWN || error == ENOBUFS ||
	       error == ENOMEM;
}

int packet_batch_receive(struct packet_batch *batch, int fd)
{
	int count;

	for (int i = 0; i < PACKET_BATCH_MAX; i++)
		batch->headers[i].msg_hdr.msg_namelen = sizeof(batch->from[i]);
	count = recvmmsg(fd, batch->headers, PACKET_BATCH_MAX, MSG_DONTWAIT, NULL);
	if (count < 0)
		return is_passing(errno) ? 0 : -errno;
	return count;
}

size_t packet_batch_bytes(const struct packet_batch *batch, int number)
{
	return batch->headers[number].msg_len;
}
