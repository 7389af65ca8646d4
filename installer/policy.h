/* SPDX-License-Identifier: ISC */
/*
 * What the installer refuses, whoever asks and whatever the control plane says: neither capture nor
 * fetcher can get past it.
 */
#ifndef PULLGATE_INSTALLER_POLICY_H
#define PULLGATE_INSTALLER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "installer/peers.h"

#define POLICY_REASON_BYTES 200

struct policy {
	struct prefix allowed[64]; /* where allowed IPs must lie */
	uint32_t allowed_count;
	uint32_t max_allowed_ips;
	bool allow_default_route;
	uint8_t own_public_key[WIREGUARD_KEY_BYTES]; /* of the interface */
};

/* Takes over what the settings say; own_public_key stays. */
void policy_apply(struct policy *policy, const struct message_installer_settings *settings);

/*
 * Whether this found peer may be installed. If not, reason says why, for the log; it holds nothing
 * that needs quoting. Overlap with another peer always refuses: here is the place where a conflict
 * between two pulled peers would be resolved by pulling both.
 */
bool policy_admits(const struct policy *policy, const struct peers *peers,
	const struct message_peer *peer, char reason[static POLICY_REASON_BYTES]);

/* Whether X25519 with this public key gives zero whatever the private key. */
bool policy_low_order(const uint8_t key[static WIREGUARD_KEY_BYTES]);

#endif
