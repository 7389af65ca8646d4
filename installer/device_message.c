/* SPDX-License-Identifier: ISC */
/* The messages of the generic netlink family "wireguard". */
#include "installer/device_message.h"

#include <errno.h>
#include <limits.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#define WITHOUT_PROGRESS_MAX 2

void device_dump_begin(struct device_dump *dump, const struct device_reader *reader)
{
	*dump = (struct device_dump){.reader = reader};
}

/* Copies an attribute of exactly that size; one that is missing leaves the target as it is. */
static int get_exact(void *target, const struct nlattr *attribute, size_t size)
{
	if (attribute == NULL)
		return 0;
	if ((size_t)nla_len(attribute) != size)
		return -EBADMSG;
	memcpy(target, nla_data(attribute), size);
	return 0;
}

static int parse_nested(struct nlattr **attributes, int greatest, const struct nlattr *nest)
{
	return nla_parse_nested(attributes, greatest, (struct nlattr *)nest, NULL) == 0 ? 0
											: -EBADMSG;
}

static int read_facts(struct device_facts *facts, struct nlattr **attributes)
{
	*facts = (struct device_facts){
		.has_private_key = attributes[WGDEVICE_A_PRIVATE_KEY] != NULL};
	if (attributes[WGDEVICE_A_IFINDEX] == NULL || attributes[WGDEVICE_A_LISTEN_PORT] == NULL)
		return -EBADMSG;
	if (get_exact(&facts->interface_index, attributes[WGDEVICE_A_IFINDEX],
		    sizeof(facts->interface_index)) != 0 ||
		get_exact(&facts->listen_port, attributes[WGDEVICE_A_LISTEN_PORT],
			sizeof(facts->listen_port)) != 0 ||
		get_exact(facts->private_key, attributes[WGDEVICE_A_PRIVATE_KEY],
			sizeof(facts->private_key)) != 0 ||
		get_exact(facts->public_key, attributes[WGDEVICE_A_PUBLIC_KEY],
			sizeof(facts->public_key)) != 0)
		return -EBADMSG;
	if (facts->interface_index == 0 || facts->interface_index > INT32_MAX)
		return -EBADMSG;
	return 0;
}

/* An endpoint of an unknown shape is none: nothing depends on it. */
static void read_endpoint(struct device_peer *peer, const struct nlattr *attribute)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	if (attribute != NULL && nla_len(attribute) == sizeof(ipv4)) {
		memcpy(&ipv4, nla_data(attribute), sizeof(ipv4));
		peer->has_endpoint = ipv4.sin_family == AF_INET;
		peer->endpoint.family = 4;
		peer->endpoint_port = ntohs(ipv4.sin_port);
		memcpy(peer->endpoint.bytes, &ipv4.sin_addr, sizeof(ipv4.sin_addr));
	} else if (attribute != NULL && nla_len(attribute) == sizeof(ipv6)) {
		memcpy(&ipv6, nla_data(attribute), sizeof(ipv6));
		peer->has_endpoint = ipv6.sin6_family == AF_INET6;
		peer->endpoint.family = 6;
		peer->endpoint_port = ntohs(ipv6.sin6_port);
		memcpy(peer->endpoint.bytes, &ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
	}
}

static int read_peer(struct device_peer *peer, struct nlattr **attributes)
{
	struct __kernel_timespec handshake = {.tv_sec = 0};

	*peer = (struct device_peer){.persistent_keepalive = 0};
	if (attributes[WGPEER_A_PUBLIC_KEY] == NULL)
		return -EBADMSG;
	if (get_exact(peer->public_key, attributes[WGPEER_A_PUBLIC_KEY],
		    sizeof(peer->public_key)) != 0 ||
		get_exact(&handshake, attributes[WGPEER_A_LAST_HANDSHAKE_TIME],
			sizeof(handshake)) != 0 ||
		get_exact(&peer->received_bytes, attributes[WGPEER_A_RX_BYTES],
			sizeof(peer->received_bytes)) != 0 ||
		get_exact(&peer->sent_bytes, attributes[WGPEER_A_TX_BYTES],
			sizeof(peer->sent_bytes)) != 0 ||
		get_exact(&peer->persistent_keepalive,
			attributes[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL],
			sizeof(peer->persistent_keepalive)) != 0)
		return -EBADMSG;
	peer->handshake_seconds = handshake.tv_sec;
	peer->handshake_nanoseconds = handshake.tv_nsec;
	read_endpoint(peer, attributes[WGPEER_A_ENDPOINT]);
	return 0;
}

