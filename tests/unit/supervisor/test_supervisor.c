/* SPDX-License-Identifier: ISC */
/*
 * The supervisor at work, over children that are this test's own binary: they take their places as
 * real ones do, and then die, or hide, as the test wants. Needs root.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/process.h"
#include "supervisor/supervisor.h"

#define HIDE     SIGUSR1 /* to a child: stop talking to the supervisor, but live */
#define REPORT   SIGUSR2 /* to a child: say that the installer sent what it can't */
#define CHILDREN "pullgate-"

static char folder[64], config_path[96];
static pid_t supervisor_pid;
static FILE *logged;
static pid_t pids[ROLE_COUNT];

/* The child */

static volatile sig_atomic_t order;

static void take_order(int signal_number)
{
	order = signal_number;
}

static void start_child_role(struct process *process, enum role role)
{
	struct message message;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_open(process, role, role_name(role));
	process_await(process, &message, &fd);
	if (role == ROLE_INSTALLER) {
		message = (struct message){.type = MESSAGE_TYPE_DEVICE};
		message.device.interface_index = 99;
		message.device.listen_port = 51820;
		channel_send(&process->channels[ROLE_SUPERVISOR], &message);
	}
	process_ready(process);
}

_Noreturn static void run_as_child(enum role role)
{
	struct process process;
	struct message message;
	sigset_t orders, before;
	int fd;

	sigemptyset(&orders);
	sigaddset(&orders, HIDE);
	sigaddset(&orders, REPORT);
	sigprocmask(SIG_BLOCK, &orders, &before);
	signal(HIDE, take_order);
	signal(REPORT, take_order);
	start_child_role(&process, role);
	for (;;) {
		struct pollfd wait = {.fd = FD_CONTROL, .events = POLLIN};

		ppoll(&wait, 1, NULL, &before);
		if (order == HIDE) {
			close(FD_CONTROL);
			for (;;)
				pause();
		}
		if (order == REPORT)
			process_report_offence(&process, ROLE_INSTALLER);
		order = 0;
		while (process_receive_control(&process, &message, &fd))
			if (fd >= 0)
				close(fd);
	}
}

static enum role role_of(const char *name)
{
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (strcmp(name, role_name(role)) == 0)
			return role;
	}
	return ROLE_COUNT;
}

/* The supervisor */

_Noreturn static void run_supervisor(int log_fd)
{
	static struct supervisor supervisor;
	char error[CONFIG_ERROR_BYTES];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log_fd, STDERR_FILENO);
	signal(SIGCHLD, SIG_IGN); /* as some who start us do */
	log_open("pullgate");
	log_set_verbose(true);
	supervisor.config_path = config_path;
	supervisor.verbose = true;
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		supervisor.users[role] = (struct user){.user_id = 1, .group_id = 1};
	if (config_load(&supervisor.config, config_path, error) != 0 ||
		material_load(&supervisor.material, &supervisor.config, error) != 0 ||
		supervisor_open(&supervisor) != 0)
		_exit(99);
	snprintf(supervisor.binaries, sizeof(supervisor.binaries), "%s", folder);
	_exit(supervisor_run(&supervisor));
}

/* Reads the log to a line that has all of the text; notes the pids of children on the way. */
static void await_line(const char *text)
{
	char line[LOG_LINE_BYTES + 1];

	while (fgets(line, sizeof(line), logged) != NULL) {
		char role[32];
		int pid;

		if (sscanf(line, "pullgate level=debug event=started role=%31s pid=%d", role,
			    &pid) == 2)
			pids[role_of(role)] = pid;
		if (strstr(line, text) != NULL)
			return;
	}
	fail_msg("the supervisor ended before \"%s\"", text);
}

static void await_ready(enum role role)
{
	char text[64];

	snprintf(text, sizeof(text), "event=child_ready role=%s pid=", role_name(role));
	await_line(text);
}

static int count_descriptors(void)
{
	char path[64];
	DIR *entries;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)supervisor_pid);
	entries = opendir(path);
	assert_non_null(entries);
	while (readdir(entries) != NULL)
		count++;
	closedir(entries);
	return count;
}

