/* SPDX-License-Identifier: ISC */
/* What the audit prints. */
#include "audit/report.h"

#include <string.h>

/* Names of files and variables are anybody's: no control character reaches a terminal. */
static void print_cleanly(FILE *out, const char *text, int width)
{
	for (; *text != '\0'; text++, width--)
		putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, out);
	fprintf(out, "%*s", width > 0 ? width : 0, "");
}

static void print_fact(const struct report *report, const char *name, const char *found)
{
	fprintf(report->out, "  %-17s  ", name);
	print_cleanly(report->out, found, 40);
	fputs("  ", report->out);
}

void report_process(struct report *report, const char *name, int pid)
{
	report->processes++;
	fprintf(report->out, "%s, process %d\n", name, pid);
}

void report_judged(struct report *report, const char *name, const char *found, bool as_designed,
	const char *expected)
{
	report->facts++;
	print_fact(report, name, found);
	if (as_designed) {
		fputs("as designed\n", report->out);
		return;
	}
	report->differences++;
	fputs("DIFFERS: expected ", report->out);
	print_cleanly(report->out, expected, 0);
	fputs("\n", report->out);
}

void report_fact(struct report *report, const char *name, const char *found, const char *expected)
{
	report_judged(report, name, found, strcmp(found, expected) == 0, expected);
}

void report_number(struct report *report, const char *name, unsigned long found, bool as_designed,
	const char *expected)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", found);
	report_judged(report, name, text, as_designed, expected);
}

void report_seen(struct report *report, const char *name, const char *found)
{
	print_fact(report, name, found);
	fputs("as it was started\n", report->out);
}

bool report_end(struct report *report)
{
	if (report->differences == 0)
		fprintf(report->out, "all as designed: %u processes, %u facts\n", report->processes,
			report->facts);
	else
		fprintf(report->out, "%u of %u facts differ\n", report->differences, report->facts);
	return report->differences == 0;
}
