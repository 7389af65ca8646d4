/* SPDX-License-Identifier: ISC */
/*
 * Whether a child still works: it is asked again and again, and answers from the loop in which it
 * does everything else. One conversation a child, from its READY on. Times are clock_ms()'s.
 */
#ifndef PULLGATE_HEALTH_H
#define PULLGATE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/role.h"

#define HEALTH_ASK_EVERY_MS 2000

/*
 * A child that was silent for so long hangs. A turn of an honest one's loop takes well below a
 * second, on a machine so loaded that it gets a tenth of a processor too. A hang is found within
 * HEALTH_ASK_EVERY_MS more.
 */
#define HEALTH_SILENT_MS 5000

/*
 * The connector's turn can be a call of getaddrinfo(3), which waits for three name servers that
 * don't answer, twice, with the name as it is and with a search domain: 12 s
 * (connector/addresses.h). Connections that exist do without it meanwhile.
 */
#define HEALTH_SILENT_CONNECTOR_MS 20000

/*
 * A supervisor that was not run itself for so long (SIGSTOP, a suspended machine) asks anew before
 * it judges. Its loop turns at least once a second.
 */
#define HEALTH_GAP_MS 3000

struct health {
	uint64_t asked, answered; /* ids of the last question and of the last one answered */
	int64_t asked_ms;
	int64_t silent_since_ms; /* while asked and answered differ */
};

/* A new conversation. */
void health_begin(struct health *health);

/* Whether it is time for a question. */
bool health_is_due(const struct health *health, int64_t now_ms);

/* The id of the next question, which counts as asked now. */
uint64_t health_ask(struct health *health, int64_t now_ms);

/* 0, or -EPROTO for an answer that no open question has: never asked, or answered before. */
int health_answer(struct health *health, uint64_t id, int64_t now_ms);

/* For how long it owes an answer; 0 when it owes none. */
int64_t health_silent_ms(const struct health *health, int64_t now_ms);

/* How long a child of that role may be silent. */
int64_t health_limit_ms(enum role role);

/* Forgets its silence, and makes the next question due: nobody could be heard. */
void health_excuse(struct health *health, int64_t now_ms);

#endif
