/* SPDX-License-Identifier: ISC */
/* Namespaces of a process' own (namespaces(7)). */
#ifndef PULLGATE_SANDBOX_NAMESPACES_H
#define PULLGATE_SANDBOX_NAMESPACES_H

#include "common/role.h"

/*
 * Leaves the supervisor's mount, IPC, UTS and cgroup namespaces, and its network namespace too
 * where the role makes no use of it (capture, fetcher): the new one has a loopback interface that
 * stays down. Sockets that are open stay in the namespace where they were made. No mount reaches
 * the new mount namespace any more, nor leaves it. The PID namespace is made with the process
 * (supervisor/child.c). Needs CAP_SYS_ADMIN; 0 or a negative errno of unshare(2) or mount(2).
 */
int namespaces_leave(enum role role);

#endif
