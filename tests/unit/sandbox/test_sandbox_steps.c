/* SPDX-License-Identifier: ISC */
/*
 * Each step of the sandbox, made to fail: the process ends, and the line names the step. A step is
 * broken by a filter of the test's own around it, under which a call fails or only seems to work.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"

#define ANY_OPERATION UINT64_MAX
#define NAMESPACES    (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SET_MDWE      65 /* prctl(2); Debian 12's headers are older */

struct breakage {
	const char *step;   /* that the log line must name */
	int number;         /* of the call that is broken */
	uint64_t operation; /* its first argument, or any */
	uint32_t error;     /* 0: seems to work */
	enum role role;
};

static int reach_work(const void *argument)
{
	(void)argument;
	return 0;
}

static void assert_fails_at(struct cell *cell, const char *step)
{
	char log[4096], wanted[64];
	int status = cell_close(cell, log, sizeof(log));

	snprintf(wanted, sizeof(wanted), "event=sandbox_failed step=%s error=", step);
	if (strstr(log, wanted) == NULL)
		fail_msg("no \"%s\" in: %s (status %d)", wanted, log, status);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void assert_prepared_fails_at(cell_function *prepare, const char *step)
{
	struct cell cell =
		cell_open_as(ROLE_CAPTURE, CELL_USER, CELL_GROUP, prepare, reach_work, NULL);

	assert_fails_at(&cell, step);
}

static void test_role(void **state)
{
	struct cell cell;

	(void)state;
	cell_need_root();
	cell = cell_open(ROLE_SUPERVISOR, reach_work, NULL);
	assert_fails_at(&cell, "role");
}

static int become_nobody(const void *argument)
{
	(void)argument;
	return setresuid(65534, 65534, 65534);
}

static void test_not_root(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(become_nobody, "root");
}

static void test_user(void **state)
{
	static const struct {
		uid_t user;
		gid_t group;
	} refused[] = {
		{0, CELL_GROUP},
		{CELL_USER, 0},
		{(uid_t)-1, CELL_GROUP},
		{CELL_USER, (gid_t)-1},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct cell cell = cell_open_as(
			ROLE_INSTALLER, refused[i].user, refused[i].group, NULL, reach_work, NULL);

		assert_fails_at(&cell, "user");
	}
}

static void *wait_for_end(void *argument)
{
	pause();
	return argument;
}

static int start_thread(const void *argument)
{
	pthread_t thread;

	(void)argument;
	return pthread_create(&thread, NULL, wait_for_end, NULL);
}

static void test_second_thread(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(start_thread, "thread");
}

static int leave_hole(const void *argument)
{
	(void)argument;
	return close(FD_REPLAY_IPV6);
}

static void test_hole_in_table(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(leave_hole, "descriptors");
}

static int unmount_proc(const void *argument)
{
	(void)argument;
	return unshare(CLONE_NEWNS) != 0 ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	       umount2("/proc", MNT_DETACH) != 0;
}

static void test_no_proc(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(unmount_proc, "coredump_filter");
}

static int inherit_directory(const void *argument)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)argument;
	return dup2(fd, FD_REPLAY_IPV6) == FD_REPLAY_IPV6 ? close(fd) : -1;
}

static void test_directory_in_table(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(inherit_directory, "descriptors");
}

static int lose_parent(const void *argument)
{
	int ends[2];

	(void)argument;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	return dup2(ends[0], FD_CONTROL) < 0 || close(ends[0]) != 0 || close(ends[1]) != 0;
}

static void test_parent_gone(void **state)
{
	(void)state;
	cell_need_root();
	assert_prepared_fails_at(lose_parent, "parent");
}

/* Needs root in place of no_new_privs, which the sandbox itself is to set. */
static int break_call(const void *argument)
{
	const struct breakage *breakage = argument;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp operation = {0, SCMP_CMP_EQ, breakage->operation, 0};
	int error;

	if (filter == NULL || setgroups(1, &(gid_t){CELL_GROUP + 1}) != 0)
		return -1;
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (error == 0)
		error = seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO(breakage->error),
			breakage->number, breakage->operation == ANY_OPERATION ? 0 : 1, &operation);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

static void assert_broken_fails(const struct breakage *breakages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cell cell = cell_open_as(breakages[i].role, CELL_USER, CELL_GROUP,
			break_call, reach_work, &breakages[i]);

		assert_fails_at(&cell, breakages[i].step);
	}
}

