/* SPDX-License-Identifier: ISC */
/*
 * The packet socket, and the device that its filter is made for: the installer tells of one, and of
 * changes. A locked filter can't be changed, so that a change takes another socket, and a capture
 * that starts on it.
 */
#ifndef PULLGATE_DEVICE_H
#define PULLGATE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"

/*
 * Between two changes, whatever the installer says; the last word counts. People change a port less
 * often, and an installer that is somebody else's can't keep capture from working by it.
 */
#define DEVICE_CHANGE_EVERY_MS 5000

struct supervisor;

struct packet_device {
	int socket; /* -1: none yet */
	uint32_t interface_index;
	uint16_t listen_port;

	bool is_changing; /* to the wanted one, when change_ms is reached */
	struct message_device wanted;
	int64_t change_ms;
};

/*
 * Takes what the installer tells. The first device is opened at once: 0, or a negative errno of
 * packet_socket_open(). A change is noted, and made by device_change().
 */
int device_take(struct supervisor *supervisor, const struct message_device *device);

/* Makes the change that is noted, if it is time; one that fails is tried again. */
void device_change(struct supervisor *supervisor, int64_t now_ms);

#endif
