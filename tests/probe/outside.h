/* SPDX-License-Identifier: ISC */
/* What is around the probes: the host's services, processes and files that they must not reach. */
#ifndef PULLGATE_PROBE_OUTSIDE_H
#define PULLGATE_PROBE_OUTSIDE_H

#include <sys/types.h>

#include "common/role.h"
#include "supervisor/config.h"
#include "supervisor/settings.h"

/* Users of the roles, in nobody's /etc/passwd; groups have the same numbers. */
#define USER_OF(role) ((uid_t)(61010 + (int)(role)))

struct outside {
	struct config config;
	struct material material;
	pid_t bystanders[ROLE_COUNT]; /* a process of each role's user */
	int link;                     /* index of PROBE_LINK */
	int terminal;                 /* controls this session, nobody reads it */
	int terminal_master;
};

/*
 * Lays it out, in the caller's network namespace, which has PROBE_INTERFACE and PROBE_LINK. Fatal
 * with a line on standard error when anything can't be had.
 */
void outside_open(struct outside *outside);

/* Ends the bystanders, and removes what would outlive the process. */
void outside_close(struct outside *outside);

#endif