static int read_allowed_ip(struct prefix *prefix, const struct nlattr *nest)
{
	struct nlattr *attributes[WGALLOWEDIP_A_MAX + 1];
	const struct nlattr *address;
	uint16_t family = 0;

	*prefix = (struct prefix){.family = 0};
	if (parse_nested(attributes, WGALLOWEDIP_A_MAX, nest) != 0)
		return -EBADMSG;
	address = attributes[WGALLOWEDIP_A_IPADDR];
	if (attributes[WGALLOWEDIP_A_FAMILY] == NULL || address == NULL ||
		attributes[WGALLOWEDIP_A_CIDR_MASK] == NULL)
		return -EBADMSG;
	if (get_exact(&family, attributes[WGALLOWEDIP_A_FAMILY], sizeof(family)) != 0 ||
		get_exact(&prefix->length, attributes[WGALLOWEDIP_A_CIDR_MASK],
			sizeof(prefix->length)) != 0)
		return -EBADMSG;
	prefix->family = family == AF_INET ? 4 : family == AF_INET6 ? 6 : 0;
	if (get_exact(prefix->bytes, address, prefix->family == 4 ? 4 : 16) != 0)
		return -EBADMSG;
	return prefix_valid(prefix) ? 0 : -EBADMSG;
}

static int read_allowed_ips(struct device_dump *dump, const struct nlattr *nest)
{
	struct nlattr *entry;
	int left, error = 0;

	if (nest == NULL)
		return 0;
	nla_for_each_nested(entry, (struct nlattr *)nest, left)
	{
		struct prefix prefix;

		error = read_allowed_ip(&prefix, entry);
		if (error == 0)
			error = dump->reader->allowed_ip(dump->reader->context, &prefix);
		if (error != 0)
			return error;
		dump->without_progress = 0;
	}
	return left == 0 ? 0 : -EBADMSG;
}

static int read_peer_nest(struct device_dump *dump, const struct nlattr *nest)
{
	struct nlattr *attributes[WGPEER_A_MAX + 1];
	struct device_peer peer;
	bool is_continued;
	int error;

	if (parse_nested(attributes, WGPEER_A_MAX, nest) != 0 || read_peer(&peer, attributes) != 0)
		return -EBADMSG;
	is_continued = dump->has_peer &&
		       memcmp(dump->last_key, peer.public_key, sizeof(peer.public_key)) == 0;
	if (!is_continued)
		dump->without_progress = 0;
	peer.may_lack_allowed_ips = is_continued && dump->is_interrupted;
	dump->has_peer = true;
	memcpy(dump->last_key, peer.public_key, sizeof(peer.public_key));
	error = dump->reader->peer(dump->reader->context, &peer, is_continued);
	return error != 0 ? error : read_allowed_ips(dump, attributes[WGPEER_A_ALLOWEDIPS]);
}

static int read_peers(struct device_dump *dump, const struct nlattr *nest)
{
	struct nlattr *entry;
	int left, error;

	if (nest == NULL)
		return 0;
	nla_for_each_nested(entry, (struct nlattr *)nest, left)
	{
		error = read_peer_nest(dump, entry);
		if (error != 0)
			return error;
	}
	return left == 0 ? 0 : -EBADMSG;
}

static int read_first(struct device_dump *dump, struct nlattr **attributes)
{
	struct device_facts facts;
	int error = read_facts(&facts, attributes);

	if (error == 0)
		error = dump->reader->device(dump->reader->context, &facts);
	explicit_bzero(&facts, sizeof(facts));
	dump->has_facts = true;
	return error;
}

int device_dump_message(struct device_dump *dump, const struct nlmsghdr *header)
{
	struct nlattr *attributes[WGDEVICE_A_MAX + 1];
	int error = 0;

	if (nlmsg_datalen(header) < (int)GENL_HDRLEN ||
		nlmsg_parse((struct nlmsghdr *)header, GENL_HDRLEN, attributes, WGDEVICE_A_MAX,
			NULL) != 0)
		return -EBADMSG;
	if (dump->messages++ == DEVICE_DUMP_MESSAGES_MAX)
		return -ELOOP;
	dump->is_interrupted = (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (!dump->has_facts)
		error = read_first(dump, attributes);
	dump->without_progress++;
	if (error == 0)
		error = read_peers(dump, attributes[WGDEVICE_A_PEERS]);
	if (error != 0)
		return error;
	return dump->without_progress > WITHOUT_PROGRESS_MAX ? -ELOOP : 0;
}

int device_put_get(struct nl_msg *message, int family, const char *interface)
{
	if (genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_DUMP,
		    WG_CMD_GET_DEVICE, WG_GENL_VERSION) == NULL ||
		nla_put_string(message, WGDEVICE_A_IFNAME, interface) != 0)
		return -EMSGSIZE;
	return 0;
}

