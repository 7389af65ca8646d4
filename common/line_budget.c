/* SPDX-License-Identifier: ISC */
/* How much a process says of what others make it do. */
#include "common/line_budget.h"

bool line_budget_take(struct line_budget *budget, int64_t now_ms, unsigned lines_a_second)
{
	if (now_ms / 1000 != budget->second)
		*budget = (struct line_budget){.second = now_ms / 1000};
	if (budget->used >= lines_a_second)
		return false;
	budget->used++;
	return true;
}

bool count_report_due(struct count_report *report, uint64_t count, int64_t now_ms)
{
	if (count == report->said || now_ms < report->next_ms)
		return false;
	*report = (struct count_report){.next_ms = now_ms + COUNT_REPORT_EVERY_MS, .said = count};
	return true;
}
