/* SPDX-License-Identifier: ISC */
/* From an answer that found a ticket to a peer in the kernel and its initiation replayed. */
#include "installer/install.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <string.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "installer/address_watch.h"
#include "installer/announce.h"
#include "installer/removal.h"
#include "installer/renewal.h"
#include "installer/replay.h"
#include "installer/survey.h"

/* Makes the kernel start a handshake when it goes from 0 to this; any number would do. */
#define INITIATE_KEEPALIVE_SECONDS 25

static void log_demand(struct installer *installer, const char *event, const struct ticket *ticket,
	const char *reason)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];

	if (!line_budget_take(
		    &installer->counters.refusal_lines, clock_ms(), REFUSAL_LINES_A_SECOND))
		return;
	log_event(LOG_LEVEL_WARNING, event, "id=%llu key=%s reason=%s",
		(unsigned long long)ticket->demand.id, key_to_base64(key, ticket->demand.key),
		log_quote(quoted, reason));
}

static void reject(struct installer *installer, struct ticket *ticket, const char *reason)
{
	installer->counters.rejected++;
	log_demand(installer, "rejected", ticket, reason);
	announce_outcome(installer, ticket, OUTCOME_REJECTED, 0);
}

/* For now: nothing is wrong with the peer, and a later demand may find it otherwise. */
static void fail(struct installer *installer, struct ticket *ticket, const char *reason)
{
	log_demand(installer, "install_failed", ticket, reason);
	announce_outcome(installer, ticket, OUTCOME_FAILED, 0);
}

static uint32_t unconfirmed_max(uint32_t max_peers)
{
	uint32_t part = max_peers / UNCONFIRMED_PART;

	if (part < UNCONFIRMED_MIN)
		part = UNCONFIRMED_MIN;
	return part < max_peers ? part : max_peers;
}

/* Removes those unconfirmed peers that yield first, where there are as many as there may be. */
static bool make_unconfirmed_room(struct installer *installer)
{
	uint32_t slot;

	while (installer->peers.unconfirmed >= unconfirmed_max(installer->max_peers)) {
		slot = eviction_take_unconfirmed(&installer->sweep.candidates, &installer->peers);
		if (slot == KEY_INDEX_NONE || removal_one(installer, slot, "max_unconfirmed") != 0)
			return false;
	}
	return true;
}

/* Removes the one that yields first, where max_peers is reached. */
static bool make_room(struct installer *installer)
{
	uint32_t slot;

	while (installer->peers.installed >= installer->max_peers) {
		slot = eviction_take(&installer->sweep.candidates, &installer->peers);
		if (slot == KEY_INDEX_NONE || removal_one(installer, slot, "max_peers") != 0)
			return false;
	}
	return true;
}

/* Why there is no place for a new peer now, or NULL. */
static const char *find_room(struct installer *installer)
{
	if (installer->reconcile.lacks_room)
		return "the interface has more static peers or allowed IPs than the table has room "
		       "for";
	/* First, so that no confirmed peer goes for a newcomer that is then refused. */
	if (!make_unconfirmed_room(installer)) {
		survey_soon(installer);
		return "too many peers wait for their handshake";
	}
	if (!make_room(installer)) {
		survey_soon(installer);
		return "max_peers is reached, and no peer is idle";
	}
	return NULL;
}

/* A peer that was there before stays: the next dump says how the kernel has it. */
static void forget_intent(struct installer *installer, const struct install_item *item)
{
	survey_soon(installer);
	if (item->is_new)
		peers_remove(&installer->peers, item->slot);
	else
		installer->peers.items[item->slot].is_intent = false;
}

/*
 * Records in the table what the kernel is about to be told; a journal would be written here. NULL,
 * or why not.
 */
static const char *record_intent(struct installer *installer, struct install_item *item)
{
	struct peers *peers = &installer->peers;
	const struct prefix *prefixes = item->peer.allowed_ips.item;
	uint32_t count = item->peer.allowed_ips.count;

	item->slot = peers_find(peers, item->peer.key);
	item->is_new = item->slot == KEY_INDEX_NONE;
	if (item->is_new)
		item->slot = peers_add(peers, item->peer.key, KNOWN_INSTALLED);
	if (item->slot == KEY_INDEX_NONE)
		return "the table of peers is full";
	peers->items[item->slot].is_intent = true;
	item->replaces_allowed_ips =
		!item->is_new && !peers_has_allowed_ips(peers, item->slot, prefixes, count);
	if (!item->is_new && !item->replaces_allowed_ips)
		return NULL;
	if (peers_set_allowed_ips(peers, item->slot, prefixes, count) == 0)
		return NULL;
	forget_intent(installer, item);
	return "the table of allowed IPs is full";
}

void install_found(
	struct installer *installer, struct ticket *ticket, const struct message_peer *peer)
{
	struct install_item *item = &installer->secrets->batch[installer->batch_count];
	bool is_known = peers_find(&installer->peers, peer->key) != KEY_INDEX_NONE;
	char reason[POLICY_REASON_BYTES];
	const char *obstacle;

	if (!policy_admits(&installer->policy, &installer->peers, peer, reason)) {
		reject(installer, ticket, reason);
		return;
	}
	if (!token_bucket_take(&installer->installs, clock_ms())) {
		installer->counters.rate_limited++;
		fail(installer, ticket, "too many installations a second");
		return;
	}
	obstacle = is_known ? NULL : find_room(installer);
	item->ticket = ticket;
	item->peer = *peer;
	if (obstacle == NULL)
		obstacle = record_intent(installer, item);
	if (obstacle != NULL) {
		installer->counters.no_room++;
		explicit_bzero(item, sizeof(*item));
		fail(installer, ticket, obstacle);
		return;
	}
	if (++installer->batch_count == INSTALL_BATCH)
		install_flush(installer);
}

