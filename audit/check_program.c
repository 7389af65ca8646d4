/* SPDX-License-Identifier: ISC */
/* Which program a process runs, and with what around it. */
#include <errno.h>
#include <string.h>

#include "audit/checks.h"
#include "audit/proc.h"

#define ENVIRONMENT_BYTES 4096

/* Whether it is the binary beside the supervisor's, as that is on disk now. */
static bool is_installed_binary(const struct audit *audit, enum role role)
{
	const char *supervisor = audit->instance.executable[ROLE_SUPERVISOR];
	const char *slash = strrchr(supervisor, '/');
	struct stat running, installed;
	char name[EXECUTABLE_BYTES + 32];

	if (slash == NULL)
		return false;
	snprintf(name, sizeof(name), "root%.*s/pullgate%s%s", (int)(slash - supervisor), supervisor,
		role == ROLE_SUPERVISOR ? "" : "-", role == ROLE_SUPERVISOR ? "" : role_name(role));
	/* By way of the supervisor's root: a child's own is empty. */
	return proc_stat(audit->proc, audit_pid(audit, role), "exe", &running) == 0 &&
	       proc_stat(audit->proc, audit_pid(audit, ROLE_SUPERVISOR), name, &installed) == 0 &&
	       running.st_dev == installed.st_dev && running.st_ino == installed.st_ino;
}

/* The names of variables, with commas between. */
static void environment_names(const char *environment, size_t length, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t at = 0; at < length && used < size; at += strlen(environment + at) + 1)
		used += (size_t)snprintf(text + used, size - used, "%s%.*s", at == 0 ? "" : ",",
			(int)strcspn(environment + at, "="), environment + at);
}

static void check_environment(struct audit *audit, enum role role)
{
	static char environment[ENVIRONMENT_BYTES];
	char names[AUDIT_TEXT_BYTES];
	ssize_t length = proc_read(
		audit->proc, audit_pid(audit, role), "environ", environment, sizeof(environment));

	if (length < 0)
		snprintf(names, sizeof(names), "%s", strerror((int)-length));
	else
		environment_names(environment, (size_t)length, names, sizeof(names));
	report_fact(&audit->report, "environment", names, "JOURNAL_STREAM");
}

static void check_children(struct audit *audit, enum role role)
{
	const struct instance *instance = &audit->instance;
	size_t designed = role == ROLE_SUPERVISOR ? ROLE_COUNT - 1 : 0;
	char expected[8];

	snprintf(expected, sizeof(expected), "%zu", designed);
	report_number(&audit->report, "children", instance->children_of[role],
		instance->children_of[role] == designed, expected);
	if (role == ROLE_SUPERVISOR && instance->strangers > 0)
		report_number(&audit->report, "other children", instance->strangers, false, "0");
}

void check_program(struct audit *audit, enum role role)
{
	const struct process_status *status = &audit->status[role];
	struct report *report = &audit->report;
	char expected[EXECUTABLE_BYTES + 64];

	snprintf(expected, sizeof(expected), "the file beside the supervisor's, as it is now");
	report_judged(report, "executable", audit->instance.executable[role],
		is_installed_binary(audit, role), expected);
	if (role != ROLE_SUPERVISOR) {
		check_environment(audit, role);
		report_number(report, "parent", (unsigned long)status->parent,
			status->parent == audit_pid(audit, ROLE_SUPERVISOR), "the supervisor");
	}
	check_children(audit, role);
	report_number(report, "threads", status->threads, status->threads == 1, "1");
	report_number(report, "tracer", (unsigned long)status->tracer, status->tracer == 0, "0");
}
