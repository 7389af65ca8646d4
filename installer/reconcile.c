/* SPDX-License-Identifier: ISC */
/* Brings the table of peers into line with what a dump shows. */
#include "installer/reconcile.h"

#include <string.h>

#include "common/key_text.h"
#include "common/log.h"

void reconcile_init(struct reconcile *reconcile, struct peers *peers)
{
	*reconcile = (struct reconcile){.peers = peers, .slot = KEY_INDEX_NONE};
}

/* The last dump becomes the previous one, unless it was given up. */
static void keep_tail(struct reconcile *reconcile)
{
	if (reconcile->is_running)
		return;
	reconcile->previous = reconcile->number;
	reconcile->had_tail = reconcile->has_tail;
	memcpy(reconcile->previous_tail, reconcile->tail, WIREGUARD_KEY_BYTES);
}

void reconcile_begin(struct reconcile *reconcile, int64_t now_ms)
{
	keep_tail(reconcile);
	reconcile->number++;
	reconcile->has_tail = reconcile->has_passed_tail = false;
	reconcile->began_ms = now_ms;
	reconcile->is_running = true;
	reconcile->ignores_unknown = false;
	reconcile->lacked_room = false;
	reconcile->slot = KEY_INDEX_NONE;
}

static void log_handshake(const struct device_peer *shown)
{
	char key[KEY_BASE64_BYTES], address[ADDRESS_TEXT_BYTES];

	log_event(LOG_LEVEL_INFO, "handshake", "key=%s endpoint=%s port=%u",
		key_to_base64(key, shown->public_key),
		shown->has_endpoint ? address_format(address, &shown->endpoint) : "none",
		shown->endpoint_port);
}

static void judge_traffic(
	struct reconcile *reconcile, uint32_t slot, const struct device_peer *shown)
{
	struct peer *peer = &reconcile->peers->items[slot];
	bool has_handshake = shown->handshake_seconds != 0 || shown->handshake_nanoseconds != 0;

	/* Without a handshake where there was one: someone removed and made it again. */
	if (peer->is_confirmed && !has_handshake)
		peers_begin_installation(reconcile->peers, slot, reconcile->began_ms);
	if (peer->handshake_seconds != shown->handshake_seconds ||
		peer->handshake_nanoseconds != shown->handshake_nanoseconds ||
		peer->received_bytes != shown->received_bytes)
		peer->active_ms = reconcile->began_ms;
	peer->handshake_seconds = shown->handshake_seconds;
	peer->handshake_nanoseconds = shown->handshake_nanoseconds;
	peer->received_bytes = shown->received_bytes;
	if (has_handshake && !peer->is_confirmed) {
		peers_confirm(reconcile->peers, slot);
		log_handshake(shown);
	}
}

static uint32_t find_or_add(struct reconcile *reconcile, const uint8_t *key)
{
	uint32_t slot = peers_find(reconcile->peers, key);

	if (slot != KEY_INDEX_NONE || reconcile->ignores_unknown)
		return slot;
	slot = peers_add(reconcile->peers, key, KNOWN_STATIC);
	if (slot == KEY_INDEX_NONE)
		reconcile->lacked_room = true;
	else
		reconcile->found_static = true;
	return slot;
}

/* The dump has shown the whole of a peer: what the table has beyond that is no longer so. */
static void finish_peer(struct reconcile *reconcile)
{
	if (reconcile->slot != KEY_INDEX_NONE)
		allowed_ips_cut(&reconcile->peers->allowed_ips, reconcile->slot, reconcile->place);
	reconcile->slot = KEY_INDEX_NONE;
}

/* Between packets the table may have changed: finds the place again by counting. */
static void find_place(struct reconcile *reconcile)
{
	const struct allowed_ips *table = &reconcile->peers->allowed_ips;

	if (reconcile->slot == KEY_INDEX_NONE)
		return;
	reconcile->place = allowed_ips_first(table, reconcile->slot);
	for (uint32_t i = 0; i < reconcile->matched && reconcile->place != 0; i++)
		reconcile->place = allowed_ips_next(table, reconcile->place);
}

