/* SPDX-License-Identifier: ISC */
/* Who a process is and what it may, as the kernel has it. */
#include <errno.h>
#include <string.h>

#include "audit/capability_names.h"
#include "audit/checks.h"
#include "audit/proc.h"
#include "sandbox/walls.h"

#define NAMES_BYTES 512

/* The one ID that all four are, or the four. */
static void ids_text(const unsigned long ids[static IDS], char text[static AUDIT_TEXT_BYTES])
{
	if (ids[0] == ids[1] && ids[0] == ids[2] && ids[0] == ids[3])
		snprintf(text, AUDIT_TEXT_BYTES, "%lu", ids[0]);
	else
		snprintf(text, AUDIT_TEXT_BYTES, "%lu %lu %lu %lu", ids[0], ids[1], ids[2], ids[3]);
}

static void check_ids(
	struct audit *audit, const char *name, const unsigned long *ids, unsigned long designed)
{
	char found[AUDIT_TEXT_BYTES], expected[24];

	ids_text(ids, found);
	snprintf(expected, sizeof(expected), "%lu", designed);
	report_fact(&audit->report, name, found, expected);
}

static void check_capability_set(
	struct audit *audit, const char *name, capability_set found, capability_set designed)
{
	char found_text[NAMES_BYTES], designed_text[NAMES_BYTES];

	capability_names(found, found_text, sizeof(found_text));
	capability_names(designed, designed_text, sizeof(designed_text));
	report_judged(&audit->report, name, found_text, found == designed, designed_text);
}

/* The supervisor's bounding set is what its children start from. */
static capability_set designed_set(enum role role, enum capability_kind kind)
{
	bool is_held = kind == CAPABILITIES_PERMITTED || kind == CAPABILITIES_EFFECTIVE ||
		       (kind == CAPABILITIES_BOUNDING && role == ROLE_SUPERVISOR);

	return is_held ? walls_of_role(role)->capabilities : 0;
}

static void check_capabilities(struct audit *audit, enum role role)
{
	const capability_set *found = audit->status[role].capabilities;

	for (enum capability_kind kind = 0; kind < CAPABILITY_KINDS; kind++) {
		check_capability_set(
			audit, capability_kind_names[kind], found[kind], designed_set(role, kind));
	}
}

/* The supervisor's filter is inherited, and each child has its own besides. */
static void check_seccomp(struct audit *audit, enum role role)
{
	const struct process_status *status = &audit->status[role];
	unsigned long inherited = audit->status[ROLE_SUPERVISOR].seccomp_filters;
	char expected[24];

	report_number(&audit->report, "Seccomp", status->seccomp, status->seccomp == 2, "2");
	if (role == ROLE_SUPERVISOR) {
		report_number(&audit->report, "Seccomp_filters", status->seccomp_filters,
			status->seccomp_filters >= 1, "at least 1");
		return;
	}
	snprintf(expected, sizeof(expected), "%lu", inherited + 1);
	report_number(&audit->report, "Seccomp_filters", status->seccomp_filters,
		status->seccomp_filters == inherited + 1, expected);
}

/* What a process that can't be dumped has in /proc is root's (proc(5)), whoever it is itself. */
static void check_dumps(struct audit *audit, enum role role)
{
	struct stat status;
	int error = proc_stat(audit->proc, audit_pid(audit, role), "status", &status);

	if (error != 0)
		report_fact(&audit->report, "dumpable", strerror(-error), "no");
	else
		report_fact(&audit->report, "dumpable", status.st_uid == 0 ? "no" : "yes", "no");
}

void check_credentials(struct audit *audit, enum role role)
{
	const struct process_status *status = &audit->status[role];
	struct report *report = &audit->report;
	char umask_text[24];

	check_ids(audit, "Uid", status->user, audit->users[role].user_id);
	check_ids(audit, "Gid", status->group, audit->users[role].group_id);
	check_dumps(audit, role);
	if (role == ROLE_SUPERVISOR) {
		report_seen(report, "NoNewPrivs", status->no_new_privileges != 0 ? "1" : "0");
	} else {
		report_number(report, "Groups", status->groups, status->groups == 0, "0");
		report_number(report, "NoNewPrivs", status->no_new_privileges,
			status->no_new_privileges == 1, "1");
	}
	check_capabilities(audit, role);
	check_seccomp(audit, role);
	snprintf(umask_text, sizeof(umask_text), "%03lo", status->umask);
	report_fact(report, "Umask", umask_text, "077");
}
