/* SPDX-License-Identifier: ISC */
/* The resource limits of each process. */
#ifndef PULLGATE_SANDBOX_LIMITS_H
#define PULLGATE_SANDBOX_LIMITS_H

#include <sys/resource.h>

#include "common/role.h"

/*
 * Sets the limits of a role, soft and hard: no processes, no core, no file growth (unless standard
 * error is a file), no further locked memory (fetcher: all that it may have), no message queues, no
 * queued signals, no priority, and a bounded number of descriptors and amount of memory. A limit
 * that is lower already stays. 0 or a negative errno of setrlimit(2).
 */
int limits_set(enum role role);

/* How much address space a role may have. */
rlim_t limits_address_space(enum role role);

#endif
