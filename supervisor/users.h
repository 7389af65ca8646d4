/* SPDX-License-Identifier: ISC */
/* The unprivileged user that each child becomes. */
#ifndef PULLGATE_USERS_H
#define PULLGATE_USERS_H

#include <sys/types.h>

#include "common/role.h"
#include "supervisor/config.h"

struct user {
	uid_t user_id;
	gid_t group_id;
};

/*
 * Looks up pullgate-capture, pullgate-fetcher, pullgate-connector and pullgate-installer; index:
 * enum role. 0, or -ENOENT, or -EPERM where one is root or two are the same, with a reason.
 */
int users_lookup(struct user users[static ROLE_COUNT], char error[static CONFIG_ERROR_BYTES]);

#endif
