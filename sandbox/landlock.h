/* SPDX-License-Identifier: ISC */
/* Landlock (landlock(7)): files, TCP and signals once more, apart from user and root. */
#ifndef PULLGATE_SANDBOX_LANDLOCK_H
#define PULLGATE_SANDBOX_LANDLOCK_H

#include <stdbool.h>

#include "common/role.h"

/*
 * Denies every access that this kernel's Landlock knows: to files and directories, binding and
 * connecting TCP sockets, connecting to abstract Unix sockets and signalling processes outside. The
 * connector may read files beneath /etc (that of its own root) and connect by TCP; reads_root: files
 * in the root may be read.
 *
 * Needs no_new_privs. 0, -ENOSYS or -EOPNOTSUPP where the kernel has no Landlock or doesn't use it,
 * or a negative errno of the call that failed.
 */
int landlock_close(enum role role, bool reads_root);

#endif
