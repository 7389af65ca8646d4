/* SPDX-License-Identifier: ISC */
/*
 * A child's start and end: which descriptors, arguments and environment it has, how its end is
 * told, when it starts again. The child is this test's own binary.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/child.h"

#define CHILD_NAME "child-of-test"

extern char **environ;

/* In the child: tells on the control descriptor what it finds, and ends as it is asked. */
static int report(void)
{
	char text[1024], order;
	size_t used = 0;
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	sigset_t blocked;
	int parent_death = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(folder))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%d ", fd);
	}
	if (folder != NULL)
		closedir(folder);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	prctl(PR_GET_PDEATHSIG, &parent_death);
	used += (size_t)snprintf(text + used, sizeof(text) - used,
		"| %s %s | term=%d parent_death=%d |", environ[0] != NULL ? environ[0] : "-",
		environ[0] != NULL && environ[1] == NULL ? "one" : "-",
		sigismember(&blocked, SIGTERM), parent_death);
	if (send(FD_CONTROL, text, used + 1, 0) < 0 || recv(FD_CONTROL, &order, 1, 0) != 1)
		return 9;
	return order;
}

static int control[2];
static struct child child;

/* What a process' namespace of a kind is called: "pid:[4026531836]". */
static void read_namespace(pid_t pid, const char *kind, char name[static 64])
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	length = readlink(path, name, 63);
	assert_true(length > 0);
	name[length] = '\0';
}

static int start(void **state)
{
	struct inheritance inheritance = inheritance_empty();
	int packet = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int outside = fcntl(packet, F_DUPFD, FD_INHERITED_END); /* beyond the table, no CLOEXEC */
	static char self[PATH_MAX];
	sigset_t term;

	(void)state;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL); /* as the supervisor has it for its signalfd */
	setenv("JOURNAL_STREAM", "8:15", 1);
	setenv("LD_AUDIT_OR_OTHER", "must not pass", 1);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || outside < 0 || packet < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
		return -1;
	child = (struct child){.role = ROLE_CAPTURE, .pidfd = -1, .control.fd = -1};
	inheritance.fd[FD_CONTROL] = control[1];
	inheritance.fd[FD_CHANNEL(ROLE_FETCHER)] =
		control[1]; /* numbers may swap: 5 wants what 4 is */
	inheritance.fd[FD_PACKET] = packet;
	return child_spawn(&child, self, CHILD_NAME, &inheritance);
}

static int stop(void **state)
{
	(void)state;
	close(control[0]);
	close(control[1]);
	return 0;
}

static void await_end(char text[static 48])
{
	struct pollfd wait = {.fd = child.pidfd, .events = POLLIN};

	assert_int_equal(poll(&wait, 1, 20000), 1);
	assert_true(child_reap(&child, text, 48));
	assert_int_equal(child.pidfd, -1);
}

static void child_has_its_table_and_nothing_else(void **state)
{
	char text[1024], end[48];

	(void)state;
	assert_int_equal(child.state, CHILD_STARTING);
	assert_true(child_running(&child));
	assert_true(recv(control[0], text, sizeof(text), 0) > 0);
	assert_string_equal(
		text, "0 1 2 3 5 8 | JOURNAL_STREAM=8:15 one | term=0 parent_death=9 |");
	assert_false(child_reap(&child, end, sizeof(end)));
	assert_int_equal(send(control[0], "\x07", 1, 0), 1);
	await_end(end);
	assert_string_equal(end, "status=7");
}

/* The others are its own sandbox' to make. */
static void child_is_first_in_a_pid_namespace(void **state)
{
	char own[64], other[64], text[1024];

	(void)state;
	assert_true(recv(control[0], text, sizeof(text), 0) > 0);
	read_namespace(getpid(), "pid", own);
	read_namespace(child.pid, "pid", other);
	assert_string_not_equal(own, other);
	/* So these two, which it doesn't handle, do nothing. */
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(kill(child.pid, SIGABRT), 0);
	assert_int_equal(send(control[0], "\x07", 1, 0), 1);
	await_end(text);
	assert_string_equal(text, "status=7");
}

