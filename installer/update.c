/* SPDX-License-Identifier: ISC */
/* Bringing an installed peer into line with a changed configuration. */
#include "installer/update.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <string.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "common/siphash.h"
#include "installer/survey.h"

uint64_t update_fingerprint(
	const struct installer *installer, const struct message_peer *configuration)
{
	uint8_t bytes[WIREGUARD_KEY_BYTES + 2];
	uint64_t fingerprint;

	memcpy(bytes, configuration->preshared_key, WIREGUARD_KEY_BYTES);
	bytes[WIREGUARD_KEY_BYTES] = (uint8_t)configuration->persistent_keepalive;
	bytes[WIREGUARD_KEY_BYTES + 1] = (uint8_t)(configuration->persistent_keepalive >> 8);
	fingerprint = siphash(installer->renewal.seed, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	return fingerprint;
}

static bool has_allowed_ips(
	const struct installer *installer, uint32_t slot, const struct message_peer *configuration)
{
	return peers_has_allowed_ips(&installer->peers, slot, configuration->allowed_ips.item,
		configuration->allowed_ips.count);
}

bool update_is_needed(
	const struct installer *installer, uint32_t slot, const struct message_peer *configuration)
{
	return memcmp(configuration->public_key, configuration->key, WIREGUARD_KEY_BYTES) != 0 ||
	       !has_allowed_ips(installer, slot, configuration) ||
	       installer->peers.items[slot].fingerprint !=
		       update_fingerprint(installer, configuration);
}

static int tell_kernel(struct installer *installer, const struct message_peer *configuration,
	bool replaces_allowed_ips)
{
	struct device_change change = {.public_key = configuration->key,
		.flags = WGPEER_F_UPDATE_ONLY,
		.preshared_key = configuration->preshared_key,
		.sets_keepalive = true,
		.persistent_keepalive = (uint16_t)configuration->persistent_keepalive};

	if (replaces_allowed_ips) {
		change.flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
		change.allowed_ips = configuration->allowed_ips.item;
		change.allowed_ip_count = configuration->allowed_ips.count;
	}
	return device_set(&installer->device, &change, 1);
}

static void log_updated(const struct message_peer *configuration)
{
	char key[KEY_BASE64_BYTES], list[PREFIX_LIST_TEXT_BYTES];

	log_event(LOG_LEVEL_INFO, "updated", "key=%s allowed_ips=%s",
		key_to_base64(key, configuration->key),
		prefix_list_format(
			list, configuration->allowed_ips.item, configuration->allowed_ips.count));
}

static void log_failed(
	struct installer *installer, const struct message_peer *configuration, int error)
{
	char key[KEY_BASE64_BYTES];

	if (!line_budget_take(
		    &installer->counters.refusal_lines, clock_ms(), REFUSAL_LINES_A_SECOND))
		return;
	log_event(LOG_LEVEL_WARNING, "update_failed", "key=%s error=\"%s\"",
		key_to_base64(key, configuration->key), strerror(-error));
}

int update_peer(
	struct installer *installer, uint32_t slot, const struct message_peer *configuration)
{
	bool replaces = !has_allowed_ips(installer, slot, configuration);
	int error = 0;

	if (!token_bucket_take(&installer->installs, clock_ms())) {
		installer->counters.rate_limited++;
		return -EBUSY;
	}
	if (replaces)
		error = peers_set_allowed_ips(&installer->peers, slot,
			configuration->allowed_ips.item, configuration->allowed_ips.count);
	if (error == 0)
		error = tell_kernel(installer, configuration, replaces);
	if (error != 0) {
		log_failed(installer, configuration, error);
		survey_soon(installer);
		return error;
	}
	/* The dump under way may show it as it was. */
	reconcile_installed(&installer->reconcile, slot);
	log_updated(configuration);
	return 0;
}
