/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor does as time goes by, with the test's own time. The children are one process
 * that does nothing, and the test's ends of their control channels.
 */
#include <errno.h>
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_manager.h"
#include "supervisor/supervisor.h"
#include "supervisor/timers.h"

#define START_MS 100000

static struct supervisor supervisor;
static struct channel others[ROLE_COUNT]; /* the children's ends */
static char folder[64], text[SERVICE_MANAGER_BYTES];
static int manager;
static int64_t now_ms;

static void make_child(enum role role)
{
	struct child *child = &supervisor.children[role];
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*child = (struct child){.role = role, .state = CHILD_READY, .next_ms = START_MS};
	child->control = (struct channel){.fd = ends[0], .self = ROLE_SUPERVISOR, .peer = role};
	others[role] = (struct channel){.fd = ends[1], .self = role, .peer = ROLE_SUPERVISOR};
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	assert_true(child->pidfd >= 0);
}

static void write_file(const char *name, const char *content)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static int begin(void **state)
{
	char name[64];

	(void)state;
	strcpy(folder, "/tmp/pullgate-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	write_file("resolv.conf", "nameserver 192.0.2.1\n");
	now_ms = START_MS;
	supervisor = (struct supervisor){.serving = true, .resolver_folder = folder};
	strcpy(supervisor.config.interface, "wg0");
	supervisor.device.listen_port = 51820;
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		make_child(role);
	snprintf(name, sizeof(name), "@pullgate-timers-%d", (int)getpid());
	manager = service_manager_open(name);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "20000000", 1);
	notify_open(&supervisor.notify);
	resolver_files_note(&supervisor.resolver_files, folder);
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"resolv.conf", "hosts"};
	char path[128];

	(void)state;
	FOR_EACH_CHILD(&supervisor, child)
	{
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		close(child->pidfd);
		channel_close(&child->control);
		channel_close(&others[child->role]);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	close(supervisor.notify.fd);
	close(manager);
	return rmdir(folder);
}

static bool was_killed(enum role role)
{
	struct pollfd wait = {.fd = supervisor.children[role].pidfd, .events = POLLIN};

	/* SIGKILL takes its moment; a child that wasn't killed lives through it. */
	return poll(&wait, 1, supervisor.children[role].is_ending ? 60000 : 0) == 1;
}

/* As an honest child's loop does. */
static void answer(enum role role)
{
	struct message message;

	while (channel_receive(&others[role], &message) == 0) {
		assert_int_equal(message.type, MESSAGE_TYPE_HEALTH_ASK);
		assert_int_equal(health_answer(&supervisor.children[role].health,
					 message.health_ask.id, now_ms),
			0);
	}
}

/* Lets time go by in the loop's steps; silent answers nothing. */
static void pass(int64_t ms, enum role silent)
{
	for (int64_t until_ms = now_ms + ms; now_ms < until_ms;) {
		now_ms += until_ms - now_ms < 500 ? until_ms - now_ms : 500;
		timers_run(&supervisor, now_ms);
		for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
			if (role != silent)
				answer(role);
		}
	}
}

static void who_answers_lives(void **state)
{
	(void)state;
	pass(60000, ROLE_COUNT);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		assert_false(was_killed(role));
		assert_true(supervisor.children[role].health.asked >= 30);
	}
}

static void assert_found_silent(enum role role, int64_t limit_ms)
{
	pass(10000, ROLE_COUNT);
	pass(limit_ms, role);
	assert_false(was_killed(role)); /* it was asked later than it fell silent */
	pass(HEALTH_ASK_EVERY_MS + 1000, role);
	assert_true(was_killed(role));
	for (enum role other = ROLE_CAPTURE; other < ROLE_COUNT; other++)
		assert_true(other == role || !was_killed(other));
}

static void who_is_silent_is_killed(void **state)
{
	(void)state;
	assert_found_silent(ROLE_FETCHER, HEALTH_SILENT_MS);
}

static void stopped_process_is_killed(void **state)
{
	(void)state;
	kill(supervisor.children[ROLE_INSTALLER].pid, SIGSTOP);
	assert_found_silent(ROLE_INSTALLER, HEALTH_SILENT_MS);
}

