/* SPDX-License-Identifier: ISC */
/*
 * The system calls of capture, besides those of every process. The packet socket could also send
 * arbitrary frames, bind and go promiscuous without any capability: it may only be received on,
 * and never becomes a channel.
 */
#include <fcntl.h>
#include <stdint.h>

#include "sandbox/calls.h"

static const struct call calls[] = {
	CALL_IF(recvmmsg, "packets", INT_IS(0, FD_PACKET)),

	CALL_IF(recvfrom, "messages of fetcher", CHANNEL_TO(0, ROLE_FETCHER)),
	CALL_IF(recvfrom, "messages of installer", CHANNEL_TO(0, ROLE_INSTALLER)),
	CALL_IF(sendto, "LOOKUP", CHANNEL_TO(0, ROLE_FETCHER), NO_ADDRESS),
	CALL_IF(sendto, "DEMAND", CHANNEL_TO(0, ROLE_INSTALLER), NO_ADDRESS),

	CALL_IF(dup3, "a renewed channel takes its place", OWN_DESCRIPTOR(0),
		CHANNEL_TO(1, ROLE_FETCHER), INT_IS(2, O_CLOEXEC)),
	CALL_IF(dup3, "a renewed channel takes its place", OWN_DESCRIPTOR(0),
		CHANNEL_TO(1, ROLE_INSTALLER), INT_IS(2, O_CLOEXEC)),
};

const struct call_list calls_capture = CALL_LIST(calls);
