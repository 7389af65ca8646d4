/* SPDX-License-Identifier: ISC */
/* The walls around each process, closing in the order of the table below. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "sandbox/credentials.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/limits.h"
#include "sandbox/memory.h"
#include "sandbox/namespaces.h"
#include "sandbox/root.h"
#include "sandbox/walls.h"

struct sandbox {
	enum role role;
	uid_t user_id;
	gid_t group_id;
	capability_set keep;
	const struct root_needs *needs;
	const char *directory; /* or NULL */
};

static int check_role(const struct sandbox *sandbox)
{
	return sandbox->role > ROLE_SUPERVISOR && sandbox->role < ROLE_COUNT ? 0 : -EINVAL;
}

static int check_root(const struct sandbox *sandbox)
{
	(void)sandbox;
	return geteuid() == 0 ? 0 : -EPERM;
}

/* -1 would mean "as it is" to setresuid(2). */
static int check_user(const struct sandbox *sandbox)
{
	if (sandbox->user_id == 0 || sandbox->user_id == (uid_t)-1)
		return -EINVAL;
	return sandbox->group_id == 0 || sandbox->group_id == (gid_t)-1 ? -EINVAL : 0;
}

/* unshare(2): CLONE_THREAD does nothing, and fails when there is a second thread. */
static int check_single_thread(const struct sandbox *sandbox)
{
	(void)sandbox;
	return unshare(CLONE_THREAD) == 0 ? 0 : -errno;
}

/*
 * A free number would be taken by the next descriptor that comes, and the filter trusts numbers. A
 * directory would lead out of the new root.
 */
static int check_descriptors(const struct sandbox *sandbox)
{
	struct stat status;

	(void)sandbox;
	for (int fd = 0; fd < FD_INHERITED_END; fd++) {
		if (fstat(fd, &status) != 0)
			return -errno;
		if (S_ISDIR(status.st_mode))
			return -EISDIR;
	}
	return 0;
}

static int leave_namespaces(const struct sandbox *sandbox)
{
	return namespaces_leave(sandbox->role);
}

static int leave_memory_out_of_dumps(const struct sandbox *sandbox)
{
	(void)sandbox;
	return memory_leave_out_of_dumps();
}

static int change_root(const struct sandbox *sandbox)
{
	if (sandbox->directory != NULL)
		return root_change_to(sandbox->directory);
	return root_change(sandbox->role, sandbox->needs);
}

/*
 * Else the operator's terminal could be typed into (TIOCSTI), and a signal to the process group
 * would reach what else the same shell started: PID namespaces don't bound it.
 */
static int leave_session(const struct sandbox *sandbox)
{
	(void)sandbox;
	return setsid() >= 0 || getsid(0) == getpid() ? 0 : -errno;
}

static int set_umask(const struct sandbox *sandbox)
{
	(void)sandbox;
	umask(S_IRWXG | S_IRWXO);
	return 0;
}

static int set_limits(const struct sandbox *sandbox)
{
	return limits_set(sandbox->role);
}

/* A container may keep that right to itself; the key and the token are locked all the same. */
static int lock_memory(const struct sandbox *sandbox)
{
	int error = memory_lock(sandbox->role);

	if (error != -EPERM)
		return error;
	log_event(LOG_LEVEL_NOTICE, "memory_not_locked", "missing=CAP_SYS_RESOURCE");
	return 0;
}

static int empty_bounding_set(const struct sandbox *sandbox)
{
	(void)sandbox;
	return credentials_empty_bounding_set();
}

static int drop_groups(const struct sandbox *sandbox)
{
	(void)sandbox;
	return credentials_drop_groups();
}

static int set_group(const struct sandbox *sandbox)
{
	return credentials_set_group(sandbox->group_id);
}

static int set_user(const struct sandbox *sandbox)
{
	return credentials_set_user(sandbox->user_id, sandbox->keep);
}

static int set_capabilities(const struct sandbox *sandbox)
{
	return credentials_set_capabilities(sandbox->keep);
}

static int verify_credentials(const struct sandbox *sandbox)
{
	return credentials_verify(sandbox->user_id, sandbox->group_id, sandbox->keep);
}

