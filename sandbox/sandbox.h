/* SPDX-License-Identifier: ISC */
/*
 * The walls around each process: one call, closing in one visible order. Any step that fails is
 * fatal, with the step's name in the log line (event=sandbox_failed step=...).
 */
#ifndef PULLGATE_SANDBOX_H
#define PULLGATE_SANDBOX_H

#include <sys/types.h>

#include "common/role.h"
#include "sandbox/root.h"

/*
 * Closes the sandbox of a child around the calling process, which must be root with one thread. From
 * here on it has
 *   a session, and mount, IPC, UTS and cgroup namespaces of its own, capture and fetcher also a
 *   network namespace;
 *   an empty, read-only root (connector: with copies of the resolver's files in /etc);
 *   user_id and group_id without supplementary groups, and no capabilities (installer:
 *   CAP_NET_ADMIN alone);
 *   the role's limits, no_new_privs, no dumps, its parent's death as its own;
 *   Landlock and no memory that becomes executable, where the kernel has them; the lack is logged
 *   (event=landlock_missing, event=mdwe_missing);
 *   a seccomp filter that kills the process on any call not in the role's list.
 * Its PID namespace was made with it, by the supervisor.
 */
void sandbox_close(enum role role, uid_t user_id, gid_t group_id);

/* The same for a connector whose origins need that in its root (root.h); sandbox_close() gives it the
 * resolver's files alone. */
void sandbox_close_sharing(
	enum role role, uid_t user_id, gid_t group_id, const struct root_needs *needs);

/*
 * The same for a fetcher whose origin is a directory: it is the root, read-only, and files in it may
 * be opened and read (Landlock, calls_fetcher.c). NULL: no such.
 */
void sandbox_close_within(uid_t user_id, gid_t group_id, const char *directory);

#endif
