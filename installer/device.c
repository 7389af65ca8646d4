/* SPDX-License-Identifier: ISC */
/* The WireGuard interface in the kernel. */
#include "installer/device.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <string.h>

/* Room for the dumps' packets, so that the kernel can prepare one while another is read. */
#define DUMP_RECEIVE_BYTES (4 * NETLINK_BUFFER_BYTES)

/* libnl resolves with a socket that waits; this one is gone again before the sandbox closes. */
static int resolve_family(void)
{
	struct nl_sock *socket = nl_socket_alloc();
	int family = -ENOMEM;

	if (socket == NULL)
		return family;
	family = genl_connect(socket);
	if (family == 0)
		family = genl_ctrl_resolve(socket, WG_GENL_NAME);
	nl_socket_free(socket);
	return family >= 0 ? family : netlink_error(family);
}

int device_open(struct device *device, const char *interface, uint8_t *buffer)
{
	int error;

	*device = (struct device){.family = resolve_family()};
	if (device->family < 0)
		return device->family;
	snprintf(device->interface, sizeof(device->interface), "%s", interface);
	error = netlink_open(&device->changes, NETLINK_GENERIC, buffer);
	if (error != 0)
		return error;
	error = netlink_open(&device->dumps, NETLINK_GENERIC, buffer);
	if (error != 0)
		return error;
	return netlink_error(
		nl_socket_set_buffer_size(device->dumps.socket, DUMP_RECEIVE_BYTES, 0));
}

/* What is left of a dump that was given up; the kernel begins no other one before its end. */
static int finish_old_dump(struct device *device)
{
	ssize_t length;

	for (uint32_t packets = 0; packets < DEVICE_DUMP_MESSAGES_MAX; packets++) {
		length = netlink_receive(&device->dumps);
		if (length > 0)
			explicit_bzero(device->dumps.buffer, (size_t)length);
		else if (length != -ENOBUFS && length != -EMSGSIZE)
			return length == -EAGAIN ? 0 : (int)length;
	}
	return -ELOOP;
}

int device_begin_dump(struct device *device, const struct device_reader *reader)
{
	struct nl_msg *request;
	int error = finish_old_dump(device);

	if (error != 0)
		return error;
	request = nlmsg_alloc();
	error = -ENOMEM;
	if (request != NULL)
		error = device_put_get(request, device->family, device->interface);
	if (error == 0)
		error = netlink_send(&device->dumps, request);
	netlink_free_message(request);
	device_dump_begin(&device->dump, reader);
	device->is_dumping = error == 0;
	device->dump_is_interrupted = false;
	return error;
}

static int handle_dump_message(void *context, const struct nlmsghdr *header)
{
	return device_dump_message(context, header);
}

static int read_packet(struct device *device, struct netlink_progress *progress)
{
	ssize_t length = netlink_receive(&device->dumps);
	int error;

	if (length < 0)
		return (int)length;
	error = netlink_walk(device->dumps.buffer, (size_t)length, device->dumps.sequence,
		handle_dump_message, &device->dump, progress);
	explicit_bzero(device->dumps.buffer, (size_t)length);
	return error;
}

int device_continue_dump(struct device *device)
{
	struct netlink_progress progress = {.is_done = false};
	int error = read_packet(device, &progress);

	if (progress.is_interrupted)
		device->dump_is_interrupted = true;
	if (error == -EAGAIN)
		return error;
	if (error == 0 && !progress.is_done)
		return 1;
	device->is_dumping = false;
	if (error == 0 && device->dump_is_interrupted)
		return -EINTR;
	return error;
}

/* Sends as many of the changes as one message holds; how many, or the kernel's error. */
static int set_some(struct device *device, const struct device_change *changes, size_t count)
{
	struct nl_msg *request = nlmsg_alloc_size(DEVICE_SET_BYTES);
	int put, error;

	if (request == NULL)
		return -ENOMEM;
	put = device_put_set(request, device->family, device->interface, changes, count);
	error = put < 0 ? put : netlink_ask(&device->changes, request, NULL, NULL);
	netlink_free_message(request);
	return error != 0 ? error : put;
}

int device_set(struct device *device, const struct device_change *changes, size_t count)
{
	while (count > 0) {
		int done = set_some(device, changes, count);

		if (done < 0)
			return done;
		changes += done;
		count -= (size_t)done;
	}
	return 0;
}
