/* SPDX-License-Identifier: ISC */
/* Finds the processes that run with a configuration. */
#ifndef PULLGATE_AUDIT_INSTANCE_H
#define PULLGATE_AUDIT_INSTANCE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/role.h"

#define EXECUTABLE_BYTES 512

struct instance {
	pid_t pids[ROLE_COUNT];         /* 0 where none runs */
	size_t children_of[ROLE_COUNT]; /* processes whose parent it is */
	size_t strangers;               /* children of the supervisor that are none of the four,
					     or a second one of them */
	char executable[ROLE_COUNT][EXECUTABLE_BYTES]; /* what /proc/PID/exe says */
};

#define INSTANCE_ERROR_BYTES 256

/*
 * The supervisor is the one process of a binary named pullgate whose -c names the same file (by
 * device and inode) as config_path does here. 0; or, with a reason, a negative errno: of a file that
 * isn't there, -ESRCH when none runs, -EEXIST when there are two.
 */
int instance_find(struct instance *instance, const char *directory, const char *config_path,
	char error[static INSTANCE_ERROR_BYTES]);

#endif