static void connector_may_wait_for_name_servers(void **state)
{
	(void)state;
	assert_found_silent(ROLE_CONNECTOR, HEALTH_SILENT_CONNECTOR_MS);
}

static void supervisor_that_was_stopped_asks_anew(void **state)
{
	(void)state;
	pass(10000, ROLE_COUNT);
	pass(HEALTH_ASK_EVERY_MS + 1000, ROLE_FETCHER); /* a question is open */
	now_ms += 3600000;
	timers_run(&supervisor, now_ms);
	assert_false(was_killed(ROLE_FETCHER));
	pass(HEALTH_SILENT_MS - 1000, ROLE_FETCHER);
	assert_false(was_killed(ROLE_FETCHER));
	pass(3000, ROLE_FETCHER);
	assert_true(was_killed(ROLE_FETCHER));
}

static void assert_status(const char *wanted)
{
	char whole[SERVICE_MANAGER_BYTES];

	snprintf(whole, sizeof(whole), "STATUS=%s", wanted);
	assert_string_equal(service_manager_await(manager, "STATUS=", text), whole);
}

static void set_waiting(struct child *child)
{
	child->state = CHILD_WAITING;
	child->next_ms = INT64_MAX;
	child->delay_ms = 5000;
	child->failures = 12;
}

static void missing_child_shows_in_the_status_and_so_does_its_return(void **state)
{
	struct child *fetcher = &supervisor.children[ROLE_FETCHER];

	(void)state;
	pass(500, ROLE_COUNT);
	assert_status("serving wg0 on port 51820");
	set_waiting(fetcher);
	pass(500, ROLE_COUNT);
	assert_status("degraded: fetcher restarts (12 times, next in 5 s)");
	fetcher->state = CHILD_READY;
	fetcher->next_ms = now_ms;
	pass(CHILD_HEALTHY_AFTER_MS - 500, ROLE_COUNT);
	assert_status("degraded: fetcher restarts (12 times)");
	assert_true(supervisor.status.is_degraded);
	pass(1000, ROLE_COUNT);
	assert_status("serving wg0 on port 51820");
	assert_false(supervisor.status.is_degraded);
	assert_int_equal(fetcher->failures, 0);
}

static void short_absence_is_not_degraded(void **state)
{
	struct child *capture = &supervisor.children[ROLE_CAPTURE];

	(void)state;
	capture->state = CHILD_STARTING;
	capture->next_ms = INT64_MAX;
	capture->unready_ms = now_ms;
	pass(STATUS_UNREADY_MS - 500, ROLE_COUNT);
	assert_status("serving wg0 on port 51820");
	pass(500, ROLE_COUNT);
	assert_status("degraded: capture is not ready");
}

static void changed_resolver_file_restarts_the_connector_without_failure(void **state)
{
	struct child *connector = &supervisor.children[ROLE_CONNECTOR];

	(void)state;
	pass(2 * RESOLVER_FILES_EVERY_MS, ROLE_COUNT);
	assert_false(was_killed(ROLE_CONNECTOR));
	write_file("hosts", "192.0.2.7 origin\n");
	pass(RESOLVER_FILES_EVERY_MS + 500, ROLE_COUNT);
	assert_true(was_killed(ROLE_CONNECTOR));
	assert_true(connector->is_planned);
	child_schedule_restart(connector, now_ms, true);
	assert_int_equal(connector->next_ms, now_ms);
	assert_int_equal(connector->failures, 0);
	assert_int_equal(connector->backoff_ms, 0);
}

