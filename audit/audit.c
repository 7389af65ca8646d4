/* SPDX-License-Identifier: ISC */
/* Compares what the kernel says of running processes with what the design allows them. */
#include "audit/audit.h"

#include <string.h>

#include "audit/checks.h"
#include "audit/proc.h"

static void process_name(char *text, size_t size, enum role role)
{
	if (role == ROLE_SUPERVISOR)
		snprintf(text, size, "pullgate");
	else
		snprintf(text, size, "pullgate-%s", role_name(role));
}

/* Of all of them first: a process is also compared with its siblings. */
static void read_status(struct audit *audit, bool known[static ROLE_COUNT])
{
	static char text[PROC_TEXT_BYTES];

	for (enum role role = 0; role < ROLE_COUNT; role++) {
		pid_t pid = audit_pid(audit, role);

		known[role] = pid != 0 &&
			      proc_read(audit->proc, pid, "status", text, sizeof(text)) > 0 &&
			      process_status_parse(&audit->status[role], text) == 0 &&
			      !audit->status[role].ended;
	}
}

static void check_process(struct audit *audit, enum role role, bool known)
{
	char name[32];

	process_name(name, sizeof(name), role);
	if (!known) {
		report_fact(&audit->report, name, "doesn't run", "one process");
		return;
	}
	report_process(&audit->report, name, (int)audit_pid(audit, role));
	check_program(audit, role);
	check_credentials(audit, role);
	check_surroundings(audit, role);
	if (role != ROLE_SUPERVISOR)
		check_limits(audit, role);
	check_descriptors(audit, role);
	fputs("\n", audit->report.out);
}

enum audit_result audit_run(struct audit *audit, FILE *out)
{
	char error[INSTANCE_ERROR_BYTES];
	bool known[ROLE_COUNT];

	audit->report = (struct report){.out = out};
	if (instance_find(&audit->instance, audit->proc, audit->config_path, error) != 0) {
		fprintf(stderr, "pullgate: %s\n", error);
		return AUDIT_IMPOSSIBLE;
	}
	read_status(audit, known);
	for (enum role role = 0; role < ROLE_COUNT; role++)
		check_process(audit, role, known[role]);
	return report_end(&audit->report) ? AUDIT_AS_DESIGNED : AUDIT_DIFFERS;
}
