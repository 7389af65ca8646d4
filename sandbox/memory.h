/* SPDX-License-Identifier: ISC */
/* What may become of a process' memory: of the secrets in it, and of code. */
#ifndef PULLGATE_SANDBOX_MEMORY_H
#define PULLGATE_SANDBOX_MEMORY_H

#include "common/role.h"

/*
 * Leaves all memory out of dumps, those that root makes as well (core(5), coredump_filter; gcore
 * keeps to it). Needs /proc, which the new root hasn't. 0 or a negative errno.
 */
int memory_leave_out_of_dumps(void);

/*
 * Keeps all pages of the fetcher out of swap, from their first use on: the token, the client's key
 * and preshared keys lie in buffers of libraries. The other roles hold theirs in memory that they
 * locked themselves (common/locked_memory.h). Raises the limit of locked memory to that of memory as
 * a whole, so that it is never what refuses a block. 0, -EPERM where that takes CAP_SYS_RESOURCE,
 * with nothing locked, or a negative errno of mlockall(2).
 */
int memory_lock(enum role role);

/*
 * Memory that wasn't executable when it was mapped never will be, and none is mapped that can be
 * written and executed (PR_SET_MDWE). 0, -EINVAL where the kernel can't (before 6.3), or another
 * negative errno.
 */
int memory_refuse_new_code(void);

#endif
