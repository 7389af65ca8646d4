/* SPDX-License-Identifier: ISC */
/* A share of the time. */
#include "capture/work_budget.h"

/* Whole microseconds are paid; the time that is over counts the next time. */
static void pay(struct work_budget *budget, int64_t now_us)
{
	int64_t paid_us = (now_us - budget->paid_us) / WORK_BUDGET_SHARE;

	if (paid_us <= 0)
		return;
	budget->paid_us += paid_us * WORK_BUDGET_SHARE;
	budget->spent_us = budget->spent_us > paid_us ? budget->spent_us - paid_us : 0;
}

bool work_budget_has(struct work_budget *budget, int64_t now_us)
{
	pay(budget, now_us);
	return budget->spent_us < WORK_BUDGET_BURST_US;
}

void work_budget_spend(struct work_budget *budget, int64_t took_us)
{
	budget->spent_us += took_us;
	if (budget->spent_us > 2 * WORK_BUDGET_BURST_US)
		budget->spent_us = 2 * WORK_BUDGET_BURST_US;
}

int64_t work_budget_wait_us(struct work_budget *budget, int64_t now_us)
{
	if (work_budget_has(budget, now_us))
		return 0;
	return (budget->spent_us - WORK_BUDGET_BURST_US + 1) * WORK_BUDGET_SHARE -
	       (now_us - budget->paid_us);
}
