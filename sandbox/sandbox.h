/* SPDX-License-Identifier: ISC */
/*
 * The walls around each process: one call, closing in one visible order. Any step that fails is
 * fatal, with the step's name in the log line (event=sandbox_failed step=...).
 */
#ifndef PULLGATE_SANDBOX_H
#define PULLGATE_SANDBOX_H

#include <sys/types.h>

#include "common/role.h"

/*
 * Closes the sandbox of a child around the calling process, which must be root with one thread:
 * from here on it is user_id and group_id without supplementary groups, without capabilities
 * (installer: CAP_NET_ADMIN alone), with no_new_privs, the role's limits, no dumps, its parent's
 * death as its own, and a seccomp filter that kills the process on any call not in the role's list.
 */
void sandbox_close(enum role role, uid_t user_id, gid_t group_id);

#endif
