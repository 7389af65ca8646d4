/* SPDX-License-Identifier: ISC */
/* The packet socket, and the device that its filter is made for. */
#include "supervisor/device.h"

#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/packet_socket.h"
#include "supervisor/supervisor.h"

static bool is_in_use(const struct packet_device *device, const struct message_device *told)
{
	return device->socket >= 0 && device->interface_index == told->interface_index &&
	       device->listen_port == told->listen_port;
}

static int open_for(struct packet_device *device, const struct message_device *told)
{
	int fd = packet_socket_open((uint32_t)told->interface_index, (uint16_t)told->listen_port);

	if (fd < 0)
		return fd;
	if (device->socket >= 0)
		close(device->socket);
	device->socket = fd;
	device->interface_index = (uint32_t)told->interface_index;
	device->listen_port = (uint16_t)told->listen_port;
	return 0;
}

int device_take(struct supervisor *supervisor, const struct message_device *told)
{
	struct packet_device *device = &supervisor->device;

	if (device->socket < 0)
		return open_for(device, told);
	device->wanted = *told;
	device->is_changing = !is_in_use(device, told);
	return 0;
}

void device_change(struct supervisor *supervisor, int64_t now_ms)
{
	struct packet_device *device = &supervisor->device;
	int error;

	if (!device->is_changing || now_ms < device->change_ms)
		return;
	device->change_ms = now_ms + DEVICE_CHANGE_EVERY_MS;
	error = open_for(device, &device->wanted);
	if (error != 0) {
		log_event(LOG_LEVEL_ERROR, "packet_socket_failed", "error=\"%s\" again_ms=%d",
			strerror(-error), DEVICE_CHANGE_EVERY_MS);
		return;
	}
	device->is_changing = false;
	log_event(LOG_LEVEL_NOTICE, "device_changed", "interface=%s index=%u port=%u",
		supervisor->config.interface, device->interface_index, device->listen_port);
	child_end_as_planned(&supervisor->children[ROLE_CAPTURE]);
}
