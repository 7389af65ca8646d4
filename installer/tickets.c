/* SPDX-License-Identifier: ISC */
/* What capture demanded lately. */
#include "installer/tickets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tickets_init(struct tickets *tickets, uint32_t capacity)
{
	int error = key_index_init(&tickets->index, capacity);

	tickets->first = tickets->last = KEY_INDEX_NONE;
	tickets->owing = 0;
	tickets->items = NULL;
	if (error != 0)
		return error;
	tickets->items = calloc(capacity, sizeof(*tickets->items));
	if (tickets->items != NULL)
		return 0;
	tickets_destroy(tickets);
	return -ENOMEM;
}

void tickets_destroy(struct tickets *tickets)
{
	key_index_destroy(&tickets->index);
	free(tickets->items);
	tickets->items = NULL;
}

static void unlink_ticket(struct tickets *tickets, uint32_t slot)
{
	const struct ticket *ticket = &tickets->items[slot];

	*(ticket->earlier != KEY_INDEX_NONE ? &tickets->items[ticket->earlier].later
					    : &tickets->first) = ticket->later;
	*(ticket->later != KEY_INDEX_NONE ? &tickets->items[ticket->later].earlier
					  : &tickets->last) = ticket->earlier;
}

/* All live equally long, so the one that was renewed last expires last. */
static void link_last(struct tickets *tickets, uint32_t slot)
{
	struct ticket *ticket = &tickets->items[slot];

	ticket->earlier = tickets->last;
	ticket->later = KEY_INDEX_NONE;
	*(tickets->last != KEY_INDEX_NONE ? &tickets->items[tickets->last].later
					  : &tickets->first) = slot;
	tickets->last = slot;
}

void tickets_told(struct tickets *tickets, struct ticket *ticket)
{
	if (ticket->owes_outcome)
		tickets->owing--;
	ticket->owes_outcome = false;
}

void tickets_expire(struct tickets *tickets, int64_t now_ms)
{
	uint32_t slot;

	while ((slot = tickets->first) != KEY_INDEX_NONE &&
		tickets->items[slot].expires_ms <= now_ms) {
		tickets_told(tickets, &tickets->items[slot]);
		unlink_ticket(tickets, slot);
		key_index_remove(&tickets->index, slot);
		explicit_bzero(&tickets->items[slot], sizeof(tickets->items[slot]));
	}
}

/* The slot for this demand's key, linked last; a fresh one waits. KEY_INDEX_NONE: full. */
static uint32_t claim(struct tickets *tickets, const struct message_demand *demand)
{
	uint32_t slot = key_index_find(&tickets->index, demand->key);

	if (slot != KEY_INDEX_NONE) {
		unlink_ticket(tickets, slot);
	} else {
		slot = key_index_add(&tickets->index, demand->key);
		if (slot == KEY_INDEX_NONE)
			return slot;
		tickets->items[slot] = (struct ticket){.demand = *demand};
	}
	link_last(tickets, slot);
	return slot;
}

enum ticket_result tickets_demand(struct tickets *tickets, const struct message_demand *demand,
	int64_t now_ms, struct ticket **ticket)
{
	uint32_t slot;

	tickets_expire(tickets, now_ms);
	slot = claim(tickets, demand);
	*ticket = NULL;
	if (slot == KEY_INDEX_NONE)
		return TICKET_REFUSED;
	*ticket = &tickets->items[slot];
	if ((*ticket)->demand.id != demand->id) {
		tickets_told(tickets, *ticket); /* that demand is given up */
		(*ticket)->is_spent = false;
	}
	(*ticket)->demand = *demand;
	(*ticket)->expires_ms = now_ms + TICKET_LIFE_MS;
	return (*ticket)->is_spent ? TICKET_SPENT : TICKET_WAITS;
}

struct ticket *tickets_take(struct tickets *tickets, uint64_t id,
	const uint8_t key[static WIREGUARD_KEY_BYTES], int64_t now_ms)
{
	uint32_t slot = key_index_find(&tickets->index, key);
	struct ticket *ticket;

	if (slot == KEY_INDEX_NONE)
		return NULL;
	ticket = &tickets->items[slot];
	if (ticket->is_spent || ticket->demand.id != id || ticket->expires_ms <= now_ms)
		return NULL;
	ticket->is_spent = true;
	return ticket;
}

int64_t ticket_age_ms(const struct ticket *ticket, int64_t now_ms)
{
	return now_ms - (ticket->expires_ms - TICKET_LIFE_MS);
}

void tickets_answer(struct tickets *tickets, struct ticket *ticket, enum outcome_result result,
	uint64_t hold_ms)
{
	if (!ticket->owes_outcome)
		tickets->owing++;
	ticket->owes_outcome = true;
	ticket->result = result;
	ticket->hold_ms = hold_ms;
}

struct ticket *tickets_next_owing(const struct tickets *tickets, const struct ticket *ticket)
{
	uint32_t slot = ticket != NULL ? ticket->later : tickets->first;

	if (tickets->owing == 0)
		return NULL;
	while (slot != KEY_INDEX_NONE && !tickets->items[slot].owes_outcome)
		slot = tickets->items[slot].later;
	return slot != KEY_INDEX_NONE ? &tickets->items[slot] : NULL;
}