/*
 * What the kernel is told of one peer: one change, or two for connect = initiate. There the kernel
 * starts the handshake itself when the keepalive goes from 0 to non-zero, so a new peer begins with
 * one, which the second change sets as configured. A peer that was there before keeps the endpoint
 * that it has: where a client has roamed to is the kernel's business.
 */
static size_t describe(const struct installer *installer, const struct install_item *item,
	struct device_change changes[static 2])
{
	const struct message_demand *demand = &item->ticket->demand;
	bool initiates = installer->connect == CONNECT_INITIATE && item->is_new;
	struct device_change *change = &changes[0];

	*change = (struct device_change){.public_key = item->peer.key,
		.flags = item->replaces_allowed_ips ? WGPEER_F_REPLACE_ALLOWEDIPS : 0,
		.preshared_key = item->peer.preshared_key,
		.sets_keepalive = true,
		.persistent_keepalive = (uint16_t)item->peer.persistent_keepalive,
		.allowed_ips = item->peer.allowed_ips.item,
		.allowed_ip_count = item->peer.allowed_ips.count};
	if (!initiates || !address_is_unicast(&demand->source) || demand->source_port == 0 ||
		addresses_contain(&installer->addresses, &demand->source))
		return 1;
	change->endpoint = &demand->source;
	change->endpoint_port = (uint16_t)demand->source_port;
	if (address_is_link_local_ipv6(&demand->source))
		change->endpoint_scope = (uint32_t)demand->arrival_index;
	if (item->peer.persistent_keepalive != 0)
		return 1;
	change->persistent_keepalive = INITIATE_KEEPALIVE_SECONDS;
	changes[1] = (struct device_change){.public_key = item->peer.key,
		.flags = WGPEER_F_UPDATE_ONLY,
		.sets_keepalive = true};
	return 2;
}

/* Tells the kernel of all in one message, if they fit. */
static int set_together(struct installer *installer)
{
	struct device_change changes[2 * INSTALL_BATCH];
	size_t count = 0;

	for (uint32_t i = 0; i < installer->batch_count; i++)
		count += describe(installer, &installer->secrets->batch[i], &changes[count]);
	return device_set(&installer->device, changes, count);
}

static int set_alone(struct installer *installer, const struct install_item *item)
{
	struct device_change changes[2];
	size_t count = describe(installer, item, changes);

	return device_set(&installer->device, changes, count);
}

/* The kernel may have made the peer before it refused a part of it. */
static void undo(struct installer *installer, const struct install_item *item)
{
	struct device_change removal = {.public_key = item->peer.key, .flags = WGPEER_F_REMOVE_ME};

	if (item->is_new) {
		device_set(&installer->device, &removal, 1);
		reconcile_removed(&installer->reconcile);
	}
	forget_intent(installer, item);
}

static void log_installed(const struct install_item *item)
{
	char key[KEY_BASE64_BYTES], list[PREFIX_LIST_TEXT_BYTES];

	log_event(LOG_LEVEL_INFO, "installed", "id=%llu key=%s allowed_ips=%s",
		(unsigned long long)item->ticket->demand.id, key_to_base64(key, item->peer.key),
		prefix_list_format(
			list, item->peer.allowed_ips.item, item->peer.allowed_ips.count));
}

void install_replay(struct installer *installer, const struct ticket *ticket)
{
	const struct message_demand *demand = &ticket->demand;
	char key[KEY_BASE64_BYTES], source[ADDRESS_TEXT_BYTES], destination[ADDRESS_TEXT_BYTES];
	const char *refusal;
	int error;

	if (installer->connect != CONNECT_REPLAY)
		return;
	address_watch_refresh(installer);
	refusal = replay_refusal(demand, &installer->addresses, installer->gateway.listen_port);
	if (refusal != NULL) {
		log_demand(installer, "not_replayed", ticket, refusal);
		return;
	}
	error = replay_send(demand);
	if (error != 0) {
		log_demand(installer, "replay_failed", ticket, strerror(-error));
		return;
	}
	log_event(LOG_LEVEL_INFO, "replayed", "id=%llu key=%s source=%s destination=%s",
		(unsigned long long)demand->id, key_to_base64(key, demand->key),
		address_format(source, &demand->source),
		address_format(destination, &demand->destination));
}

static void finish(struct installer *installer, const struct install_item *item)
{
	struct peer *peer = &installer->peers.items[item->slot];

	/* One with sessions lives on; the next dump says if the kernel had lost it. */
	if (!peer->is_confirmed)
		peers_begin_installation(&installer->peers, item->slot, clock_ms());
	peer->is_intent = false;
	reconcile_installed(&installer->reconcile, item->slot);
	renewal_found(installer, item->slot, &item->peer);
	log_installed(item);
	install_replay(installer, item->ticket);
	announce_outcome(installer, item->ticket, OUTCOME_INSTALLED, 0);
}

void install_flush(struct installer *installer)
{
	struct secrets *secrets = installer->secrets;
	int together, error;

	if (installer->batch_count == 0)
		return;
	together = set_together(installer);
	for (uint32_t i = 0; i < installer->batch_count; i++) {
		struct install_item *item = &secrets->batch[i];

		/* Which one it refused the kernel doesn't say. Saying the same twice changes nothing. */
		error = together == 0 ? 0 : set_alone(installer, item);
		if (error == 0) {
			finish(installer, item);
		} else {
			undo(installer, item);
			fail(installer, item->ticket, strerror(-error));
		}
	}
	explicit_bzero(secrets->batch, installer->batch_count * sizeof(secrets->batch[0]));
	installer->batch_count = 0;
	survey_after_install(installer);
}
