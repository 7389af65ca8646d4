/* SPDX-License-Identifier: ISC */
/* How a demand ended, and for how long capture holds back further demands for that key. */
#include "installer/outcome.h"

uint64_t outcome_hold_ms(enum outcome_result result, uint64_t valid_ms)
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
	return OUTCOME_FAILED_HOLD_MS;
}

const char *outcome_name(enum outcome_result result)
{
	static const char *const names[] = {
		[OUTCOME_INSTALLED] = "installed",
		[OUTCOME_ABSENT] = "absent",
		[OUTCOME_REVOKED] = "revoked",
		[OUTCOME_REJECTED] = "rejected",
		[OUTCOME_FAILED] = "failed",
	};

	return (unsigned)result < sizeof(names) / sizeof(names[0]) ? names[result] : "unknown";
}
