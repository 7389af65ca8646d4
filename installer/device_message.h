/* SPDX-License-Identifier: ISC */
/*
 * The messages of the kernel's generic netlink family "wireguard" (linux/wireguard.h): reading those
 * of a WG_CMD_GET_DEVICE dump, and building WG_CMD_SET_DEVICE. Pure functions over messages.
 */
#ifndef PULLGATE_INSTALLER_DEVICE_MESSAGE_H
#define PULLGATE_INSTALLER_DEVICE_MESSAGE_H

#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/wireguard.h"

/* Of a dump's first message. private_key is the reader's to wipe. */
struct device_facts {
	uint32_t interface_index;
	uint16_t listen_port; /* 0: none */
	bool has_private_key;
	uint8_t private_key[WIREGUARD_KEY_BYTES];
	uint8_t public_key[WIREGUARD_KEY_BYTES]; /* zero without a private key */
};

struct device_peer {
	uint8_t public_key[WIREGUARD_KEY_BYTES];
	int64_t handshake_seconds, handshake_nanoseconds; /* CLOCK_REALTIME; 0: never */
	uint64_t received_bytes, sent_bytes;
	uint16_t persistent_keepalive; /* seconds; 0: off */
	bool has_endpoint;
	struct address endpoint;
	uint16_t endpoint_port;
	/*
	 * Of a continued peer: the device changed since the message before, and then the kernel leaves
	 * out what it has yet to show of the peer's allowed IPs (drivers/net/wireguard/netlink.c:
	 * get_peer, allowedips_seq).
	 */
	bool may_lack_allowed_ips;
};

/*
 * What a dump shows, in its order. Each peer is followed by its allowed IPs. A peer that the kernel
 * splits over messages comes again with is_continued, its other attributes zero, and further
 * allowed IPs. An error that one returns ends the dump.
 */
struct device_reader {
	void *context;
	int (*device)(void *context, const struct device_facts *facts);
	int (*peer)(void *context, const struct device_peer *peer, bool is_continued);
	int (*allowed_ip)(void *context, const struct prefix *prefix);
};

/* The state of reading one dump. */
struct device_dump {
	const struct device_reader *reader;
	bool has_facts, has_peer;
	bool is_interrupted; /* the message being read says that the device changed before it */
	uint8_t last_key[WIREGUARD_KEY_BYTES];
	uint32_t messages;
	unsigned without_progress; /* messages in a row */
};

/* A dump of more messages is given up: at a peer a message it is the kernel's greatest. */
#define DEVICE_DUMP_MESSAGES_MAX (1U << 20)

void device_dump_begin(struct device_dump *dump, const struct device_reader *reader);

/*
 * Reads one message. 0, -EBADMSG for what the kernel can't mean, -ELOOP when the dump makes no
 * progress: the third message in a row without a peer or allowed IP, or one too many in all (known
 * from a relative of WireGuard whose kernel sends one message for ever: amnezia-vpn/
 * amneziawg-linux-kernel-module#228). Or an error of the reader.
 */
int device_dump_message(struct device_dump *dump, const struct nlmsghdr *header);

/* One change of one peer. Keys and prefixes are the caller's. */
struct device_change {
	const uint8_t *public_key;
	uint32_t flags;                 /* WGPEER_F_* */
	const uint8_t *preshared_key;   /* NULL: leave it; zero: none */
	const struct address *endpoint; /* NULL: leave it */
	uint16_t endpoint_port;
	uint32_t endpoint_scope; /* interface index, for link-local IPv6 */
	bool sets_keepalive;
	uint16_t persistent_keepalive;
	const struct prefix *allowed_ips;
	uint32_t allowed_ip_count;
};

/* Room for at least one peer with 64 allowed IPs; about 200 with one. */
#define DEVICE_SET_BYTES 32768

/* Builds the request for a dump. 0 or -EMSGSIZE. */
int device_put_get(struct nl_msg *message, int family, const char *interface);

/*
 * Builds WG_CMD_SET_DEVICE with as many of the changes as there is room for, in their order. Returns
 * how many, or -EMSGSIZE when not even one fits.
 */
int device_put_set(struct nl_msg *message, int family, const char *interface,
	const struct device_change *changes, size_t count);

#endif
