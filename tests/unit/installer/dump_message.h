/* SPDX-License-Identifier: ISC */
/* Messages of a device dump, as linux/wireguard.h describes them, for tests. */
#ifndef PULLGATE_TESTS_UNIT_INSTALLER_DUMP_MESSAGE_H
#define PULLGATE_TESTS_UNIT_INSTALLER_DUMP_MESSAGE_H

#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "unit.h"

static inline struct nl_msg *dump_begin(void)
{
	struct nl_msg *message = nlmsg_alloc_size(65536);

	assert_non_null(genlmsg_put(message, 0, 7, 30, 0, NLM_F_MULTI, WG_CMD_GET_DEVICE, 1));
	return message;
}

static inline void dump_put_facts(struct nl_msg *message, uint32_t index, uint16_t port,
	const uint8_t *private_key, const uint8_t *public_key)
{
	nla_put_u16(message, WGDEVICE_A_LISTEN_PORT, port);
	nla_put_u32(message, WGDEVICE_A_FWMARK, 0);
	nla_put_u32(message, WGDEVICE_A_IFINDEX, index);
	nla_put_string(message, WGDEVICE_A_IFNAME, "wg0");
	if (private_key != NULL) {
		nla_put(message, WGDEVICE_A_PRIVATE_KEY, 32, private_key);
		nla_put(message, WGDEVICE_A_PUBLIC_KEY, 32, public_key);
	}
}

static inline void dump_put_allowed_ips(struct nl_msg *message, const char *const *texts)
{
	struct nlattr *list = nla_nest_start(message, WGPEER_A_ALLOWEDIPS), *entry;

	for (; *texts != NULL; texts++) {
		struct prefix prefix = prefix_of(*texts);

		entry = nla_nest_start(message, 0);
		nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, prefix.length);
		nla_put_u16(message, WGALLOWEDIP_A_FAMILY, prefix.family == 4 ? AF_INET : AF_INET6);
		nla_put(message, WGALLOWEDIP_A_IPADDR, prefix.family == 4 ? 4 : 16, prefix.bytes);
		nla_nest_end(message, entry);
	}
	nla_nest_end(message, list);
}

#endif
