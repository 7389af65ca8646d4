/* SPDX-License-Identifier: ISC */
/* How a demand ended, and for how long capture holds back further demands for that key. */
#ifndef PULLGATE_INSTALLER_OUTCOME_H
#define PULLGATE_INSTALLER_OUTCOME_H

#include <stdint.h>

#include "common/message.h"

enum {
	/* 410 is for good; a minute keeps a revoked client from costing more than a request then. */
	OUTCOME_REVOKED_HOLD_MS = 60000,
	/* Somebody has to change the control plane or the policy; a client's second retry may see it. */
	OUTCOME_REJECTED_HOLD_MS = 10000,
	/* Passes by itself. */
	OUTCOME_FAILED_HOLD_MS = 1000,
	/* So long after its initiation a client can't have retried (WireGuard paper, section 6.1: 5 s);
	 * no passing failure holds longer, however late it came, so that the retry is a demand. */
	OUTCOME_BEFORE_RETRY_MS = 4500,
};

/* OUTCOME.hold_ms. valid_ms is PEER's, which tells it for 404 (the negative TTL); an installed key
 * needs none, for the kernel answers it. age_ms is that of the demand's newest initiation. */
uint64_t outcome_hold_ms(enum outcome_result result, uint64_t valid_ms, int64_t age_ms);

#endif
