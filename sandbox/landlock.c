/* SPDX-License-Identifier: ISC */
/* Landlock. */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel's include/uapi/linux/landlock.h as of ABI 6 (Linux 6.12); Debian 12's headers end with
 * ABI 2. A kernel that knows less takes the longer structure as long as the rest is zero.
 */
struct ruleset {
	uint64_t files, network, scopes;
};

#define FILES_UP_TO(last) (((uint64_t)(last) << 1) - 1)
#define FILES_TRUNCATE    (1U << 14)
#define FILES_IOCTL_DEV   (1U << 15)
#define NETWORK_BIND_TCP  (1U << 0)
#define NETWORK_CONNECT   (1U << 1)
#define SCOPE_ABSTRACT    (1U << 0)
#define SCOPE_SIGNAL      (1U << 1)

/* What each ABI brought; the later ones brought nothing that we would have to name. */
static struct ruleset everything(long abi)
{
	struct ruleset ruleset = {.files = FILES_UP_TO(LANDLOCK_ACCESS_FS_MAKE_SYM)};

	if (abi >= 2)
		ruleset.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		ruleset.files |= FILES_TRUNCATE;
	if (abi >= 4)
		ruleset.network = NETWORK_BIND_TCP | NETWORK_CONNECT;
	if (abi >= 5)
		ruleset.files |= FILES_IOCTL_DEV;
	if (abi >= 6)
		ruleset.scopes = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return ruleset;
}

/* /etc is missing where the origin is a Unix socket: nothing is resolved then. */
static int allow_reading(int ruleset, const char *directory)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	int error = 0;

	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		error = -errno;
	close(rule.parent_fd);
	return error;
}

int landlock_close(enum role role, bool reads_root)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset denied;
	int ruleset, error = 0;

	if (abi < 0)
		return -errno;
	denied = everything(abi);
	if (role == ROLE_CONNECTOR)
		denied.network &= ~(uint64_t)NETWORK_CONNECT;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &denied, sizeof(denied), 0);
	if (ruleset < 0)
		return -errno;
	if (role == ROLE_CONNECTOR)
		error = allow_reading(ruleset, "/etc");
	else if (reads_root)
		error = allow_reading(ruleset, "/");
	if (error == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		error = -errno;
	close(ruleset);
	return error;
}