static void note_tail(struct reconcile *reconcile, const uint8_t *key)
{
	reconcile->has_tail = true;
	memcpy(reconcile->tail, key, WIREGUARD_KEY_BYTES);
	if (memcmp(key, reconcile->previous_tail, WIREGUARD_KEY_BYTES) == 0)
		reconcile->has_passed_tail = reconcile->had_tail;
}

int reconcile_peer(struct reconcile *reconcile, const struct device_peer *shown, bool is_continued)
{
	struct peer *peer;
	uint32_t slot;

	find_place(reconcile);
	if (is_continued) {
		if (shown->may_lack_allowed_ips)
			reconcile->slot = KEY_INDEX_NONE; /* the next dump shows them */
		return 0;
	}
	finish_peer(reconcile);
	note_tail(reconcile, shown->public_key);
	slot = find_or_add(reconcile, shown->public_key);
	if (slot == KEY_INDEX_NONE)
		return 0;
	peer = &reconcile->peers->items[slot];
	peer->seen = reconcile->number;
	if (peer->state == KNOWN_INSTALLED)
		judge_traffic(reconcile, slot, shown);
	if (peer->since == reconcile->number)
		return 0;
	reconcile->slot = slot;
	reconcile->matched = 0;
	find_place(reconcile);
	return 0;
}

static void log_moved(const struct reconcile *reconcile, uint32_t from, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_BYTES], from_key[KEY_BASE64_BYTES], to_key[KEY_BASE64_BYTES];

	log_event(LOG_LEVEL_WARNING, "allowed_ip_moved", "allowed_ip=%s from=%s to=%s",
		prefix_format(text, prefix),
		key_to_base64(from_key, peers_key(reconcile->peers, from)),
		key_to_base64(to_key, peers_key(reconcile->peers, reconcile->slot)));
}

int reconcile_allowed_ip(struct reconcile *reconcile, const struct prefix *shown)
{
	struct allowed_ips *table = &reconcile->peers->allowed_ips;
	uint32_t moved_from;
	struct prefix known;

	if (reconcile->slot == KEY_INDEX_NONE)
		return 0;
	reconcile->matched++;
	if (reconcile->place != 0) {
		known = allowed_ips_prefix(table, reconcile->place);
		if (memcmp(&known, shown, sizeof(known)) == 0) {
			reconcile->place = allowed_ips_next(table, reconcile->place);
			return 0;
		}
		allowed_ips_cut(table, reconcile->slot, reconcile->place);
		reconcile->place = 0;
	}
	if (allowed_ips_add(table, reconcile->slot, shown, &moved_from) != 0)
		reconcile->lacked_room = true;
	if (moved_from != ALLOWED_IPS_NO_OWNER)
		log_moved(reconcile, moved_from, shown);
	return 0;
}

bool reconcile_has_passed_tail(const struct reconcile *reconcile)
{
	return reconcile->has_passed_tail;
}

void reconcile_end(struct reconcile *reconcile, bool is_interrupted)
{
	find_place(reconcile);
	finish_peer(reconcile);
	reconcile->lacks_room = reconcile->lacked_room;
	reconcile->is_running = false;
	reconcile->is_complete = !is_interrupted;
}

void reconcile_installed(struct reconcile *reconcile, uint32_t slot)
{
	reconcile->peers->items[slot].since = reconcile->number;
	if (reconcile->slot == slot)
		reconcile->slot = KEY_INDEX_NONE;
}

void reconcile_removed(struct reconcile *reconcile)
{
	reconcile->ignores_unknown = true;
	reconcile->slot = KEY_INDEX_NONE; /* it may be that very peer's */
}

bool reconcile_was_seen(const struct reconcile *reconcile, uint32_t slot)
{
	return reconcile->peers->items[slot].seen == reconcile->number;
}

bool reconcile_is_gone(const struct reconcile *reconcile, uint32_t slot)
{
	const struct peer *peer = &reconcile->peers->items[slot];

	if (reconcile->is_running || peer->is_intent || peer->seen == reconcile->number)
		return false;
	if (reconcile->is_complete)
		return peer->since != reconcile->number;
	/* One that was installed since the previous dump may be anywhere. */
	return reconcile->has_passed_tail && peer->seen == reconcile->previous &&
	       peer->since < reconcile->previous;
}
