/* SPDX-License-Identifier: ISC */
/* What follows a dump. */
#include "installer/sweep.h"

#include "common/key_text.h"
#include "common/log.h"
#include "installer/announce.h"
#include "installer/removal.h"

#define SLOTS_A_TURN 4096
/* Between batches of removals, so that neither we nor others wait for long behind them. */
#define PAUSE_MS 10

void sweep_begin(struct installer *installer)
{
	installer->sweep = (struct sweep){.is_running = true};
}

/* Removed or replaced behind our back, or the interface is gone. If capture can't be told now the
 * peer stays in the table, and the next dump finds it gone again. */
static void forget_gone(struct installer *installer, uint32_t slot)
{
	bool is_static = installer->peers.items[slot].state == KNOWN_STATIC;
	char key[KEY_BASE64_BYTES];

	if (!announce_removal(installer, slot))
		return;
	log_event(is_static ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "removed", "key=%s reason=%s",
		key_to_base64(key, peers_key(&installer->peers, slot)), "gone");
	peers_remove(&installer->peers, slot);
}

/* Why the peer must be removed, or NULL, with what else is to be done with it done. */
static const char *judge(struct installer *installer, uint32_t slot)
{
	const struct reconcile *reconcile = &installer->reconcile;
	const char *reason;

	if (!key_index_holds(&installer->peers.index, slot))
		return NULL;
	if (reconcile_is_gone(reconcile, slot)) {
		forget_gone(installer, slot);
		return NULL;
	}
	if (!reconcile_was_seen(reconcile, slot))
		return NULL;
	reason = eviction_reason(
		&installer->eviction, &installer->peers.items[slot], reconcile->began_ms);
	if (reason == NULL)
		eviction_offer(&installer->sweep.candidates, &installer->eviction,
			&installer->peers, slot, reconcile->began_ms);
	return reason;
}

void sweep_continue(struct installer *installer, int64_t now_ms)
{
	struct sweep *sweep = &installer->sweep;
	struct removal removals[REMOVAL_BATCH];
	uint32_t count = 0;

	if (!sweep->is_running || now_ms < sweep->resume_ms)
		return;
	for (uint32_t i = 0; i < SLOTS_A_TURN && count < REMOVAL_BATCH; i++) {
		uint32_t slot = sweep->next_slot;
		const char *reason;

		if (slot >= installer->peers.index.end) {
			sweep->is_running = false;
			break;
		}
		sweep->next_slot++;
		reason = judge(installer, slot);
		if (reason != NULL)
			removals[count++] = (struct removal){.slot = slot, .reason = reason};
	}
	if (count > 0) {
		removal_batch(installer, removals, count);
		sweep->resume_ms = now_ms + PAUSE_MS;
	}
}

int sweep_timeout_ms(const struct installer *installer, int64_t now_ms)
{
	if (!installer->sweep.is_running)
		return -1;
	return installer->sweep.resume_ms > now_ms ? (int)(installer->sweep.resume_ms - now_ms) : 0;
}
