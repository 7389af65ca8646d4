/* SPDX-License-Identifier: ISC */
/* What capture is told. */
#include "installer/announce.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "installer/outcome.h"

/* One turn's share, so that a long list of peers leaves room for outcomes. */
#define KNOWN_MESSAGES_A_TURN 8
#define KNOWN_SLOTS_A_TURN    16384
#define OUTCOMES_A_TURN       64

static struct channel *capture_of(struct installer *installer)
{
	return &installer->process.channels[ROLE_CAPTURE];
}

/*
 * Whether capture, which found room for nothing, is to be waited for. An honest one reads; one that
 * doesn't would keep every peer installed, for no removal comes before its REMOVED.
 */
static bool is_worth_waiting(struct installer *installer)
{
	struct announce *announce = &installer->announce;

	if (announce->full_since_ms == 0)
		announce->full_since_ms = clock_ms();
	if (clock_ms() - announce->full_since_ms < CAPTURE_DEAF_MS)
		return true;
	log_event(LOG_LEVEL_ERROR, "capture_deaf", "after_ms=%d", CAPTURE_DEAF_MS);
	process_report_offence(&installer->process, ROLE_CAPTURE);
	announce->full_since_ms = 0;
	return false;
}

/* Whether it must be sent again later: not to a capture that is gone, for the next learns all. */
static bool send_owes(struct installer *installer, const struct message *message)
{
	return channel_send(capture_of(installer), message) == -EAGAIN &&
	       is_worth_waiting(installer);
}

void announce_emptied(struct installer *installer)
{
	installer->announce.full_since_ms = 0;
}

void announce_gateway(struct installer *installer)
{
	installer->announce.owes_gateway = installer->gateway.is_usable;
}

void announce_addresses(struct installer *installer)
{
	installer->announce.owes_addresses = true;
}

void announce_found_peers(struct installer *installer)
{
	if (installer->announce.owes_known)
		installer->announce.restarts = true;
	installer->announce.owes_known = true;
}

void announce_everything(struct installer *installer)
{
	struct announce *announce = &installer->announce;

	*announce = (struct announce){.number = announce->number + 1,
		.owes_gateway = installer->gateway.is_usable,
		.owes_addresses = true,
		.owes_known = true};
}

static bool send_gateway(struct installer *installer)
{
	struct message message = {.type = MESSAGE_TYPE_GATEWAY};
	bool owes;

	message.gateway.interface_index = installer->gateway.interface_index;
	message.gateway.listen_port = installer->gateway.listen_port;
	memcpy(message.gateway.private_key, installer->secrets->private_key,
		sizeof(message.gateway.private_key));
	owes = send_owes(installer, &message);
	explicit_bzero(&message, sizeof(message));
	return owes;
}

static bool send_addresses(struct installer *installer)
{
	struct message message = {.type = MESSAGE_TYPE_LOCAL_ADDRESSES};

	message.local_addresses.addresses.count = installer->addresses.count;
	memcpy(message.local_addresses.addresses.item, installer->addresses.item,
		installer->addresses.count * sizeof(installer->addresses.item[0]));
	return send_owes(installer, &message);
}

static bool send_outcome(struct installer *installer, const struct ticket *ticket)
{
	struct message message = {.type = MESSAGE_TYPE_OUTCOME};

	message.outcome.id = ticket->demand.id;
	message.outcome.result = ticket->result;
	message.outcome.hold_ms = ticket->hold_ms;
	memcpy(message.outcome.key, ticket->demand.key, sizeof(message.outcome.key));
	return send_owes(installer, &message);
}

void announce_outcome_again(struct installer *installer, struct ticket *ticket)
{
	uint32_t slot = peers_find(&installer->peers, ticket->demand.key);

	tickets_answer(&installer->tickets, ticket, ticket->result, ticket->hold_ms);
	if (send_outcome(installer, ticket))
		return;
	tickets_told(&installer->tickets, ticket);
	if (slot != KEY_INDEX_NONE && ticket->result == OUTCOME_INSTALLED)
		installer->peers.items[slot].announcement = installer->announce.number;
}

