/* SPDX-License-Identifier: ISC */
/* What the installer refuses. */
#include "installer/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/key_text.h"

/*
 * The points of order 1, 2, 4 and 8 of Curve25519 and its twist, little-endian, as far as 255 bits
 * can write them (https://cr.yp.to/ecdh.html, "How do I validate Curve25519 public keys?"): 0, 1, the
 * two of order 8, p-1, p and p+1. X25519 ignores bit 255 (RFC 7748, section 5), and so do we.
 */
static const uint8_t low_order[][WIREGUARD_KEY_BYTES] = {
	{0x00},
	{0x01},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
		0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f,
		0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
		0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0,
		0x9f, 0x11, 0x57},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
};

void policy_apply(struct policy *policy, const struct message_installer_settings *settings)
{
	policy->allowed_count = settings->allowed.count;
	memcpy(policy->allowed, settings->allowed.item, sizeof(policy->allowed));
	policy->max_allowed_ips = (uint32_t)settings->max_allowed_ips;
	policy->allow_default_route = settings->allow_default_route;
}

bool policy_low_order(const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	uint8_t canonical[WIREGUARD_KEY_BYTES];

	memcpy(canonical, key, sizeof(canonical));
	canonical[WIREGUARD_KEY_BYTES - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		if (memcmp(canonical, low_order[i], sizeof(canonical)) == 0)
			return true;
	}
	return false;
}

static bool refuse(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, POLICY_REASON_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

static bool admits_key(const struct policy *policy, const struct message_peer *peer, char *reason)
{
	char text[KEY_BASE64_BYTES];

	if (memcmp(peer->public_key, peer->key, WIREGUARD_KEY_BYTES) != 0)
		return refuse(reason, "the configuration is for another key, %s",
			key_to_base64(text, peer->public_key));
	if (memcmp(peer->key, policy->own_public_key, WIREGUARD_KEY_BYTES) == 0)
		return refuse(reason, "it is the interface's own key");
	if (policy_low_order(peer->key))
		return refuse(reason, "the key is a low-order point");
	return true;
}

static bool lies_in_policy(const struct policy *policy, const struct prefix *prefix)
{
	for (uint32_t i = 0; i < policy->allowed_count; i++) {
		if (prefix_contains(&policy->allowed[i], prefix))
			return true;
	}
	return false;
}

static bool admits_prefix(const struct policy *policy, const struct prefix *prefix, char *reason)
{
	char text[PREFIX_TEXT_BYTES];

	if (prefix->length == 0 && !policy->allow_default_route)
		return refuse(reason, "%s is a default route", prefix_format(text, prefix));
	if (!lies_in_policy(policy, prefix))
		return refuse(reason, "%s lies outside of policy.allowed_ips",
			prefix_format(text, prefix));
	return true;
}

static bool is_free(
	const struct peers *peers, uint32_t self, const struct prefix *prefix, char *reason)
{
	char text[PREFIX_TEXT_BYTES], other_text[PREFIX_TEXT_BYTES], key_text[KEY_BASE64_BYTES];
	struct prefix other;
	uint32_t owner = allowed_ips_overlap(&peers->allowed_ips, prefix, self, &other);

	if (owner == ALLOWED_IPS_NO_OWNER)
		return true;
	return refuse(reason, "%s overlaps %s of the %s peer %s", prefix_format(text, prefix),
		prefix_format(other_text, &other),
		peers->items[owner].state == KNOWN_STATIC ? "static" : "installed",
		key_to_base64(key_text, peers_key(peers, owner)));
}

bool policy_admits(const struct policy *policy, const struct peers *peers,
	const struct message_peer *peer, char reason[static POLICY_REASON_BYTES])
{
	uint32_t self = peers_find(peers, peer->key);

	if (!admits_key(policy, peer, reason))
		return false;
	if (self != KEY_INDEX_NONE && peers->items[self].state == KNOWN_STATIC)
		return refuse(reason, "the interface has a static peer with this key");
	/* It could shake hands and then not pass a packet: a mistake that is better seen here. */
	if (peer->allowed_ips.count == 0)
		return refuse(reason, "the configuration has no allowed IPs");
	if (peer->allowed_ips.count > policy->max_allowed_ips)
		return refuse(reason, "%u allowed IPs are more than policy.max_allowed_ips",
			peer->allowed_ips.count);
	for (uint32_t i = 0; i < peer->allowed_ips.count; i++) {
		if (!admits_prefix(policy, &peer->allowed_ips.item[i], reason) ||
			!is_free(peers, self, &peer->allowed_ips.item[i], reason))
			return false;
	}
	return true;
}
