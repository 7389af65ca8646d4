/* SPDX-License-Identifier: ISC */
/*
 * What capture is told. Nothing waits for it: what finds the channel full is owed, and sent when
 * there is room. A capture that makes no room for CAPTURE_DEAF_MS is reported as an offender. A new
 * capture process learns everything again.
 */
#ifndef PULLGATE_INSTALLER_ANNOUNCE_H
#define PULLGATE_INSTALLER_ANNOUNCE_H

#include "installer/installer.h"

/* A new capture process is at the other end: it must be told everything. */
void announce_everything(struct installer *installer);

/* The gateway's facts or addresses are new, or static peers were found. */
void announce_gateway(struct installer *installer);
void announce_addresses(struct installer *installer);
void announce_found_peers(struct installer *installer);

/* Spends the ticket and tells its outcome, now or later. */
void announce_outcome(struct installer *installer, struct ticket *ticket,
	enum outcome_result result, uint64_t valid_ms);

/* Tells the outcome of a ticket that is spent already. */
void announce_outcome_again(struct installer *installer, struct ticket *ticket);

/* Tells that a demand could not even become a ticket; lost if there is no room. */
void announce_refusal(struct installer *installer, const struct message_demand *demand);

/* Tells that a peer is about to be removed. False when there is no room: then it must stay. */
bool announce_removal(struct installer *installer, uint32_t slot);

/* There is room in capture's queue again. */
void announce_emptied(struct installer *installer);

/* Whether something is owed that only needs room in the channel. */
bool announce_is_owing(const struct installer *installer);

/* Sends what is owed, as much as there is room for and one turn allows. */
void announce_continue(struct installer *installer);

#endif
