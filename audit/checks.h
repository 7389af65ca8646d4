/* SPDX-License-Identifier: ISC */
/* The parts of an audit of one process, in the order in which they are printed. */
#ifndef PULLGATE_AUDIT_CHECKS_H
#define PULLGATE_AUDIT_CHECKS_H

#include "audit/audit.h"

/* Executable, environment, parent and children, threads, tracer. */
void check_program(struct audit *audit, enum role role);

/* Users, groups, capabilities, no_new_privs, seccomp, dumps. */
void check_credentials(struct audit *audit, enum role role);

/* Namespaces, root, mounts, working directory. */
void check_surroundings(struct audit *audit, enum role role);

void check_limits(struct audit *audit, enum role role);

void check_descriptors(struct audit *audit, enum role role);

/* For checks: the process' pid. */
static inline pid_t audit_pid(const struct audit *audit, enum role role)
{
	return audit->instance.pids[role];
}

#endif
