/* SPDX-License-Identifier: ISC */
/* What the audit prints: a line a fact, with its verdict. */
#ifndef PULLGATE_AUDIT_REPORT_H
#define PULLGATE_AUDIT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct report {
	FILE *out;
	unsigned processes, facts, differences;
};

void report_process(struct report *report, const char *name, int pid);

/* As designed where found is the very text that is expected. */
void report_fact(struct report *report, const char *name, const char *found, const char *expected);

/* The same with the caller's verdict; expected is printed where it differs. */
void report_judged(struct report *report, const char *name, const char *found, bool as_designed,
	const char *expected);

/* The same for a number. */
void report_number(struct report *report, const char *name, unsigned long found, bool as_designed,
	const char *expected);

/* Something that the design leaves to whoever starts pullgate: no verdict, not counted. */
void report_seen(struct report *report, const char *name, const char *found);

/* The last line. Whether all is as designed. */
bool report_end(struct report *report);

#endif
