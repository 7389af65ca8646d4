/* SPDX-License-Identifier: ISC */
/* pullgate's own table of what the kernel's interface holds. */
#include "installer/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATIC_PEERS_MIN 4096

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int peers_init(struct peers *peers, uint32_t max_installed, uint32_t allowed_ips)
{
	uint32_t room = max_installed > STATIC_PEERS_MIN ? max_installed : STATIC_PEERS_MIN;
	uint32_t capacity = smaller(max_installed + room, PEERS_KERNEL_MAX);
	int error;

	memset(peers, 0, sizeof(*peers));
	error = key_index_init(&peers->index, capacity);
	if (error == 0)
		error = allowed_ips_init(&peers->allowed_ips, capacity, capacity * allowed_ips);
	if (error == 0)
		error = due_queue_init(&peers->due, capacity);
	if (error == 0) {
		peers->items = calloc(capacity, sizeof(*peers->items));
		if (peers->items == NULL)
			error = -ENOMEM;
	}
	if (error != 0)
		peers_destroy(peers);
	return error;
}

void peers_destroy(struct peers *peers)
{
	key_index_destroy(&peers->index);
	allowed_ips_destroy(&peers->allowed_ips);
	due_queue_destroy(&peers->due);
	free(peers->items);
	memset(peers, 0, sizeof(*peers));
}

uint32_t peers_find(const struct peers *peers, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	return key_index_find(&peers->index, key);
}

const uint8_t *peers_key(const struct peers *peers, uint32_t slot)
{
	return peers->index.keys[slot];
}

uint32_t peers_add(
	struct peers *peers, const uint8_t key[static WIREGUARD_KEY_BYTES], enum known_state state)
{
	uint32_t slot = key_index_add(&peers->index, key);

	if (slot == KEY_INDEX_NONE)
		return slot;
	peers->items[slot] = (struct peer){.state = state};
	if (state == KNOWN_INSTALLED) {
		peers->installed++;
		peers->unconfirmed++;
	}
	return slot;
}

void peers_remove(struct peers *peers, uint32_t slot)
{
	const struct peer *peer = &peers->items[slot];

	if (peer->state == KNOWN_INSTALLED) {
		peers->installed--;
		peers->unconfirmed -= !peer->is_confirmed;
	}
	removal_guard_forget(&peers->guard, &peers->items[slot].guard_mark);
	peers_set_load(peers, slot, 0);
	peers_set_stale(peers, slot, false);
	due_queue_remove(&peers->due, slot);
	allowed_ips_remove_all(&peers->allowed_ips, slot);
	key_index_remove(&peers->index, slot);
}

void peers_begin_installation(struct peers *peers, uint32_t slot, int64_t now_ms)
{
	struct peer *peer = &peers->items[slot];

	peers->unconfirmed += peer->is_confirmed;
	peer->is_confirmed = false;
	peer->installed_ms = peer->active_ms = now_ms;
	peer->handshake_seconds = peer->handshake_nanoseconds = 0;
	peer->received_bytes = 0;
}

void peers_confirm(struct peers *peers, uint32_t slot)
{
	struct peer *peer = &peers->items[slot];

	peers->unconfirmed -= !peer->is_confirmed;
	peer->is_confirmed = true;
}

void peers_set_load(struct peers *peers, uint32_t slot, uint32_t load)
{
	struct peer *peer = &peers->items[slot];

	peers->load += load;
	peers->load -= peer->load;
	peer->load = load;
}

void peers_set_stale(struct peers *peers, uint32_t slot, bool is_stale)
{
	struct peer *peer = &peers->items[slot];

	peers->stale += is_stale;
	peers->stale -= peer->is_stale;
	peer->is_stale = is_stale;
}

static bool owns(const struct peers *peers, uint32_t slot, const struct prefix *prefix)
{
	const struct allowed_ips *table = &peers->allowed_ips;

	for (allowed_ips_place at = allowed_ips_first(table, slot); at != 0;
		at = allowed_ips_next(table, at)) {
		struct prefix own = allowed_ips_prefix(table, at);

		if (memcmp(&own, prefix, sizeof(own)) == 0)
			return true;
	}
	return false;
}

static bool repeats(const struct prefix *prefixes, uint32_t number)
{
	for (uint32_t i = 0; i < number; i++) {
		if (memcmp(&prefixes[i], &prefixes[number], sizeof(prefixes[i])) == 0)
			return true;
	}
	return false;
}

bool peers_has_allowed_ips(
	const struct peers *peers, uint32_t slot, const struct prefix *prefixes, uint32_t count)
{
	uint32_t distinct = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!owns(peers, slot, &prefixes[i]))
			return false;
		distinct += !repeats(prefixes, i);
	}
	return distinct == allowed_ips_count(&peers->allowed_ips, slot);
}

int peers_set_allowed_ips(
	struct peers *peers, uint32_t slot, const struct prefix *prefixes, uint32_t count)
{
	uint32_t moved_from;
	int error = 0;

	allowed_ips_remove_all(&peers->allowed_ips, slot);
	for (uint32_t i = 0; i < count && error == 0; i++)
		error = allowed_ips_add(&peers->allowed_ips, slot, &prefixes[i], &moved_from);
	return error;
}
