/* SPDX-License-Identifier: ISC */
/* Who a process is and what it may. */
#include "sandbox/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* capset(2) takes its 64 bits as two halves, and has no wrapper in libc. */
struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3];
};

static int result_of(long returned)
{
	return returned < 0 ? -errno : 0;
}

int credentials_limit_bounding_set(capability_set keep)
{
	/* The kernel's last capability is where reading fails. */
	for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++) {
		bool is_kept = number < 64 && ((keep >> number) & 1) != 0;

		if (!is_kept && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
			return -errno;
	}
	return result_of(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

int credentials_empty_bounding_set(void)
{
	return credentials_limit_bounding_set(0);
}

int credentials_drop_groups(void)
{
	return result_of(setgroups(0, NULL));
}

int credentials_set_group(gid_t group_id)
{
	return result_of(setresgid(group_id, group_id, group_id));
}

int credentials_set_user(uid_t user_id, capability_set keep)
{
	if (keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return -errno;
	return result_of(setresuid(user_id, user_id, user_id));
}

int credentials_set_capabilities(capability_set keep)
{
	struct capabilities wanted = {.header = {.version = _LINUX_CAPABILITY_VERSION_3}};

	for (unsigned half = 0; half < _LINUX_CAPABILITY_U32S_3; half++) {
		wanted.halves[half].permitted = (uint32_t)(keep >> (32 * half));
		wanted.halves[half].effective = (uint32_t)(keep >> (32 * half));
	}
	return result_of(syscall(SYS_capset, &wanted.header, wanted.halves));
}

int credentials_read_permitted(capability_set *permitted)
{
	struct capabilities held = {.header = {.version = _LINUX_CAPABILITY_VERSION_3}};

	if (syscall(SYS_capget, &held.header, held.halves) != 0)
		return -errno;
	*permitted = 0;
	for (unsigned half = 0; half < _LINUX_CAPABILITY_U32S_3; half++)
		*permitted |= (capability_set)held.halves[half].permitted << (32 * half);
	return 0;
}

static bool holds_capabilities(capability_set expected)
{
	struct capabilities held = {.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
	bool same = syscall(SYS_capget, &held.header, held.halves) == 0;

	for (unsigned half = 0; half < _LINUX_CAPABILITY_U32S_3; half++) {
		uint32_t wanted = (uint32_t)(expected >> (32 * half));

		same = same && held.halves[half].permitted == wanted &&
		       held.halves[half].effective == wanted && held.halves[half].inheritable == 0;
	}
	return same;
}

static bool bounding_set_is_empty(void)
{
	unsigned long number = 0;
	int bounded;

	while ((bounded = prctl(PR_CAPBSET_READ, number, 0, 0, 0)) == 0)
		number++;
	return bounded < 0 && number > 0;
}

static bool is_only(uid_t user_id, gid_t group_id)
{
	uid_t user[3] = {0};
	gid_t group[3] = {0};

	return getresuid(&user[0], &user[1], &user[2]) == 0 && user[0] == user_id &&
	       user[1] == user_id && user[2] == user_id &&
	       getresgid(&group[0], &group[1], &group[2]) == 0 && group[0] == group_id &&
	       group[1] == group_id && group[2] == group_id && getgroups(0, NULL) == 0;
}

/* Whether any of them succeeds is the question, so none is undone. */
static bool can_regain_root(void)
{
	return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresuid(0, 0, 0) == 0 ||
	       setresgid((gid_t)-1, 0, (gid_t)-1) == 0 || setresgid(0, 0, 0) == 0 ||
	       setgroups(1, &(gid_t){0}) == 0;
}

int credentials_verify(uid_t user_id, gid_t group_id, capability_set keep)
{
	if (can_regain_root() || !is_only(user_id, group_id))
		return -ENOTRECOVERABLE;
	if (!holds_capabilities(keep) || !bounding_set_is_empty())
		return -ENOTRECOVERABLE;
	return 0;
}
