/* SPDX-License-Identifier: ISC */
/* Removing installed peers from the kernel. */
#include "installer/removal.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <string.h>

#include "common/key_text.h"
#include "common/log.h"
#include "installer/announce.h"

/* Their removal is done: table and log. */
static void forget(struct installer *installer, const struct removal *removal)
{
	char key[KEY_BASE64_BYTES];

	log_event(LOG_LEVEL_INFO, "removed", "key=%s reason=%s",
		key_to_base64(key, peers_key(&installer->peers, removal->slot)), removal->reason);
	peers_remove(&installer->peers, removal->slot);
}

int removal_batch(struct installer *installer, const struct removal *removals, uint32_t count)
{
	struct device_change changes[REMOVAL_BATCH];
	uint32_t told = 0;
	int error;

	while (told < count && told < REMOVAL_BATCH &&
		announce_removal(installer, removals[told].slot)) {
		changes[told] = (struct device_change){
			.public_key = peers_key(&installer->peers, removals[told].slot),
			.flags = WGPEER_F_REMOVE_ME};
		told++;
	}
	error = told > 0 ? device_set(&installer->device, changes, told) : -EAGAIN;
	if (error != 0 && error != -EAGAIN)
		log_event(LOG_LEVEL_WARNING, "remove_failed", "count=%u error=\"%s\"", told,
			strerror(-error));
	reconcile_removed(&installer->reconcile);
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < told; i++)
		forget(installer, &removals[i]);
	return told == count ? 0 : -EAGAIN;
}

int removal_one(struct installer *installer, uint32_t slot, const char *reason)
{
	return removal_batch(installer, &(struct removal){.slot = slot, .reason = reason}, 1);
}
