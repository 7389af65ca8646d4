/* SPDX-License-Identifier: ISC */
/*
 * The WireGuard interface in the kernel: reading all of it by dumps that go on piece by piece while
 * other work is done, and changing peers.
 *
 * Two sockets: one for changes, which the kernel answers at once, one for the dump under way.
 */
#ifndef PULLGATE_INSTALLER_DEVICE_H
#define PULLGATE_INSTALLER_DEVICE_H

#include <net/if.h>
#include <stdbool.h>

#include "installer/device_message.h"
#include "installer/netlink.h"

struct device {
	char interface[IFNAMSIZ];
	int family; /* number of the generic netlink family */
	struct netlink changes, dumps;
	struct device_dump dump;
	bool is_dumping;
	bool dump_is_interrupted; /* peers changed while it went on */
};

/*
 * Opens the sockets and finds the family. buffer is the caller's, NETLINK_BUFFER_BYTES, and holds
 * secrets while a packet is read. 0, -ENOENT when the kernel has no WireGuard, or another errno.
 */
int device_open(struct device *device, const char *interface, uint8_t *buffer);

/* Begins to read the device; one under way is given up. 0 or a negative errno. */
int device_begin_dump(struct device *device, const struct device_reader *reader);

/*
 * Reads one packet of the dump. 1 while more will come, 0 at the end, -EAGAIN when nothing is there
 * yet, -EINTR at the end of one that was interrupted (peers changed under way), -ENODEV when the
 * interface is gone, -EOPNOTSUPP when it isn't WireGuard, or another error. But for 1 and -EAGAIN
 * the dump is over.
 */
int device_continue_dump(struct device *device);

/*
 * Carries out changes, in as many messages as it takes. 0 or the kernel's error; the kernel stops
 * at the first change that it refuses, with earlier ones in force.
 */
int device_set(struct device *device, const struct device_change *changes, size_t count);

#endif