static int set_no_new_privileges(const struct sandbox *sandbox)
{
	(void)sandbox;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

static int forbid_dumps(const struct sandbox *sandbox)
{
	(void)sandbox;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -ENOTRECOVERABLE;
}

static int die_with_parent(const struct sandbox *sandbox)
{
	(void)sandbox;
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : -errno;
}

/* It may have died before PDEATHSIG was set; getppid(2) can't tell in a PID namespace. */
static int check_parent(const struct sandbox *sandbox)
{
	struct pollfd control = {.fd = FD_CONTROL};

	(void)sandbox;
	if (poll(&control, 1, 0) < 0)
		return -errno;
	return control.revents == 0 ? 0 : -EPIPE;
}

/* The other layers hold without it, and an operator should know. */
static int close_landlock(const struct sandbox *sandbox)
{
	int error = landlock_close(sandbox->role, sandbox->directory != NULL);

	if (error != -ENOSYS && error != -EOPNOTSUPP)
		return error;
	log_event(LOG_LEVEL_NOTICE, "landlock_missing", "");
	return 0;
}

static int refuse_new_code(const struct sandbox *sandbox)
{
	int error = memory_refuse_new_code();

	(void)sandbox;
	if (error != -EINVAL)
		return error;
	log_event(LOG_LEVEL_NOTICE, "mdwe_missing", "since=\"Linux 6.3\"");
	return 0;
}

#if !defined(PULLGATE_TEST_WITHOUT_SECCOMP)
static int close_filter(const struct sandbox *sandbox)
{
	return filter_load(sandbox->role, sandbox->directory != NULL);
}
#endif

static const struct step {
	const char *name;
	int (*take)(const struct sandbox *sandbox);
	const char *expects;
} steps[] = {
	{"role", check_role, "one of the four children"},
	{"root", check_root, "to be started by root: only root can give privileges up"},
	{"user", check_user, "a user and a group that are not root's"},
	{"thread", check_single_thread, "one thread"},
	{"descriptors", check_descriptors, "every number of the table to be taken"},
	{"session", leave_session, "setsid"},
	{"namespaces", leave_namespaces, "CAP_SYS_ADMIN"},
	{"coredump_filter", leave_memory_out_of_dumps, "/proc to be mounted"},
	{"new_root", change_root,
		"a root directory that is a mount point, resolver's files of at most 1 MiB each, "
		"Unix sockets in a directory of their own, and that of the files to exist"},
	{"umask", set_umask, ""},
	{"locked_memory", lock_memory, "CAP_IPC_LOCK"},
	{"limits", set_limits, "setrlimit"},
	{"bounding_set", empty_bounding_set, "CAP_SETPCAP"},
	{"groups", drop_groups, "CAP_SETGID"},
	{"group_id", set_group, "CAP_SETGID"},
	{"user_id", set_user, "CAP_SETUID"},
	{"capabilities", set_capabilities, "capset"},
	{"credentials_gone", verify_credentials, "nothing that was given up to come back"},
	{"no_new_privs", set_no_new_privileges, "prctl"},
	/* A change of credentials clears the next two. */
	{"dumpable", forbid_dumps, "prctl"},
	{"parent_death_signal", die_with_parent, "prctl"},
	{"parent", check_parent, "the supervisor to live"},
	{"landlock", close_landlock, "a kernel's Landlock to work where there is one"},
	{"mdwe", refuse_new_code, "prctl"},
#if !defined(PULLGATE_TEST_WITHOUT_SECCOMP)
	{"seccomp", close_filter, "a kernel with seccomp filters"},
#endif
};

static void close_all(struct sandbox *sandbox)
{
	if (check_role(sandbox) == 0)
		sandbox->keep = walls_of_role(sandbox->role)->capabilities;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int error = steps[i].take(sandbox);

		if (error != 0)
			log_fatal("sandbox_failed", "step=%s error=\"%s\" expected=\"%s\"",
				steps[i].name, strerror(-error), steps[i].expects);
	}
}

void sandbox_close(enum role role, uid_t user_id, gid_t group_id)
{
	const struct root_needs needs = {.resolver_files = role == ROLE_CONNECTOR};

	sandbox_close_sharing(role, user_id, group_id, &needs);
}

void sandbox_close_sharing(
	enum role role, uid_t user_id, gid_t group_id, const struct root_needs *needs)
{
	close_all(&(struct sandbox){
		.role = role, .user_id = user_id, .group_id = group_id, .needs = needs});
}

void sandbox_close_within(uid_t user_id, gid_t group_id, const char *directory)
{
	if (directory == NULL) {
		sandbox_close(ROLE_FETCHER, user_id, group_id);
		return;
	}
	close_all(&(struct sandbox){.role = ROLE_FETCHER,
		.user_id = user_id,
		.group_id = group_id,
		.directory = directory});
}
