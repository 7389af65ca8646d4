/* SPDX-License-Identifier: ISC */
/* Resource limits beside those of sandbox/limits.h. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/checks.h"
#include "audit/proc.h"
#include "sandbox/limits.h"

static void limit_text(rlim_t limit, char text[static 24])
{
	if (limit == RLIM_INFINITY)
		snprintf(text, 24, "unlimited");
	else
		snprintf(text, 24, "%llu", (unsigned long long)limit);
}

/* A lower one is as good: the sandbox doesn't raise what whoever started pullgate has set. */
static void check_limit(struct audit *audit, const struct limit *limit, const char *text)
{
	struct rlimit found;
	char soft[24], hard[24], both[64], greatest[24], expected[40];
	const char *title = limit->name + strlen("Max ");
	bool is_low;

	limit_text(limit->greatest, greatest);
	snprintf(expected, sizeof(expected), "%s%s", limit->greatest == 0 ? "" : "at most ",
		greatest);
	if (limit_parse(text, limit->name, &found) != 0) {
		report_judged(&audit->report, title, "unknown", false, expected);
		return;
	}
	is_low = found.rlim_cur <= limit->greatest && found.rlim_max <= limit->greatest;
	limit_text(found.rlim_cur, soft);
	limit_text(found.rlim_max, hard);
	snprintf(both, sizeof(both), "%s, hard %s", soft, hard);
	report_judged(
		&audit->report, title, strcmp(soft, hard) == 0 ? soft : both, is_low, expected);
}

static bool is_file(const struct audit *audit, pid_t pid, int fd)
{
	struct stat status;
	char name[16];

	snprintf(name, sizeof(name), "fd/%d", fd);
	return proc_stat(audit->proc, pid, name, &status) == 0 && S_ISREG(status.st_mode);
}

void check_limits(struct audit *audit, enum role role)
{
	static char text[PROC_TEXT_BYTES];
	struct limit limits[LIMITS_COUNT];
	pid_t pid = audit_pid(audit, role);
	const struct limit_files files = {
		.log = is_file(audit, pid, STDERR_FILENO),
		.cache = role == ROLE_FETCHER && is_file(audit, pid, FD_CACHE),
	};
	ssize_t length = proc_read(audit->proc, pid, "limits", text, sizeof(text));

	if (length < 0)
		text[0] = '\0'; /* each of them is unknown */
	limits_of_role(role, &files, limits);
	for (size_t i = 0; i < LIMITS_COUNT; i++)
		check_limit(audit, &limits[i], text);
}
