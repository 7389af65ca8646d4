/* SPDX-License-Identifier: ISC */
/* Namespaces of a process' own. */
#include "sandbox/namespaces.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "sandbox/walls.h"

int namespaces_leave(enum role role)
{
	if (unshare(walls_of_role(role)->namespaces & ~CLONE_NEWPID) != 0)
		return -errno;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : -errno;
}
