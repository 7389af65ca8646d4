/* SPDX-License-Identifier: ISC */
/*
 * The system calls of installer, besides those of every process. Its netlink sockets are opened
 * first after the inherited descriptors, so they are among 16 to 19.
 */
#include <fcntl.h>
#include <stdint.h>

#include "sandbox/calls.h"

static const struct call calls[] = {
	CALL_IF(sendmsg, "netlink requests", OWN_DESCRIPTOR(0)),
	CALL_IF(recvmsg, "netlink answers and notices", OWN_DESCRIPTOR(0)),
	CALL_IF(sendto, "replay of an IPv4 initiation", INT_IS(0, FD_REPLAY_IPV4)),
	CALL_IF(sendto, "replay of an IPv6 initiation", INT_IS(0, FD_REPLAY_IPV6)),

	CALL_IF(recvfrom, "messages of capture", CHANNEL_TO(0, ROLE_CAPTURE)),
	CALL_IF(recvfrom, "messages of fetcher", CHANNEL_TO(0, ROLE_FETCHER)),
	CALL_IF(sendto, "OUTCOME, REMOVED and what capture must know", CHANNEL_TO(0, ROLE_CAPTURE),
		NO_ADDRESS),
	CALL_IF(sendto, "REVALIDATE", CHANNEL_TO(0, ROLE_FETCHER), NO_ADDRESS),

	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_CAPTURE),
		INT_IS(2, O_CLOEXEC)),
	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_FETCHER),
		INT_IS(2, O_CLOEXEC)),
};

const struct call_list calls_installer = CALL_LIST(calls);
