/* SPDX-License-Identifier: ISC */
/* A root directory of a process' own, with nothing in it that its role doesn't need. */
#ifndef PULLGATE_SANDBOX_ROOT_H
#define PULLGATE_SANDBOX_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/role.h"

/* Greatest size of each of the resolver's files. */
#define ROOT_FILE_BYTES_MAX (1U << 20)

/* Unix sockets whose directories a root can hold. */
#define ROOT_SOCKETS_MAX 4

/* What a connector's origins need. The paths are absolute. */
struct root_needs {
	bool resolver_files;
	const char *socket_paths[ROOT_SOCKETS_MAX];
	size_t socket_count;
};

/*
 * Makes a small tmpfs the root of the process' mount namespace, read-only, without devices, set-id
 * and executables, and takes every other mount away. It is empty but for what is needed: copies of
 * the resolver's files in /etc, as they are now, where the role has any; and the directory that each
 * Unix socket is in, at its place, read-only. One that doesn't exist is an empty directory of the
 * tmpfs there.
 *
 * Needs a mount namespace of its own that is private (namespaces.h), and CAP_SYS_ADMIN. Leaves the
 * process' umask at 022. 0, -EFBIG for a file past its limit, -EINVAL for a socket that lies in the
 * root directory itself, or a negative errno of the call that failed.
 */
int root_change(enum role role, const struct root_needs *needs);

/*
 * Makes that directory itself the root, as a mount of its own: read-only, without devices, set-id
 * and executables, and without what is mounted below it. It stays that directory when its name
 * comes to stand for another one. Needs and returns the same, -EINVAL for what is the root already.
 */
int root_change_to(const char *directory);

#endif