static void kill_is_told_by_its_signal(void **state)
{
	char end[48];

	(void)state;
	child_kill(&child);
	await_end(end);
	assert_string_equal(end, "signal=KILL");
	child_kill(&child); /* nothing to kill, and nobody else's process either */
}

static void missing_binary_shows_as_an_end(void **state)
{
	struct inheritance inheritance = inheritance_empty();
	char end[48];

	(void)state;
	child = (struct child){.role = ROLE_CAPTURE, .pidfd = -1, .control.fd = -1};
	assert_int_equal(
		child_spawn(&child, "/nonexistent/pullgate-capture", "wg0", &inheritance), 0);
	await_end(end);
	assert_string_equal(end, "status=127");
}

static void backoff_doubles_to_its_limit_and_health_resets_it(void **state)
{
	static const uint32_t waits[] = {0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000};
	struct child one = {.role = ROLE_FETCHER};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		child_schedule_restart(&one, 1000, false);
		assert_int_equal(one.state, CHILD_WAITING);
		assert_int_equal(one.next_ms - 1000, waits[i]);
	}
	one.next_ms = 1000; /* ready since then */
	child_schedule_restart(&one, 1000 + CHILD_HEALTHY_AFTER_MS - 1, true);
	assert_int_equal(one.next_ms, 1000 + CHILD_HEALTHY_AFTER_MS - 1 + CHILD_BACKOFF_MAX_MS);
	one.next_ms = 1000;
	child_schedule_restart(&one, 1000 + CHILD_HEALTHY_AFTER_MS, true);
	assert_int_equal(one.next_ms, 1000 + CHILD_HEALTHY_AFTER_MS);
}

/* 50 ends in a row: it waits 5 s in the end, and one healthy life makes it forget them all. */
static void child_that_ends_again_and_again_is_never_given_up(void **state)
{
	struct child one = {.role = ROLE_FETCHER};
	int64_t now_ms = 1000;

	(void)state;
	for (unsigned i = 1; i <= 50; i++) {
		child_schedule_restart(&one, now_ms, i % 2 == 0);
		assert_int_equal(one.state, CHILD_WAITING);
		assert_int_equal(one.failures, i);
		assert_in_range(one.next_ms - now_ms, 0, CHILD_BACKOFF_MAX_MS);
		now_ms = one.next_ms + 200;
		one.next_ms = now_ms - 100; /* READY a moment ago */
	}
	assert_int_equal(one.delay_ms, CHILD_BACKOFF_MAX_MS);
	one.state = CHILD_READY;
	one.next_ms = now_ms;
	child_settle(&one, now_ms + CHILD_HEALTHY_AFTER_MS - 1);
	assert_int_equal(one.failures, 50);
	child_settle(&one, now_ms + CHILD_HEALTHY_AFTER_MS);
	assert_int_equal(one.failures, 0);
	child_schedule_restart(&one, now_ms + CHILD_HEALTHY_AFTER_MS, true);
	assert_int_equal(one.delay_ms, 0);
}

static void planned_end_is_no_failure(void **state)
{
	struct child one = {.role = ROLE_CONNECTOR, .is_planned = true, .backoff_ms = 640};

	(void)state;
	child_schedule_restart(&one, 1000, true);
	assert_int_equal(one.state, CHILD_WAITING);
	assert_int_equal(one.next_ms, 1000);
	assert_int_equal(one.failures, 0);
	assert_int_equal(one.backoff_ms, 640);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(child_has_its_table_and_nothing_else, start, stop),
		cmocka_unit_test_setup_teardown(child_is_first_in_a_pid_namespace, start, stop),
		cmocka_unit_test_setup_teardown(kill_is_told_by_its_signal, start, stop),
		cmocka_unit_test(missing_binary_shows_as_an_end),
		cmocka_unit_test(backoff_doubles_to_its_limit_and_health_resets_it),
		cmocka_unit_test(child_that_ends_again_and_again_is_never_given_up),
		cmocka_unit_test(planned_end_is_no_failure),
	};

	if (argc == 2 && strcmp(argv[1], CHILD_NAME) == 0)
		return report();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
