/* SPDX-License-Identifier: ISC */
/*
 * How much a process says of what others make it do: a flood of messages or packets must not become
 * one of log lines. What is not said is counted, and the counts are said now and then.
 */
#ifndef PULLGATE_LINE_BUDGET_H
#define PULLGATE_LINE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* So many lines a second, and no more. Zeroed at first. */
struct line_budget {
	int64_t second;
	unsigned used;
};

/* Takes one line, if this second has one left. */
bool line_budget_take(struct line_budget *budget, int64_t now_ms, unsigned lines_a_second);

#define COUNT_REPORT_EVERY_MS 10000

/* When a count is said: at most once in COUNT_REPORT_EVERY_MS, if it has grown. Zeroed at first. */
struct count_report {
	int64_t next_ms;
	uint64_t said;
};

/* Whether the count is to be said now. */
bool count_report_due(struct count_report *report, uint64_t count, int64_t now_ms);

#endif