/* By another directory in its place, not by its absence, for the old one still serves. */
static void another_origin_directory_restarts_the_fetcher_without_failure(void **state)
{
	char *path = supervisor.config.origins[0].directory;
	char other[CONFIG_PATH_BYTES + 8];

	(void)state;
	snprintf(path, CONFIG_PATH_BYTES, "%s/peers", folder);
	snprintf(other, sizeof(other), "%s.old", path);
	assert_int_equal(mkdir(path, 0755), 0);
	origin_directory_note(&supervisor.origin_directory, path);
	pass(2 * ORIGIN_DIRECTORY_EVERY_MS, ROLE_COUNT);
	assert_int_equal(rename(path, other), 0);
	pass(2 * ORIGIN_DIRECTORY_EVERY_MS, ROLE_COUNT);
	assert_false(was_killed(ROLE_FETCHER));
	assert_int_equal(mkdir(path, 0755), 0);
	pass(ORIGIN_DIRECTORY_EVERY_MS + 500, ROLE_COUNT);
	assert_true(was_killed(ROLE_FETCHER));
	assert_true(supervisor.children[ROLE_FETCHER].is_planned);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(other), 0);
}

static void origin_needs_its_directory(void **state)
{
	struct config config = {.interface = "wg0"};
	char error[CONFIG_ERROR_BYTES];

	(void)state;
	assert_int_equal(origin_directory_check(&config, error), 0);
	strcpy(config.origins[0].directory, folder);
	assert_int_equal(origin_directory_check(&config, error), 0);
	strcat(config.origins[0].directory, "/resolv.conf");
	assert_int_equal(origin_directory_check(&config, error), -ENOTDIR);
	assert_non_null(strstr(error, "/resolv.conf: Not a directory"));
	strcpy(config.origins[0].directory, "/nonexistent");
	assert_int_equal(origin_directory_check(&config, error), -ENOENT);
}

static void change_of_size_and_link_target_count(void **state)
{
	char hosts[128], resolv[128];

	(void)state;
	assert_null(resolver_files_changed(&supervisor.resolver_files, folder));
	write_file("resolv.conf", "nameserver 192.0.2.10\n");
	assert_string_equal(
		resolver_files_changed(&supervisor.resolver_files, folder), "resolv.conf");
	resolver_files_note(&supervisor.resolver_files, folder);
	snprintf(hosts, sizeof(hosts), "%s/hosts", folder);
	snprintf(resolv, sizeof(resolv), "%s/resolv.conf", folder);
	assert_int_equal(symlink(resolv, hosts), 0);
	assert_string_equal(resolver_files_changed(&supervisor.resolver_files, folder), "hosts");
	resolver_files_note(&supervisor.resolver_files, folder);
	assert_null(resolver_files_changed(&supervisor.resolver_files, folder));
	write_file("resolv.conf", "");
	assert_string_equal(
		resolver_files_changed(&supervisor.resolver_files, folder), "resolv.conf");
}

static void loop_wakes_for_restarts_and_the_watchdog(void **state)
{
	struct child *capture = &supervisor.children[ROLE_CAPTURE];

	(void)state;
	pass(500, ROLE_COUNT);
	assert_in_range(timers_wait_ms(&supervisor, now_ms), 1, 1000);
	capture->state = CHILD_WAITING;
	capture->next_ms = now_ms + 40;
	assert_int_equal(timers_wait_ms(&supervisor, now_ms), 40);
	supervisor.notify.watchdog_every_ms = 30;
	supervisor.notify.watchdog_ms = now_ms;
	assert_int_equal(timers_wait_ms(&supervisor, now_ms), 30);
	assert_int_equal(timers_wait_ms(&supervisor, now_ms + 99), 0);
}

#define TIMERS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TIMERS_TEST(who_answers_lives),
		TIMERS_TEST(who_is_silent_is_killed),
		TIMERS_TEST(stopped_process_is_killed),
		TIMERS_TEST(connector_may_wait_for_name_servers),
		TIMERS_TEST(supervisor_that_was_stopped_asks_anew),
		TIMERS_TEST(missing_child_shows_in_the_status_and_so_does_its_return),
		TIMERS_TEST(short_absence_is_not_degraded),
		TIMERS_TEST(changed_resolver_file_restarts_the_connector_without_failure),
		TIMERS_TEST(another_origin_directory_restarts_the_fetcher_without_failure),
		TIMERS_TEST(origin_needs_its_directory),
		TIMERS_TEST(change_of_size_and_link_target_count),
		TIMERS_TEST(loop_wakes_for_restarts_and_the_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
