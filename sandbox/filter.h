/* SPDX-License-Identifier: ISC */
/* The seccomp filter that a role's list of calls makes. */
#ifndef PULLGATE_SANDBOX_FILTER_H
#define PULLGATE_SANDBOX_FILTER_H

#include <stdbool.h>

#include "common/role.h"

/*
 * Makes the filter of a role (calls.h) and closes it around the process, all its threads: what is
 * not listed, and any call of another architecture, kills the process (seccomp(2)). reads_files:
 * the fetcher may open and read the files of its root (calls_fetcher.c). Needs
 * no_new_privs, or, of the supervisor, CAP_SYS_ADMIN. That of the supervisor is also what its
 * children need until they close theirs. 0, -ENOMEM, or what seccomp_rule_add(3) and seccomp_load(3) return.
 */
int filter_load(enum role role, bool reads_files);

#endif
