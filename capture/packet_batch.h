/* SPDX-License-Identifier: ISC */
/* Packets from the packet socket, several with one call of recvmmsg(2). */
#ifndef PULLGATE_PACKET_BATCH_H
#define PULLGATE_PACKET_BATCH_H

#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "capture/packet.h"

enum { PACKET_BATCH_MAX = 32 };

struct packet_batch {
	struct mmsghdr headers[PACKET_BATCH_MAX];
	struct iovec parts[PACKET_BATCH_MAX];
	struct sockaddr_ll from[PACKET_BATCH_MAX];
	uint8_t data[PACKET_BATCH_MAX][PACKET_BYTES_MAX];
};

void packet_batch_init(struct packet_batch *batch);

/*
 * Fills the batch with what is there now and returns the number, 0 without any. Packet i is
 * packet_batch_bytes(batch, i) bytes at batch->data[i], cut where it was longer than an initiation
 * can be. A negative errno where the socket doesn't work at all.
 */
int packet_batch_receive(struct packet_batch *batch, int fd);

size_t packet_batch_bytes(const struct packet_batch *batch, int number);

#endif