static int put_allowed_ip(struct nl_msg *message, const struct prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(message, NLA_F_NESTED);
	bool is_ipv4 = prefix->family == 4;

	if (nest == NULL ||
		nla_put_u16(message, WGALLOWEDIP_A_FAMILY, is_ipv4 ? AF_INET : AF_INET6) != 0 ||
		nla_put(message, WGALLOWEDIP_A_IPADDR, is_ipv4 ? 4 : 16, prefix->bytes) != 0 ||
		nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, prefix->length) != 0)
		return -EMSGSIZE;
	nla_nest_end(message, nest);
	return 0;
}

static int put_allowed_ips(struct nl_msg *message, const struct device_change *change)
{
	struct nlattr *nest;

	if (change->allowed_ip_count == 0)
		return 0;
	nest = nla_nest_start(message, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	if (nest == NULL)
		return -EMSGSIZE;
	for (uint32_t i = 0; i < change->allowed_ip_count; i++) {
		if (put_allowed_ip(message, &change->allowed_ips[i]) != 0)
			return -EMSGSIZE;
	}
	nla_nest_end(message, nest);
	return 0;
}

static int put_endpoint(struct nl_msg *message, const struct device_change *change)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(change->endpoint_port)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(change->endpoint_port),
		.sin6_scope_id = change->endpoint_scope};

	if (change->endpoint == NULL)
		return 0;
	if (change->endpoint->family == 4) {
		memcpy(&ipv4.sin_addr, change->endpoint->bytes, sizeof(ipv4.sin_addr));
		return nla_put(message, WGPEER_A_ENDPOINT, sizeof(ipv4), &ipv4);
	}
	memcpy(&ipv6.sin6_addr, change->endpoint->bytes, sizeof(ipv6.sin6_addr));
	return nla_put(message, WGPEER_A_ENDPOINT, sizeof(ipv6), &ipv6);
}

static int put_attributes(struct nl_msg *message, const struct device_change *change)
{
	if (nla_put(message, WGPEER_A_PUBLIC_KEY, WIREGUARD_KEY_BYTES, change->public_key) != 0)
		return -EMSGSIZE;
	if (change->flags != 0 && nla_put_u32(message, WGPEER_A_FLAGS, change->flags) != 0)
		return -EMSGSIZE;
	if (change->preshared_key != NULL &&
		nla_put(message, WGPEER_A_PRESHARED_KEY, WIREGUARD_KEY_BYTES,
			change->preshared_key) != 0)
		return -EMSGSIZE;
	if (put_endpoint(message, change) != 0)
		return -EMSGSIZE;
	if (change->sets_keepalive && nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
					      change->persistent_keepalive) != 0)
		return -EMSGSIZE;
	return put_allowed_ips(message, change);
}

/* Whole, or not at all. */
static int put_change(struct nl_msg *message, const struct device_change *change)
{
	struct nlattr *nest = nla_nest_start(message, NLA_F_NESTED);

	if (nest == NULL)
		return -EMSGSIZE;
	if (put_attributes(message, change) != 0) {
		nla_nest_cancel(message, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(message, nest);
	return 0;
}

int device_put_set(struct nl_msg *message, int family, const char *interface,
	const struct device_change *changes, size_t count)
{
	struct nlattr *peers;
	size_t put = 0;

	if (genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_ACK,
		    WG_CMD_SET_DEVICE, WG_GENL_VERSION) == NULL ||
		nla_put_string(message, WGDEVICE_A_IFNAME, interface) != 0)
		return -EMSGSIZE;
	peers = nla_nest_start(message, WGDEVICE_A_PEERS | NLA_F_NESTED);
	if (peers == NULL)
		return -EMSGSIZE;
	while (put < count && put < INT_MAX && put_change(message, &changes[put]) == 0)
		put++;
	nla_nest_end(message, peers);
	return put > 0 ? (int)put : -EMSGSIZE;
}
