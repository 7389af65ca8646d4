/* SPDX-License-Identifier: ISC */
/* Namespaces of a process' own. */
#include "sandbox/namespaces.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

/* The installer configures the interface and replays; the connector reaches the origin. */
static int network_of(enum role role)
{
	return role == ROLE_CAPTURE || role == ROLE_FETCHER ? CLONE_NEWNET : 0;
}

int namespaces_leave(enum role role)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
		    network_of(role)) != 0)
		return -errno;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : -errno;
}
