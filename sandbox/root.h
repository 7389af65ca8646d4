/* SPDX-License-Identifier: ISC */
/* A root directory of a process' own, with nothing in it that its role doesn't need. */
#ifndef PULLGATE_SANDBOX_ROOT_H
#define PULLGATE_SANDBOX_ROOT_H

#include "common/role.h"

/* Greatest size of each of the resolver's files. */
#define ROOT_FILE_BYTES_MAX (1U << 20)

/*
 * Makes a small tmpfs the root of the process' mount namespace, read-only, without devices, set-id
 * and executables, and takes every other mount away. It is empty; the connector's holds copies of
 * the resolver's files in /etc, as they are now. socket_path, when it isn't NULL, is absolute: then
 * the directory that this Unix socket is in is there as well, read-only, in place of these files.
 *
 * Needs a mount namespace of its own that is private (namespaces.h), and CAP_SYS_ADMIN. Leaves the
 * process' umask at 022. 0, -EFBIG for a file past its limit, -EINVAL for a socket that lies in the
 * root directory itself, or a negative errno of the call that failed.
 */
int root_change(enum role role, const char *socket_path);

/*
 * Makes that directory itself the root, as a mount of its own: read-only, without devices, set-id
 * and executables, and without what is mounted below it. It stays that directory when its name
 * comes to stand for another one. Needs and returns the same, -EINVAL for what is the root already.
 */
int root_change_to(const char *directory);

#endif
