/* SPDX-License-Identifier: ISC */
/*
 * Who a process is and what it may: user, groups, capabilities(7). The steps of sandbox.c, in its
 * order, and what the supervisor does to itself; 0 or a negative errno of the call that failed.
 */
#ifndef PULLGATE_SANDBOX_CREDENTIALS_H
#define PULLGATE_SANDBOX_CREDENTIALS_H

#include <stdint.h>
#include <sys/types.h>

/* A set of capabilities: bit n is the one with number n in linux/capability.h. */
typedef uint64_t capability_set;

/* Leaves keep in the bounding set, and nothing in the ambient one. Needs CAP_SETPCAP. */
int credentials_limit_bounding_set(capability_set keep);

int credentials_read_permitted(capability_set *permitted);

/* Empties the bounding and the ambient set. Needs CAP_SETPCAP. */
int credentials_empty_bounding_set(void);

int credentials_drop_groups(void);
int credentials_set_group(gid_t group_id);

/* Becomes user_id; the permitted capabilities survive it when keep is not empty. */
int credentials_set_user(uid_t user_id, capability_set keep);

/* Leaves keep in the permitted and effective sets, and nothing in the inheritable one. */
int credentials_set_capabilities(capability_set keep);

/*
 * Tries to get back what was given up, and reads what is left. -ENOTRECOVERABLE when anything but
 * user_id, group_id and keep is, or can be had.
 */
int credentials_verify(uid_t user_id, gid_t group_id, capability_set keep);

#endif
