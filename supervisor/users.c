/* SPDX-License-Identifier: ISC */
/* The unprivileged user that each child becomes. */
#include "supervisor/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

static int lookup(struct user *user, enum role role, char error[static CONFIG_ERROR_BYTES])
{
	char name[32];
	const struct passwd *entry;

	snprintf(name, sizeof(name), "pullgate-%s", role_name(role));
	entry = getpwnam(name);
	if (entry == NULL) {
		snprintf(error, CONFIG_ERROR_BYTES,
			"user %s is missing; make it with: useradd --system --user-group "
			"--no-create-home "
			"--shell /usr/sbin/nologin %s",
			name, name);
		return -ENOENT;
	}
	if (entry->pw_uid == 0 || entry->pw_gid == 0) {
		snprintf(error, CONFIG_ERROR_BYTES, "user %s has root's user or group id", name);
		return -EPERM;
	}
	*user = (struct user){.user_id = entry->pw_uid, .group_id = entry->pw_gid};
	return 0;
}

int users_lookup(struct user users[static ROLE_COUNT], char error[static CONFIG_ERROR_BYTES])
{
	users[ROLE_SUPERVISOR] = (struct user){0};
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		int result = lookup(&users[role], role, error);

		if (result != 0)
			return result;
		for (enum role other = ROLE_CAPTURE; other < role; other++) {
			if (users[other].user_id != users[role].user_id)
				continue;
			snprintf(error, CONFIG_ERROR_BYTES,
				"pullgate-%s and pullgate-%s are the same user", role_name(other),
				role_name(role));
			return -EPERM;
		}
	}
	return 0;
}