static void test_call_fails(void **state)
{
	static const struct breakage breakages[] = {
		{"namespaces", SCMP_SYS(unshare), NAMESPACES | CLONE_NEWNET, EPERM, ROLE_CAPTURE},
		{"namespaces", SCMP_SYS(unshare), NAMESPACES | CLONE_NEWNET, EPERM, ROLE_FETCHER},
		{"namespaces", SCMP_SYS(unshare), NAMESPACES, EPERM, ROLE_CONNECTOR},
		{"namespaces", SCMP_SYS(unshare), NAMESPACES, EPERM, ROLE_INSTALLER},
		{"namespaces", SCMP_SYS(mount), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(fsopen), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(fsconfig), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(fsmount), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(move_mount), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(mkdirat), ANY_OPERATION, EPERM, ROLE_CONNECTOR},
		{"new_root", SCMP_SYS(mount_setattr), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(pivot_root), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(umount2), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(chdir), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"limits", SCMP_SYS(prlimit64), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"bounding_set", SCMP_SYS(prctl), PR_CAPBSET_DROP, EPERM, ROLE_CAPTURE},
		{"bounding_set", SCMP_SYS(prctl), PR_CAP_AMBIENT, EPERM, ROLE_CAPTURE},
		{"groups", SCMP_SYS(setgroups), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"group_id", SCMP_SYS(setresgid), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"user_id", SCMP_SYS(setresuid), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"user_id", SCMP_SYS(prctl), PR_SET_KEEPCAPS, EPERM, ROLE_INSTALLER},
		{"capabilities", SCMP_SYS(capset), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"no_new_privs", SCMP_SYS(prctl), PR_SET_NO_NEW_PRIVS, EPERM, ROLE_CAPTURE},
		{"dumpable", SCMP_SYS(prctl), PR_SET_DUMPABLE, EPERM, ROLE_CAPTURE},
		{"parent_death_signal", SCMP_SYS(prctl), PR_SET_PDEATHSIG, EPERM, ROLE_CAPTURE},
		{"locked_memory", SCMP_SYS(prlimit64), ANY_OPERATION, ENOSYS, ROLE_FETCHER},
		{"landlock", SCMP_SYS(landlock_create_ruleset), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"landlock", SCMP_SYS(landlock_restrict_self), ANY_OPERATION, EPERM, ROLE_CAPTURE},
		{"landlock", SCMP_SYS(landlock_add_rule), ANY_OPERATION, EPERM, ROLE_CONNECTOR},
		{"mdwe", SCMP_SYS(prctl), SET_MDWE, EPERM, ROLE_CAPTURE},
		{"seccomp", SCMP_SYS(seccomp), ANY_OPERATION, EPERM, ROLE_CAPTURE},
	};

	(void)state;
	cell_need_root();
	assert_broken_fails(breakages, sizeof(breakages) / sizeof(breakages[0]));
}

/* The kernel says 0, and nothing was done: what is left is looked at. */
static void test_call_does_nothing(void **state)
{
	static const struct breakage breakages[] = {
		{"new_root", SCMP_SYS(pivot_root), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(umount2), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"new_root", SCMP_SYS(mount_setattr), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"credentials_gone", SCMP_SYS(prctl), PR_CAPBSET_DROP, 0, ROLE_CAPTURE},
		{"credentials_gone", SCMP_SYS(setgroups), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"credentials_gone", SCMP_SYS(setresgid), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"credentials_gone", SCMP_SYS(setresuid), ANY_OPERATION, 0, ROLE_CAPTURE},
		{"credentials_gone", SCMP_SYS(capset), ANY_OPERATION, 0, ROLE_INSTALLER},
	};

	(void)state;
	cell_need_root();
	assert_broken_fails(breakages, sizeof(breakages) / sizeof(breakages[0]));
}

/* What a kernel may lack is said once, and nothing else depends on it. */
static void test_kernel_lacks_it(void **state)
{
	static const struct breakage breakages[] = {
		{"landlock_missing", SCMP_SYS(landlock_create_ruleset), ANY_OPERATION, ENOSYS,
			ROLE_CAPTURE},
		{"landlock_missing", SCMP_SYS(landlock_create_ruleset), ANY_OPERATION, EOPNOTSUPP,
			ROLE_CONNECTOR},
		{"memory_not_locked", SCMP_SYS(mlockall), ANY_OPERATION, EPERM, ROLE_FETCHER},
		{"mdwe_missing", SCMP_SYS(prctl), SET_MDWE, EINVAL, ROLE_INSTALLER},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++) {
		struct cell cell = cell_open_as(breakages[i].role, CELL_USER, CELL_GROUP,
			break_call, reach_work, &breakages[i]);
		char log[4096], wanted[64];

		assert_int_equal(cell_close(&cell, log, sizeof(log)), 0);
		snprintf(wanted, sizeof(wanted), "event=%s", breakages[i].step);
		assert_non_null(strstr(log, wanted));
		assert_null(strstr(strstr(log, wanted) + 1, wanted));
	}
}

/* All of the above would prove nothing if an unbroken sandbox failed as well. */
static void test_nothing_broken(void **state)
{
	static const enum role roles[] = {
		ROLE_CAPTURE, ROLE_FETCHER, ROLE_CONNECTOR, ROLE_INSTALLER};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		assert_int_equal(cell_run(roles[i], reach_work, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_broken),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_not_root),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_second_thread),
		cmocka_unit_test(test_hole_in_table),
		cmocka_unit_test(test_directory_in_table),
		cmocka_unit_test(test_no_proc),
		cmocka_unit_test(test_parent_gone),
		cmocka_unit_test(test_call_fails),
		cmocka_unit_test(test_call_does_nothing),
		cmocka_unit_test(test_kernel_lacks_it),
	};

	return cmocka_run_group_tests_name("sandbox: steps", tests, NULL, NULL);
}
