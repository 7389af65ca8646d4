/* SPDX-License-Identifier: ISC */
/* The resource limits of each process. */
#ifndef PULLGATE_SANDBOX_LIMITS_H
#define PULLGATE_SANDBOX_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#include "common/role.h"

struct limit {
	__rlimit_resource_t resource;
	const char *name; /* in /proc/PID/limits */
	rlim_t greatest;
};

#define LIMITS_COUNT 10

/* Which of its descriptors are files that may grow: standard error, the fetcher's cache. */
struct limit_files {
	bool log, cache;
};

/* The greatest values that a child may have. */
void limits_of_role(
	enum role role, const struct limit_files *files, struct limit limits[static LIMITS_COUNT]);

/*
 * Sets the limits of a role, soft and hard: no processes, no core, no file growth (but that
 * of the cache; none where standard error is a file), no further locked memory (fetcher: all that it may have), no message queues, no
 * queued signals, no priority, and a bounded number of descriptors and amount of memory. A limit
 * that is lower already stays. 0 or a negative errno of setrlimit(2).
 */
int limits_set(enum role role);

/* How much address space a role may have. */
rlim_t limits_address_space(enum role role);

#endif
