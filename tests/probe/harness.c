/* SPDX-License-Identifier: ISC */
/*
 * Runs every attempt of every role, with and without the seccomp filter, and prints the walls that
 * each met: probe-harness DIRECTORY-OF-PROBES [TEXT...], where TEXT picks attempts by name. Ends with the
 * list of what seccomp alone stops and a line "N passed, N failed"; a test is an attempt of a role.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cell.h"
#include "outside.h"

/* One a role, with the filter and without. */
struct trial {
	const struct expectation *expected; /* NULL: the attempt means nothing for the role */
	struct cell filtered, unfiltered;
	int filtered_end, unfiltered_end;
};

struct tally {
	unsigned passed, failed;
	unsigned of_role[ROLE_COUNT];
};

static const char *describe_end(int end, char text[static 32])
{
	if (end == CELL_BROKEN)
		return "broken";
	if (end == 0)
		return "works";
	if (end > 0)
		return strerrorname_np(end) != NULL ? strerrorname_np(end) : "an unknown errno";
	snprintf(text, 32, "SIG%s", sigabbrev_np(-end));
	return text;
}

/* What seccomp alone stops may be missing in a kernel. */
static bool is_absent(int end)
{
	return end == ENOSYS || end == EAFNOSUPPORT || end == EPROTONOSUPPORT ||
	       end == ESOCKTNOSUPPORT;
}

/* The table was measured there; other kernels have walls that stop more, and earlier. */
static bool is_measured_kernel(void)
{
	struct utsname name;

	return uname(&name) == 0 && strncmp(name.release, "6.1.", 4) == 0;
}

static bool is_end_expected(const struct outcome *expected, int end)
{
	if (end == expected->end)
		return true;
	return !is_measured_kernel() && end != 0 && end != CELL_BROKEN && expected->end >= 0;
}

static bool is_seccomp_alone(const struct expectation *expected)
{
	return expected->unfiltered.wall == seccomp_alone;
}

static bool is_as_expected(const struct trial *trial)
{
	const struct expectation *expected = trial->expected;

	if (!is_end_expected(&expected->filtered, trial->filtered_end))
		return false;
	return is_end_expected(&expected->unfiltered, trial->unfiltered_end) ||
	       (is_seccomp_alone(expected) && is_absent(trial->unfiltered_end));
}

static void print_roles(unsigned roles, const char *separator)
{
	const char *before = "";

	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if ((roles & 1U << role) == 0)
			continue;
		printf("%s%s", before, role_name(role));
		before = separator;
	}
}

static void print_outcome(const struct outcome *outcome, int end)
{
	char text[32];

	printf(" %s (%s) |", outcome->wall, describe_end(end, text));
}

static void print_surprise(const struct attempt *attempt, enum role role, const struct trial *trial)
{
	char expected[32], found[32];

	printf("FAILED: %s, %s: in production %s instead of %s,", attempt->name, role_name(role),
		describe_end(trial->filtered_end, found),
		describe_end(trial->expected->filtered.end, expected));
	printf(" without seccomp %s instead of %s\n", describe_end(trial->unfiltered_end, found),
		describe_end(trial->expected->unfiltered.end, expected));
	if (trial->filtered_end == CELL_BROKEN)
		printf("%s", trial->filtered.text);
	if (trial->unfiltered_end == CELL_BROKEN)
		printf("%s", trial->unfiltered.text);
}

/* One row for all roles that met the same. */
static void print_rows(const struct attempt *attempt, const struct trial trials[static ROLE_COUNT])
{
	unsigned printed = 0;

	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		const struct trial *trial = &trials[role];
		unsigned alike = 0;

		if (trial->expected == NULL || (printed & 1U << role) != 0)
			continue;
		for (enum role other = role; other < ROLE_COUNT; other++) {
			if (trials[other].expected == trial->expected &&
				trials[other].filtered_end == trial->filtered_end &&
				trials[other].unfiltered_end == trial->unfiltered_end)
				alike |= 1U << other;
		}
		printed |= alike;
		printf("| %s | ", attempt->name);
		print_roles(alike, " ");
		printf(" |");
		print_outcome(&trial->expected->filtered, trial->filtered_end);
		print_outcome(&trial->expected->unfiltered, trial->unfiltered_end);
		printf("\n");
	}
}

static void run_trials(const struct outside *outside, const char *directory, size_t number,
	struct trial trials[static ROLE_COUNT])
{
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		struct trial *trial = &trials[role];

		trial->expected = attempt_expects(&attempts[number], role);
		if (trial->expected == NULL)
			continue;
		cell_start(&trial->filtered, outside, directory, role, number, true);
		cell_start(&trial->unfiltered, outside, directory, role, number, false);
	}
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		struct trial *trial = &trials[role];

		if (trial->expected == NULL)
			continue;
		trial->filtered_end = cell_wait(&trial->filtered);
		trial->unfiltered_end = cell_wait(&trial->unfiltered);
	}
}

static void run_attempt(
	const struct outside *outside, const char *directory, size_t number, struct tally *tally)
{
	static struct trial trials[ROLE_COUNT];

	run_trials(outside, directory, number, trials);
	print_rows(&attempts[number], trials);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (trials[role].expected == NULL)
			continue;
		tally->of_role[role]++;
		if (is_as_expected(&trials[role])) {
			tally->passed++;
			continue;
		}
		tally->failed++;
		print_surprise(&attempts[number], role, &trials[role]);
	}
	fflush(stdout);
}

static void print_seccomp_alone(void)
{
	printf("\n## Where seccomp is the only wall\n\n");
	for (size_t i = 0; i < attempt_count; i++) {
		const struct expectation *expected = attempts[i].expected;
		unsigned roles = 0;

		for (; expected->roles != 0; expected++)
			roles |= is_seccomp_alone(expected) ? expected->roles : 0;
		if (roles == 0)
			continue;
		printf("- %s (", attempts[i].name);
		print_roles(roles, ", ");
		printf(")\n");
	}
	printf("\n");
}

static bool is_picked(const char *name, char **texts)
{
	bool picked = *texts == NULL;

	for (; *texts != NULL; texts++)
		picked = picked || strstr(name, *texts) != NULL;
	return picked;
}

int main(int argc, char **argv)
{
	static struct outside outside;
	struct tally tally = {0};

	if (argc < 2)
		errx(2, "usage: probe-harness DIRECTORY-OF-PROBES [TEXT...]");
	outside_open(&outside);
	printf("| attempt | role | in production | without seccomp |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < attempt_count; i++) {
		if (is_picked(attempts[i].name, argv + 2))
			run_attempt(&outside, argv[1], i, &tally);
	}
	outside_close(&outside);
	print_seccomp_alone();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		printf("%s: %u attempts\n", role_name(role), tally.of_role[role]);
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