void announce_outcome(struct installer *installer, struct ticket *ticket,
	enum outcome_result result, uint64_t valid_ms)
{
	uint64_t hold_ms = outcome_hold_ms(result, valid_ms, ticket_age_ms(ticket, clock_ms()));

	tickets_answer(&installer->tickets, ticket, result, hold_ms);
	announce_outcome_again(installer, ticket);
}

void announce_refusal(struct installer *installer, const struct message_demand *demand)
{
	struct message message = {.type = MESSAGE_TYPE_OUTCOME};

	message.outcome.id = demand->id;
	message.outcome.result = OUTCOME_FAILED;
	message.outcome.hold_ms = OUTCOME_FAILED_HOLD_MS;
	memcpy(message.outcome.key, demand->key, sizeof(message.outcome.key));
	channel_send(capture_of(installer), &message);
}

bool announce_removal(struct installer *installer, uint32_t slot)
{
	struct message message = {.type = MESSAGE_TYPE_REMOVED};

	memcpy(message.removed.key, peers_key(&installer->peers, slot),
		sizeof(message.removed.key));
	return !send_owes(installer, &message);
}

/*
 * Collects peers of one state that capture hasn't been told of, from *slot on; stops at a full
 * message, at the other state, or at limit. Returns where to go on.
 */
static uint32_t collect_known(const struct installer *installer, uint32_t slot, uint32_t limit,
	struct message_known *known)
{
	const struct peers *peers = &installer->peers;

	for (; slot < limit; slot++) {
		const struct peer *peer = &peers->items[slot];

		if (!key_index_holds(&peers->index, slot) || peer->is_intent ||
			peer->announcement == installer->announce.number)
			continue;
		if (known->keys.count == sizeof(known->keys.item) / sizeof(known->keys.item[0]) ||
			(known->keys.count > 0 && known->state != (uint64_t)peer->state))
			break;
		known->state = peer->state;
		memcpy(known->keys.item[known->keys.count++], peers_key(peers, slot),
			WIREGUARD_KEY_BYTES);
	}
	return slot;
}

static void mark_known(struct installer *installer, uint32_t slot, uint32_t end)
{
	for (; slot < end; slot++) {
		if (key_index_holds(&installer->peers.index, slot))
			installer->peers.items[slot].announcement = installer->announce.number;
	}
}

static void end_known(struct announce *announce)
{
	announce->owes_known = announce->restarts;
	announce->restarts = false;
	announce->next_slot = 0;
}

static void continue_known(struct installer *installer)
{
	struct announce *announce = &installer->announce;
	uint32_t end = installer->peers.index.end;
	uint32_t limit = end - announce->next_slot > KNOWN_SLOTS_A_TURN
				 ? announce->next_slot + KNOWN_SLOTS_A_TURN
				 : end;

	for (unsigned sent = 0; sent < KNOWN_MESSAGES_A_TURN && announce->next_slot < limit;
		sent++) {
		struct message message = {.type = MESSAGE_TYPE_KNOWN};
		uint32_t next =
			collect_known(installer, announce->next_slot, limit, &message.known);

		if (message.known.keys.count > 0 && send_owes(installer, &message))
			return;
		mark_known(installer, announce->next_slot, next);
		announce->next_slot = next;
	}
	if (announce->next_slot >= end)
		end_known(announce);
}

static void continue_outcomes(struct installer *installer)
{
	struct ticket *ticket = NULL;

	for (unsigned sent = 0; sent < OUTCOMES_A_TURN; sent++) {
		ticket = tickets_next_owing(&installer->tickets, ticket);
		if (ticket == NULL)
			return;
		announce_outcome_again(installer, ticket);
		if (ticket->owes_outcome)
			return;
	}
}

bool announce_is_owing(const struct installer *installer)
{
	const struct announce *announce = &installer->announce;

	return announce->owes_gateway || announce->owes_addresses || announce->owes_known ||
	       installer->tickets.owing > 0;
}

void announce_continue(struct installer *installer)
{
	struct announce *announce = &installer->announce;

	if (announce->owes_gateway)
		announce->owes_gateway = send_gateway(installer);
	if (announce->owes_addresses)
		announce->owes_addresses = send_addresses(installer);
	continue_outcomes(installer);
	if (announce->owes_known)
		continue_known(installer);
}
