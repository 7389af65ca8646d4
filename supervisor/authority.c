/* SPDX-License-Identifier: ISC */
/* What the supervisor gives up. */
#include "supervisor/authority.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox/filter.h"
#include "sandbox/limits.h"

/*
 * A child is born with the bounding set as its capabilities (capabilities(7): execve by root), and
 * gives them up in its sandbox. CAP_DAC_READ_SEARCH is not among them: the files of the
 * configuration are readable by their owner root, or by root's group.
 */
static const struct {
	int number;
	const char *name;
	const char *reason;
} kept[] = {
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "a child's namespaces and root; our own filter"},
	{CAP_SETPCAP, "CAP_SETPCAP", "a child empties its bounding set"},
	{CAP_SETUID, "CAP_SETUID", "a child becomes its user"},
	{CAP_SETGID, "CAP_SETGID", "a child becomes its group, and leaves all others"},
	{CAP_KILL, "CAP_KILL", "a child has another user than us, who end it"},
	{CAP_NET_RAW, "CAP_NET_RAW", "another packet socket when the device changes"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "the installer's; queues larger than the default"},
	{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE",
		"the installer tries whose a listen port below 1024 is"},
};

#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

static int say(char error[static CONFIG_ERROR_BYTES], const char *what, int result)
{
	snprintf(error, CONFIG_ERROR_BYTES, "giving up authority: %s: %s", what, strerror(-result));
	return result;
}

capability_set authority_kept(void)
{
	capability_set set = 0;

	for (size_t i = 0; i < KEPT_COUNT; i++)
		set |= (capability_set)1 << kept[i].number;
	return set;
}

static int check_permitted(char error[static CONFIG_ERROR_BYTES])
{
	capability_set permitted;
	int result = credentials_read_permitted(&permitted);

	if (result != 0)
		return say(error, "capget", result);
	for (size_t i = 0; i < KEPT_COUNT; i++) {
		if ((permitted >> kept[i].number & 1) != 0)
			continue;
		snprintf(error, CONFIG_ERROR_BYTES, "%s is missing: %s", kept[i].name,
			kept[i].reason);
		return -EPERM;
	}
	return 0;
}

/*
 * What children may lock: their secrets, and the fetcher all of its memory. CAP_IPC_LOCK and
 * CAP_SYS_RESOURCE are not kept, so the limit counts and is raised once. Where that fails, what is
 * not locked is logged by the child (memory_not_locked).
 */
static void raise_locked_memory(void)
{
	const rlim_t bytes = limits_address_space(ROLE_FETCHER);
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	if (limit.rlim_max < bytes)
		limit.rlim_max = bytes;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = limit.rlim_max < bytes ? limit.rlim_max : bytes;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

int authority_reduce(char error[static CONFIG_ERROR_BYTES])
{
	int result = check_permitted(error);

	if (result != 0)
		return result;
	raise_locked_memory();
	result = credentials_limit_bounding_set(authority_kept());
	if (result != 0)
		return say(error, "bounding set", result);
	result = credentials_set_capabilities(authority_kept());
	if (result != 0)
		return say(error, "capset", result);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return say(error, "dumpable", -errno);
	return 0;
}

int authority_close_filter(char error[static CONFIG_ERROR_BYTES])
{
	int result = filter_load(ROLE_SUPERVISOR, false);

	return result == 0 ? 0 : say(error, "seccomp", result);
}