static int start(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	supervisor_pid = fork();
	if (supervisor_pid == 0)
		run_supervisor(ends[1]);
	close(ends[1]);
	logged = fdopen(ends[0], "r");
	await_line("event=ready ");
	return 0;
}

static int stop(void **state)
{
	int status = -1;

	(void)state;
	kill(supervisor_pid, SIGTERM);
	await_line("event=stopped");
	waitpid(supervisor_pid, &status, 0);
	fclose(logged);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (kill(pids[role], 0) == 0)
			return -1;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Pairs of children die at once, with a reload in between; what they leave adds up to nothing. */
static void restarts_leave_no_descriptor(void **state)
{
	int before = count_descriptors();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
			enum role other = role == ROLE_CAPTURE ? ROLE_INSTALLER : role - 1;
			bool other_first = round % 2 != 0;

			kill(pids[other_first ? other : role], SIGKILL);
			kill(pids[other_first ? role : other], SIGKILL);
			kill(supervisor_pid, SIGHUP);
			for (int ready = 0; ready < 2; ready++)
				await_line("event=child_ready ");
			assert_int_equal(count_descriptors(), before);
		}
	}
}

static void child_that_hides_is_replaced(void **state)
{
	char ended[64];

	(void)state;
	snprintf(ended, sizeof(ended), "event=child_ended role=fetcher pid=%d signal=KILL",
		(int)pids[ROLE_FETCHER]);
	kill(pids[ROLE_FETCHER], HIDE);
	await_line(ended);
	await_ready(ROLE_FETCHER);
}

static void reported_offender_is_replaced(void **state)
{
	char killed[96];

	(void)state;
	snprintf(killed, sizeof(killed), "event=offender_killed role=installer pid=%d",
		(int)pids[ROLE_INSTALLER]);
	kill(pids[ROLE_CAPTURE], REPORT);
	await_line(killed);
	await_ready(ROLE_INSTALLER);
}

static void report_about_a_stranger_is_an_offence(void **state)
{
	(void)state;
	kill(pids[ROLE_CONNECTOR], REPORT);
	await_line("event=child_misbehaved role=connector ");
	await_ready(ROLE_CONNECTOR);
}

static void write_config(void)
{
	FILE *file = fopen(config_path, "we");

	assert_non_null(file);
	fputs("[gateway]\ninterface = wg-test\n[origin]\nurl = unix:/nonexistent\n"
	      "[policy]\nallowed_ips = 10.0.0.0/8\n",
		file);
	fclose(file);
}

static void binary_path(char path[static 128], enum role role)
{
	snprintf(path, 128, "%s/" CHILDREN "%s", folder, role_name(role));
}

static int make_folder(void **state)
{
	char self[PATH_MAX] = "", path[128];

	(void)state;
	strcpy(folder, "/tmp/pullgate-test-XXXXXX");
	if (unshare(CLONE_NEWNET) != 0 || mkdtemp(folder) == NULL ||
		readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/config", folder);
	write_config();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		binary_path(path, role);
		if (symlink(self, path) != 0)
			return -1;
	}
	return 0;
}

static int remove_folder(void **state)
{
	char path[128];

	(void)state;
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		binary_path(path, role);
		unlink(path);
	}
	unlink(config_path);
	return rmdir(folder);
}

#define SUPERVISOR_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SUPERVISOR_TEST(restarts_leave_no_descriptor),
		SUPERVISOR_TEST(child_that_hides_is_replaced),
		SUPERVISOR_TEST(reported_offender_is_replaced),
		SUPERVISOR_TEST(report_about_a_stranger_is_an_offence),
	};

	if (argc == 2 && strncmp(argv[0], CHILDREN, strlen(CHILDREN)) == 0)
		run_as_child(role_of(argv[0] + strlen(CHILDREN)));
	if (geteuid() != 0) {
		puts("skipped: a network namespace and a packet socket need root");
		return 77;
	}
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
