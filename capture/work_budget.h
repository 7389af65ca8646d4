/* SPDX-License-Identifier: ISC */
/*
 * A share of the time: half of it, and up to a burst's worth of what was not used. What a piece of
 * work takes is known when it is done, so more than is left may be spent, once. It is paid for
 * later, up to another burst's worth: a process that was stopped in the middle of its work need not
 * make up for that.
 *
 * The time is that of the clock, not the process' own: where others take the processor in between,
 * that is spent too, so that capture gives way on a loaded machine.
 */
#ifndef PULLGATE_WORK_BUDGET_H
#define PULLGATE_WORK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WORK_BUDGET_SHARE = 2, /* one of so many microseconds */
	WORK_BUDGET_BURST_US = 50000,
};

/* Zeroed at first: nothing is spent. Times are of one clock that never goes back. */
struct work_budget {
	int64_t spent_us; /* and not yet paid */
	int64_t paid_us;  /* when it was right */
};

/* Whether something is left. */
bool work_budget_has(struct work_budget *budget, int64_t now_us);

void work_budget_spend(struct work_budget *budget, int64_t took_us);

/* Microseconds until something is left, if nothing is spent; 0: now. */
int64_t work_budget_wait_us(struct work_budget *budget, int64_t now_us);

#endif
