/* SPDX-License-Identifier: ISC */
/*
 * The look at what is left after the credentials changed: one thing left over at a time, each of
 * which it must find. One process an attempt.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "sandbox/credentials.h"

#define SET(capability) ((capability_set)1 << (capability))

struct leftover {
	bool groups, bounding_set;
	bool permitted;      /* all that root had, none of it effective */
	capability_set held; /* permitted and effective */
	uint32_t inheritable;
	uid_t user; /* what is expected */
	gid_t group;
	capability_set keep;
	int result;
};

static const struct leftover nothing = {.user = CELL_USER, .group = CELL_GROUP};

/* Possible only while the bounding set has it. */
static int add_inheritable(uint32_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[2];

	if (syscall(SYS_capget, &header, halves) != 0)
		return -1;
	halves[0].inheritable |= inheritable;
	return (int)syscall(SYS_capset, &header, halves);
}

/* 0 when the verdict is the expected one; every step on the way must succeed. */
static int change_and_verify(const struct leftover *leftover)
{
	const gid_t group = CELL_GROUP;

	if (add_inheritable(leftover->inheritable) != 0)
		return 7;
	if (!leftover->bounding_set && credentials_empty_bounding_set() != 0)
		return 1;
	if (leftover->groups ? setgroups(1, &group) != 0 : credentials_drop_groups() != 0)
		return 2;
	if (credentials_set_group(CELL_GROUP) != 0)
		return 3;
	if (credentials_set_user(
		    CELL_USER, leftover->permitted ? SET(CAP_SETUID) : leftover->held) != 0)
		return 4;
	if (leftover->inheritable == 0 && !leftover->permitted &&
		credentials_set_capabilities(leftover->held) != 0)
		return 5;
	if (credentials_verify(leftover->user, leftover->group, leftover->keep) != leftover->result)
		return 6;
	return 0;
}

static void assert_verdict(const struct leftover *leftover)
{
	int status;
	pid_t pid;

	cell_need_root();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(change_and_verify(leftover));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nothing_left(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	assert_verdict(&leftover);
	leftover.held = leftover.keep = SET(CAP_NET_ADMIN);
	assert_verdict(&leftover);
}

/* What it takes to become root again, though it is expected to be there. */
static void test_root_can_be_regained(void **state)
{
	static const capability_set dangerous[] = {SET(CAP_SETUID), SET(CAP_SETGID)};

	(void)state;
	for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
		struct leftover leftover = nothing;

		leftover.held = leftover.keep = dangerous[i];
		leftover.result = -ENOTRECOVERABLE;
		assert_verdict(&leftover);
	}
}

static void test_another_user(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.user++;
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
	leftover = nothing;
	leftover.group++;
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

static void test_groups_left(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.groups = true;
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

static void test_bounding_set_left(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.bounding_set = true;
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

static void test_capability_too_many_or_too_few(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.held = SET(CAP_NET_ADMIN);
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
	leftover = nothing;
	leftover.held = SET(CAP_NET_ADMIN) | SET(CAP_CHECKPOINT_RESTORE); /* one of each half */
	leftover.keep = SET(CAP_NET_ADMIN);
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
	leftover = nothing;
	leftover.keep = SET(CAP_NET_ADMIN);
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

/* One capset(2) away from being effective. */
static void test_permitted_left(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.permitted = true;
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

/* Only an exec would use it. */
static void test_inheritable_left(void **state)
{
	struct leftover leftover = nothing;

	(void)state;
	leftover.inheritable = (uint32_t)SET(CAP_NET_ADMIN);
	leftover.result = -ENOTRECOVERABLE;
	assert_verdict(&leftover);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_root_can_be_regained),
		cmocka_unit_test(test_another_user),
		cmocka_unit_test(test_groups_left),
		cmocka_unit_test(test_bounding_set_left),
		cmocka_unit_test(test_capability_too_many_or_too_few),
		cmocka_unit_test(test_permitted_left),
		cmocka_unit_test(test_inheritable_left),
	};

	return cmocka_run_group_tests_name("sandbox: credentials", tests, NULL, NULL);
}
