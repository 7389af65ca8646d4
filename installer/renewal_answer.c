/* SPDX-License-Identifier: ISC */
/* What the control plane's answers mean for peers that are installed already. */
#include "installer/renewal_answer.h"

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "installer/condemned.h"
#include "installer/install.h"
#include "installer/renewal.h"
#include "installer/update.h"

/*
 * It may go when the freshness that it was promised last ends: until then the guard sees whether
 * others are absent too.
 */
static void take_absent(struct installer *installer, uint32_t slot)
{
	struct peer *peer = &installer->peers.items[slot];
	int64_t now_ms = clock_ms(), fresh_until_ms = peer->freshness.fresh_until_ms;

	removal_guard_count(&installer->peers.guard, &peer->guard_mark, true,
		installer->peers.installed, now_ms);
	if (!removal_guard_admits(&installer->peers.guard, &peer->guard_mark)) {
		renewal_spared(installer, slot);
		return;
	}
	condemned_add(installer, slot, CONDEMNED_ABSENT,
		fresh_until_ms > now_ms ? fresh_until_ms : DUE_AT_ONCE);
	renewal_ask_early(installer,
		removal_guard_call(&installer->peers.guard, installer->peers.installed, now_ms));
}

static bool must_go(const struct peer *peer)
{
	return peer->condemned != CONDEMNED_NOT && peer->condemned != CONDEMNED_ABSENT;
}

static void take_refusal(
	struct installer *installer, uint32_t slot, const struct message_peer *answer)
{
	if (answer->answer == PEER_REVOKED)
		condemned_add(installer, slot, CONDEMNED_REVOKED, DUE_AT_ONCE);
	else if (!must_go(&installer->peers.items[slot]))
		take_absent(installer, slot);
}

static void log_not_admitted(
	struct installer *installer, const struct message_peer *answer, const char *reason)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];

	if (!line_budget_take(
		    &installer->counters.refusal_lines, clock_ms(), REFUSAL_LINES_A_SECOND))
		return;
	log_event(LOG_LEVEL_WARNING, "change_rejected", "key=%s reason=%s",
		key_to_base64(key, answer->key), log_quote(quoted, reason));
}

static void take_found(
	struct installer *installer, uint32_t slot, const struct message_peer *answer)
{
	struct peer *peer = &installer->peers.items[slot];
	char reason[POLICY_REASON_BYTES];

	peer->condemned = CONDEMNED_NOT;
	if (update_is_needed(installer, slot, answer)) {
		if (!policy_admits(&installer->policy, &installer->peers, answer, reason)) {
			installer->counters.rejected++;
			log_not_admitted(installer, answer, reason);
			condemned_add(installer, slot, CONDEMNED_POLICY, DUE_AT_ONCE);
			return;
		}
		if (update_peer(installer, slot, answer) != 0) {
			renewal_failed(installer, slot);
			return;
		}
	}
	renewal_found(installer, slot, answer);
	removal_guard_count(&installer->peers.guard, &peer->guard_mark, false,
		installer->peers.installed, clock_ms());
}

bool renewal_answer(struct installer *installer, const struct message_peer *answer)
{
	struct questions *questions = &installer->renewal.questions;
	struct question *question = questions_find(questions, answer->id, answer->key);
	uint32_t slot;

	if (question == NULL)
		return false;
	slot = question->slot;
	questions_forget(questions, question);
	/* It may have gone meanwhile, or was asked about once more. */
	if (!key_index_holds(&installer->peers.index, slot) ||
		installer->peers.items[slot].question != answer->id)
		return true;
	installer->peers.items[slot].question = 0;
	if (installer->peers.items[slot].is_intent)
		install_flush(installer); /* what came before counts before */
	switch ((enum peer_answer)answer->answer) {
	case PEER_FOUND:
		take_found(installer, slot, answer);
		break;
	case PEER_ABSENT:
	case PEER_REVOKED:
		take_refusal(installer, slot, answer);
		break;
	case PEER_FAILED:
		if (installer->peers.items[slot].condemned == CONDEMNED_NOT)
			renewal_failed(installer, slot);
		break;
	}
	return true;
}

void renewal_refused(struct installer *installer, const struct message_peer *answer)
{
	uint32_t slot;

	install_flush(installer); /* what came before counts before */
	slot = peers_find(&installer->peers, answer->key);
	if (slot == KEY_INDEX_NONE || installer->peers.items[slot].state != KNOWN_INSTALLED)
		return;
	take_refusal(installer, slot, answer);
	condemned_continue(installer, clock_ms());
}
