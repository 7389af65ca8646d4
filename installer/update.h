/* SPDX-License-Identifier: ISC */
/*
 * Bringing an installed peer into line with a changed configuration, in place: allowed IPs, preshared
 * key and keepalive. Its endpoint and its session are the kernel's business: the session lives on,
 * and a new preshared key counts from the next handshake on.
 */
#ifndef PULLGATE_INSTALLER_UPDATE_H
#define PULLGATE_INSTALLER_UPDATE_H

#include "installer/installer.h"

/*
 * A hash of preshared key and keepalive, under a seed of this process: no secret is kept to be
 * compared with. Two configurations that differ have the same one once in 2^64 times.
 */
uint64_t update_fingerprint(
	const struct installer *installer, const struct message_peer *configuration);

/* Whether the installed peer is otherwise than the configuration wants it. Its allowed IPs are those
 * that the last dump showed, so what was changed behind our back counts too. */
bool update_is_needed(
	const struct installer *installer, uint32_t slot, const struct message_peer *configuration);

/*
 * Tells table and kernel. The policy must admit the configuration. 0, -EBUSY when there are too many
 * installations a second, -ENOSPC for a full table of allowed IPs, or the kernel's error; the next
 * dump then says how it is.
 */
int update_peer(
	struct installer *installer, uint32_t slot, const struct message_peer *configuration);

#endif
