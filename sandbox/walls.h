/* SPDX-License-Identifier: ISC */
/* What the walls of each role leave it: sandbox_close() makes it so. */
#ifndef PULLGATE_SANDBOX_WALLS_H
#define PULLGATE_SANDBOX_WALLS_H

#include <stddef.h>

#include "common/role.h"
#include "sandbox/credentials.h"

struct walls {
	capability_set capabilities; /* permitted and effective; a child's other sets are empty */
	int namespaces;              /* CLONE_NEW... of those that it has to itself (clone(2)) */
	const char *const *files;    /* what its root may hold, ends with NULL; NULL: nothing */
};

/* Of the supervisor too, which has none of these walls but its capabilities; its bounding set is
 * the same. */
const struct walls *walls_of_role(enum role role);

#endif
