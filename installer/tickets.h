/* SPDX-License-Identifier: ISC */
/*
 * The first of the two keys to the door: what capture demanded lately. A PEER installs nothing
 * unless a ticket of that very id and key waits for it, and a ticket serves one answer.
 *
 * A ticket lives for TICKET_LIFE_MS after the last DEMAND for it. While it waits, a newer DEMAND of
 * the same key replaces its initiation, for a client's retry makes its earlier one worthless. Once
 * it has had its answer it remembers the outcome until its time is over, so that a DEMAND which
 * crossed the OUTCOME on its way is answered too, and an OUTCOME that found the channel full can be
 * sent later.
 */
#ifndef PULLGATE_INSTALLER_TICKETS_H
#define PULLGATE_INSTALLER_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "installer/key_index.h"

/* Two of a client's retries: an answer that comes later than this is of no use to it. */
#define TICKET_LIFE_MS 10000
#define TICKETS_MAX    16384

struct ticket {
	struct message_demand demand; /* the newest */
	int64_t expires_ms;
	bool is_spent; /* its answer has come; then: */
	enum outcome_result result;
	uint64_t hold_ms;
	bool owes_outcome; /* capture has not been told yet */
	/* Its neighbours in the order of expiry, KEY_INDEX_NONE at the ends. */
	uint32_t earlier, later;
};

struct tickets {
	struct key_index index;
	struct ticket *items;
	uint32_t first, last; /* to expire */
	uint32_t owing;       /* tickets that owe an outcome */
};

enum ticket_result {
	TICKET_WAITS,   /* a new ticket, or a waiting one with a newer initiation */
	TICKET_SPENT,   /* the demand with this id has had its answer already */
	TICKET_REFUSED, /* the table is full */
};

/* 0 or as key_index_init(). */
int tickets_init(struct tickets *tickets, uint32_t capacity);
void tickets_destroy(struct tickets *tickets);

/* Notes a demand. *ticket is the key's ticket, NULL if refused; it stays valid until the next call
 * of tickets_demand() or tickets_expire(). */
enum ticket_result tickets_demand(struct tickets *tickets, const struct message_demand *demand,
	int64_t now_ms, struct ticket **ticket);

/* Spends the ticket that waits for an answer with this id and key: no further answer finds it. NULL
 * when there is none. */
struct ticket *tickets_take(struct tickets *tickets, uint64_t id,
	const uint8_t key[static WIREGUARD_KEY_BYTES], int64_t now_ms);

/* Milliseconds since its newest demand came. */
int64_t ticket_age_ms(const struct ticket *ticket, int64_t now_ms);

/* Notes the outcome of a ticket that was taken. It is owed until tickets_told(). */
void tickets_answer(struct tickets *tickets, struct ticket *ticket, enum outcome_result result,
	uint64_t hold_ms);
void tickets_told(struct tickets *tickets, struct ticket *ticket);

/* Walks the tickets that owe an outcome: NULL begins, NULL ends. */
struct ticket *tickets_next_owing(const struct tickets *tickets, const struct ticket *ticket);

/* Forgets the tickets whose time is over. */
void tickets_expire(struct tickets *tickets, int64_t now_ms);

#endif
