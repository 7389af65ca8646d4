/* SPDX-License-Identifier: ISC */
/*
 * The packet socket that capture receives on: opened, filtered and locked here, where the
 * capability for it is, and owned here, so that packets wait in it while capture restarts.
 */
#ifndef PULLGATE_PACKET_SOCKET_H
#define PULLGATE_PACKET_SOCKET_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FILTER_LENGTH 25 /* instructions */

/*
 * Classic BPF (Linux Documentation/networking/filter.rst) for a SOCK_DGRAM packet socket, whose
 * data begins with the IP header. Passes handshake initiations alone (WireGuard paper, section
 * 5.4.2): sent to this host (PACKET_HOST), not by the loopback or WireGuard interface, IPv4 or
 * IPv6 without extension headers, UDP, not fragmented, to the port, UDP length 156, first four
 * payload bytes 01 00 00 00.
 */
void packet_filter_build(struct sock_filter filter[static PACKET_FILTER_LENGTH],
	uint32_t loopback_index, uint32_t interface_index, uint16_t port);

/*
 * Opens the socket in the caller's network namespace. Not bound to an interface. Returns the
 * descriptor (close-on-exec, not blocking, the filter locked), or a negative errno.
 */
int packet_socket_open(uint32_t interface_index, uint16_t port);

#endif
