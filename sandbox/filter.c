/* SPDX-License-Identifier: ISC */
/* The seccomp filter that a role's list of calls makes. */
#include "sandbox/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>

#include "sandbox/calls.h"

const struct call_list *calls_of_role(enum role role)
{
	static const struct call_list none;

	switch (role) {
	case ROLE_CAPTURE:
		return &calls_capture;
	case ROLE_FETCHER:
		return &calls_fetcher;
	case ROLE_CONNECTOR:
		return &calls_connector;
	case ROLE_INSTALLER:
		return &calls_installer;
	case ROLE_SUPERVISOR:
	case ROLE_COUNT:
		break;
	}
	return &none;
}

static int allow_call(scmp_filter_ctx filter, const struct call *call)
{
	unsigned conditions = 0;

	while (conditions < CALL_CONDITIONS_MAX && call->conditions[conditions].op != 0)
		conditions++;
	return seccomp_rule_add_exact_array(
		filter, SCMP_ACT_ALLOW, call->number, conditions, call->conditions);
}

static int allow_list(scmp_filter_ctx filter, const struct call_list *list)
{
	int error = 0;

	for (size_t i = 0; i < list->count && error == 0; i++)
		error = allow_call(filter, &list->calls[i]);
	return error;
}

static bool has_row(const struct call_list *list, int number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->calls[i].number == number)
			return true;
	}
	return false;
}

/* The calls of a list, whatever their arguments, but those that the supervisor's list rules. */
static int allow_numbers(scmp_filter_ctx filter, const struct call_list *list)
{
	int error = 0;

	for (size_t i = 0; i < list->count && (error == 0 || error == -EEXIST); i++) {
		if (!has_row(&calls_supervisor, list->calls[i].number))
			error = seccomp_rule_add_exact_array(
				filter, SCMP_ACT_ALLOW, list->calls[i].number, 0, NULL);
	}
	return error == -EEXIST ? 0 : error;
}

/* Its children are born under its filter, and close theirs within it. */
static int allow_supervisor(scmp_filter_ctx filter)
{
	int error = allow_list(filter, &calls_supervisor);

	if (error == 0)
		error = allow_numbers(filter, &calls_every_process);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT && error == 0; role++)
		error = allow_numbers(filter, calls_of_role(role));
	return error;
}

static int allow_child(scmp_filter_ctx filter, enum role role, bool reads_files)
{
	int error = allow_list(filter, &calls_every_process);

	if (error == 0)
		error = allow_list(filter, calls_of_role(role));
	if (error == 0 && reads_files)
		error = allow_list(filter, &calls_fetcher_files);
	return error;
}

/* Calls of other architectures have other numbers: they would be read as the wrong ones. */
static int set_attributes(scmp_filter_ctx filter, bool sets_no_new_privs)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, sets_no_new_privs);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	return error;
}

int filter_load(enum role role, bool reads_files)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error;

	if (filter == NULL)
		return -ENOMEM;
	error = set_attributes(filter, role != ROLE_SUPERVISOR);
	if (error == 0 && role == ROLE_SUPERVISOR)
		error = allow_supervisor(filter);
	else if (error == 0)
		error = allow_child(filter, role, reads_files);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
