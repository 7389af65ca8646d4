/* SPDX-License-Identifier: ISC */
/* The five processes, and which of them talk to each other. */
#include "common/role.h"

#include <stddef.h>

const char *role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_SUPERVISOR] = "supervisor",
		[ROLE_CAPTURE] = "capture",
		[ROLE_FETCHER] = "fetcher",
		[ROLE_CONNECTOR] = "connector",
		[ROLE_INSTALLER] = "installer",
	};

	return (unsigned)role < ROLE_COUNT ? names[role] : "unknown";
}

bool role_linked(enum role a, enum role b)
{
	static const enum role links[][2] = {
		{ROLE_CAPTURE, ROLE_FETCHER},
		{ROLE_CAPTURE, ROLE_INSTALLER},
		{ROLE_FETCHER, ROLE_INSTALLER},
		{ROLE_FETCHER, ROLE_CONNECTOR},
	};

	if (a == b || (unsigned)a >= ROLE_COUNT || (unsigned)b >= ROLE_COUNT)
		return false;
	if (a == ROLE_SUPERVISOR || b == ROLE_SUPERVISOR)
		return true;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if ((links[i][0] == a && links[i][1] == b) ||
			(links[i][0] == b && links[i][1] == a))
			return true;
	}
	return false;
}

enum descriptor role_descriptor(enum role role, int fd)
{
	if (fd == 1 || fd == 2)
		return DESCRIPTOR_LOG;
	if (fd >= FD_CONTROL && fd < FD_CHANNEL(ROLE_COUNT))
		return role_linked(role, (enum role)(fd - FD_CONTROL)) ? DESCRIPTOR_CHANNEL
								       : DESCRIPTOR_NULL;
	if (role == ROLE_CAPTURE && fd == FD_PACKET)
		return DESCRIPTOR_PACKET;
	if (role == ROLE_CAPTURE && fd == FD_TIMESTAMPS)
		return DESCRIPTOR_TIMESTAMPS;
	if (role == ROLE_INSTALLER && fd == FD_REPLAY_IPV4)
		return DESCRIPTOR_REPLAY_IPV4;
	if (role == ROLE_INSTALLER && fd == FD_REPLAY_IPV6)
		return DESCRIPTOR_REPLAY_IPV6;
	if (role == ROLE_FETCHER && fd == FD_CACHE)
		return DESCRIPTOR_CACHE;
	if (role == ROLE_FETCHER && fd == FD_CACHE_LOG)
		return DESCRIPTOR_CACHE_LOG;
	return DESCRIPTOR_NULL;
}
