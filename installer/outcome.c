/* SPDX-License-Identifier: ISC */
/* How a demand ended, and for how long capture holds back further demands for that key. */
#include "installer/outcome.h"

static uint64_t failed_hold_ms(int64_t age_ms)
{
	int64_t left_ms = OUTCOME_BEFORE_RETRY_MS - age_ms;

	if (left_ms <= 0)
		return 0;
	return left_ms < OUTCOME_FAILED_HOLD_MS ? (uint64_t)left_ms : OUTCOME_FAILED_HOLD_MS;
}

uint64_t outcome_hold_ms(enum outcome_result result, uint64_t valid_ms, int64_t age_ms)
{
	switch (result) {
	case OUTCOME_INSTALLED:
		return 0;
	case OUTCOME_ABSENT:
		return valid_ms;
	case OUTCOME_REVOKED:
		return OUTCOME_REVOKED_HOLD_MS;
	case OUTCOME_REJECTED:
		return OUTCOME_REJECTED_HOLD_MS;
	case OUTCOME_FAILED:
		break;
	}
	return failed_hold_ms(age_ms);
}
