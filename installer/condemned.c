/* SPDX-License-Identifier: ISC */
/* Installed peers that must go by the control plane's word. */
#include "installer/condemned.h"

#include <errno.h>

#include "installer/removal.h"
#include "installer/renewal.h"

/* Between whole batches, so that neither we nor others wait for long behind them. */
#define PAUSE_MS 10
/* When capture's queue is full, or the kernel refuses. */
#define PAUSE_FULL_MS    100
#define PAUSE_REFUSED_MS 1000
/* So many are looked at in one turn, however many the guard spares. */
#define LOOKS_A_TURN 256

static const char *const reasons[] = {[CONDEMNED_ABSENT] = "absent",
	[CONDEMNED_REVOKED] = "revoked",
	[CONDEMNED_POLICY] = "policy",
	[CONDEMNED_STALE] = "stale"};

void condemned_add(struct installer *installer, uint32_t slot, enum condemned reason, int64_t at_ms)
{
	installer->peers.items[slot].condemned = reason;
	due_queue_set(&installer->peers.due, slot, at_ms);
}

/* The first that is due, if it is one of them. */
static uint32_t first(const struct installer *installer, int64_t now_ms)
{
	int64_t at_ms;
	uint32_t slot = due_queue_first(&installer->peers.due, &at_ms);

	if (slot == DUE_QUEUE_NONE || at_ms > now_ms ||
		installer->peers.items[slot].condemned == CONDEMNED_NOT)
		return DUE_QUEUE_NONE;
	return slot;
}

/* One that is absent goes only if the guard still lets it. */
static bool is_spared(struct installer *installer, uint32_t slot)
{
	const struct peer *peer = &installer->peers.items[slot];

	if (peer->condemned != CONDEMNED_ABSENT ||
		removal_guard_admits(&installer->peers.guard, &peer->guard_mark))
		return false;
	renewal_spared(installer, slot);
	return true;
}

/* Takes a batch of those whose time has come, each with a token, out of peers.due. */
static uint32_t take_batch(
	struct installer *installer, struct removal removals[static REMOVAL_BATCH], int64_t now_ms)
{
	uint32_t count = 0, slot;

	for (unsigned i = 0; i < LOOKS_A_TURN && count < REMOVAL_BATCH; i++) {
		slot = first(installer, now_ms);
		if (slot == DUE_QUEUE_NONE)
			break;
		if (is_spared(installer, slot))
			continue;
		if (!token_bucket_take(&installer->removals, now_ms))
			break;
		due_queue_remove(&installer->peers.due, slot);
		removals[count++] = (struct removal){
			.slot = slot, .reason = reasons[installer->peers.items[slot].condemned]};
	}
	return count;
}

/* Those that are gone count; the others are tried again. */
static void settle_batch(struct installer *installer, const struct removal *removals,
	uint32_t count, int64_t again_ms, int64_t now_ms)
{
	for (uint32_t i = 0; i < count; i++) {
		if (key_index_holds(&installer->peers.index, removals[i].slot)) {
			token_bucket_return(&installer->removals);
			due_queue_set(&installer->peers.due, removals[i].slot, again_ms);
		} else if (removals[i].reason == reasons[CONDEMNED_ABSENT]) {
			removal_guard_gone(&installer->peers.guard, now_ms);
		}
	}
}

void condemned_continue(struct installer *installer, int64_t now_ms)
{
	struct removal removals[REMOVAL_BATCH];
	uint32_t count;
	int error;

	if (now_ms < installer->renewal.remove_ms)
		return;
	count = take_batch(installer, removals, now_ms);
	if (count == 0)
		return;
	error = removal_batch(installer, removals, count);
	settle_batch(installer, removals, count,
		error == -EAGAIN ? DUE_AT_ONCE : now_ms + PAUSE_REFUSED_MS, now_ms);
	if (error != 0)
		installer->renewal.remove_ms = now_ms + PAUSE_FULL_MS;
	else if (count == REMOVAL_BATCH)
		installer->renewal.remove_ms = now_ms + PAUSE_MS;
}

int64_t condemned_wait_ms(struct installer *installer, int64_t now_ms)
{
	int64_t pause_ms = installer->renewal.remove_ms - now_ms;
	int64_t token_ms = token_bucket_wait_ms(&installer->removals, now_ms);

	if (first(installer, now_ms) == DUE_QUEUE_NONE)
		return -1;
	if (pause_ms < token_ms)
		pause_ms = token_ms;
	return pause_ms > 0 ? pause_ms : 0;
}
