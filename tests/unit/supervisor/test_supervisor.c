/* SPDX-License-Identifier: ISC */
/*
 * The supervisor at work, with no more authority than it has in earnest, over children that are this
 * test's own binary: they take their places as real ones do, and then do what a byte in a FIFO asks
 * for. Needs root.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/process.h"
#include "sandbox/walls.h"
#include "service_manager.h"
#include "supervisor/authority.h"
#include "supervisor/supervisor.h"

#define CHILDREN "pullgate-"

/* What a child may be asked to do. */
enum order {
	HIDE = 'h',        /* stop talking to the supervisor, but live */
	REPORT = 'o',      /* say that the installer sent what it can't */
	REPORT_LATE = 'l', /* say it of one that there was before */
	ACCUSE = 'x',      /* say it 25 times */
	READY = 'r',       /* say READY again */
	ANSWER = 'a',      /* answer a question that nobody asked */
	GARBAGE = 'g',     /* send bytes that are no message */
	FLOOD = 'f',       /* tell of a device, again and again */
	MOVE_PORT = 'm'    /* tell of a device with another port */
};

static char folder[64], config_path[96], manager_name[64], told[SERVICE_MANAGER_BYTES];
static pid_t supervisor_pid;
static FILE *logged;
static pid_t pids[ROLE_COUNT];
static int orders[ROLE_COUNT], manager;

/* The child */

static void tell_device(struct process *process, uint16_t port)
{
	struct message message = {.type = MESSAGE_TYPE_DEVICE,
		.device = {.interface_index = 99, .listen_port = port}};

	channel_send(&process->channels[ROLE_SUPERVISOR], &message);
}

static void start_child_role(struct process *process, enum role role)
{
	struct message message;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_open(process, role, role_name(role));
	process_await(process, &message, &fd);
	if (fd >= 0)
		close(fd);
	if (role == ROLE_INSTALLER)
		tell_device(process, 51820);
	process_ready(process);
}

static void carry_out(struct process *process, enum order order)
{
	struct channel *control = &process->channels[ROLE_SUPERVISOR];
	struct message unasked = {
		.type = MESSAGE_TYPE_HEALTH_ANSWER, .health_answer.id = UINT64_MAX};

	switch (order) {
	case HIDE:
		close(FD_CONTROL);
		for (;;)
			poll(NULL, 0, -1);
	case REPORT:
		process_report_offence(process, ROLE_INSTALLER);
		break;
	case ACCUSE:
		for (int i = 0; i < 25; i++)
			process_report_offence(process, ROLE_INSTALLER);
		break;
	case REPORT_LATE:
		process->channels[ROLE_INSTALLER].generation = 0;
		process_report_offence(process, ROLE_INSTALLER);
		break;
	case READY:
		process_ready(process);
		break;
	case ANSWER:
		channel_send(control, &unasked);
		break;
	case GARBAGE:
		send(FD_CONTROL, "garbage", 7, MSG_NOSIGNAL);
		break;
	case FLOOD:
		for (int i = 0; i < 200; i++)
			tell_device(process, 51820);
		break;
	case MOVE_PORT:
		tell_device(process, 51821);
		break;
	}
}

_Noreturn static void run_as_child(enum role role)
{
	struct process process;
	struct message message;
	struct pollfd wait[2] = {{.fd = FD_CONTROL, .events = POLLIN}, {.events = POLLIN}};
	char order;
	int fd;

	start_child_role(&process, role);
	wait[1].fd = open(role_name(role), O_RDWR | O_CLOEXEC);
	for (;;) {
		poll(wait, 2, -1);
		if (wait[1].revents != 0 && read(wait[1].fd, &order, 1) == 1)
			carry_out(&process, (enum order)order);
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
	if (chdir(folder) != 0)
		_exit(98);
	setenv("NOTIFY_SOCKET", manager_name, 1);
	notify_open(&supervisor.notify);
	dup2(log_fd, STDERR_FILENO);
	signal(SIGCHLD, SIG_IGN); /* as some who start us do */
	log_open("pullgate");
	log_set_verbose(true);
	supervisor.config_path = config_path;
	supervisor.verbose = true;
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		supervisor.users[role] = (struct user){.user_id = 1, .group_id = 1};
	if (authority_reduce(error) != 0 ||
		config_load(&supervisor.config, config_path, error) != 0 ||
		supervisor_open(&supervisor) != 0 || authority_close_filter(error) != 0)
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

/* Its descriptors whose targets begin with that text. */
static int count_descriptors(const char *begin)
{
	char path[64], target[PATH_MAX];
	const struct dirent *entry;
	DIR *entries;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)supervisor_pid);
	entries = opendir(path);
	assert_non_null(entries);
	while ((entry = readdir(entries)) != NULL) {
		ssize_t length =
			readlinkat(dirfd(entries), entry->d_name, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = '\0';
		if (length > 0 && strncmp(target, begin, strlen(begin)) == 0)
			count++;
	}
	closedir(entries);
	return count;
}

static void give_order(enum role role, enum order order)
{
	char byte = (char)order;

	assert_int_equal(write(orders[role], &byte, 1), 1);
}

static int start(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	manager = service_manager_open(manager_name);
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
	close(manager);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (kill(pids[role], 0) == 0)
			return -1;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Pairs of children die at once, with a reload in between; what they leave adds up to nothing. */
static void restarts_leave_no_descriptor(void **state)
{
	int before = count_descriptors("");

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
			assert_int_equal(count_descriptors(""), before);
		}
	}
}

/* Waits for the line that begins so and names the child, for its end, and for its successor. */
static void assert_replaced(enum role role, const char *event, const char *rest)
{
	int pid = (int)pids[role];
	char line[160];

	snprintf(
		line, sizeof(line), "event=%s role=%s pid=%d%s", event, role_name(role), pid, rest);
	await_line(line);
	snprintf(line, sizeof(line), "event=child_ended role=%s pid=%d signal=KILL",
		role_name(role), pid);
	await_line(line);
	await_ready(role);
	assert_int_not_equal(pids[role], pid);
}

static void child_that_hides_is_replaced(void **state)
{
	char ended[64];

	(void)state;
	snprintf(ended, sizeof(ended), "event=child_ended role=fetcher pid=%d signal=KILL",
		(int)pids[ROLE_FETCHER]);
	give_order(ROLE_FETCHER, HIDE);
	await_line(ended);
	await_ready(ROLE_FETCHER);
}

static void reported_offender_is_replaced(void **state)
{
	(void)state;
	give_order(ROLE_CAPTURE, REPORT);
	assert_replaced(ROLE_INSTALLER, "offender_killed", " reported_by=capture");
}

static void assert_offence(enum role role, enum order order, const char *reason)
{
	give_order(role, order);
	assert_replaced(role, "child_misbehaved", reason);
}

static void late_report_leaves_the_new_one_alone(void **state)
{
	(void)state;
	give_order(ROLE_CAPTURE, REPORT_LATE);
	await_line("event=offender_gone role=installer reported_by=capture");
	/* A question and its answer later it would have been gone. */
	assert_offence(ROLE_FETCHER, READY, " reason=\"a message at a time");
	assert_int_equal(kill(pids[ROLE_INSTALLER], 0), 0);
}

static void what_no_honest_child_says_replaces_it(void **state)
{
	(void)state;
	assert_offence(ROLE_CONNECTOR, REPORT, " reason=\"a message at a time");
	assert_offence(ROLE_FETCHER, READY, " reason=\"a message at a time");
	assert_offence(ROLE_CAPTURE, ANSWER, " reason=\"a message at a time");
	assert_offence(ROLE_FETCHER, GARBAGE, " reason=\"a message that can't be read");
	assert_offence(ROLE_INSTALLER, FLOOD, " reason=\"a flood of messages");
}

static void accuser_without_end_is_replaced(void **state)
{
	(void)state;
	assert_offence(ROLE_FETCHER, ACCUSE, " reason=\"more reports of offences");
}

/* The second change waits for its time, and the first one holds meanwhile. */
static void moved_port_restarts_capture_on_another_socket(void **state)
{
	int before = count_descriptors("");
	char line[64];

	(void)state;
	snprintf(line, sizeof(line), "event=child_ended role=capture pid=%d signal=KILL",
		(int)pids[ROLE_CAPTURE]);
	give_order(ROLE_INSTALLER, MOVE_PORT);
	await_line("event=device_changed interface=wg-test index=99 port=51821");
	await_line(line);
	await_ready(ROLE_CAPTURE);
	assert_int_equal(count_descriptors(""), before);
}

/* The value of a line of /proc/PID/status. */
static const char *status_of(pid_t pid, const char *name, char value[static 64])
{
	char path[64], line[256], format[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	snprintf(format, sizeof(format), "%s:\t%%63s", name);
	file = fopen(path, "re");
	assert_non_null(file);
	value[0] = '\0';
	while (value[0] == '\0' && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, format, value);
	fclose(file);
	return value;
}

static void assert_capabilities(pid_t pid, const char *name, unsigned long long wanted)
{
	char value[64];

	assert_true(strtoull(status_of(pid, name, value), NULL, 16) == wanted);
}

/* CAP_KILL 5, SETGID 6, SETUID 7, SETPCAP 8, NET_BIND_SERVICE 10, NET_ADMIN 12, NET_RAW 13, and
 * SYS_ADMIN 21, by linux/capability.h; written down once more, so that an addition is noticed. */
#define KEPT 0x2035e0ULL

static void supervisor_keeps_what_restarts_take_and_no_more(void **state)
{
	char value[64];

	(void)state;
	assert_true(authority_kept() == KEPT);
	assert_true(
		walls_of_role(ROLE_SUPERVISOR)->capabilities == KEPT); /* what the audit wants */
	assert_capabilities(supervisor_pid, "CapEff", KEPT);
	assert_capabilities(supervisor_pid, "CapPrm", KEPT);
	assert_capabilities(supervisor_pid, "CapBnd", KEPT);
	assert_capabilities(supervisor_pid, "CapInh", 0);
	assert_capabilities(supervisor_pid, "CapAmb", 0);
	assert_string_equal(status_of(supervisor_pid, "Seccomp", value), "2");
	assert_string_equal(status_of(supervisor_pid, "NoNewPrivs", value), "0");
	/* Before they close their sandboxes, which these never do. */
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		assert_capabilities(pids[role], "CapEff", KEPT);
		assert_capabilities(pids[role], "CapBnd", KEPT);
		assert_string_equal(status_of(pids[role], "Seccomp", value), "2");
	}
}

static void write_token(void)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/token", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("secret", file);
	fclose(file);
}

static void secrets_are_sent_and_not_kept(void **state)
{
	(void)state;
	assert_int_equal(count_descriptors("/memfd:token"), 0);
	kill(pids[ROLE_FETCHER], SIGKILL);
	await_ready(ROLE_FETCHER);
	assert_int_equal(count_descriptors("/memfd:token"), 0);
	kill(supervisor_pid, SIGHUP);
	await_line("event=reloaded");
	assert_int_equal(count_descriptors("/memfd:token"), 0);
	assert_int_equal(count_descriptors("/memfd:timestamps"), 1);
}

static void fetcher_waits_for_files_that_can_not_be_read(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/token", folder);
	unlink(path);
	kill(supervisor_pid, SIGHUP);
	await_line("event=reload_failed");
	kill(pids[ROLE_FETCHER], SIGKILL);
	await_line("event=child_restart_failed role=fetcher reason=\"/tmp/");
	await_line("event=child_restart_failed role=fetcher reason=\"/tmp/");
	await_line("event=degraded reason=\"fetcher restarts (");
	write_token();
	await_ready(ROLE_FETCHER);
}

static void service_manager_is_told(void **state)
{
	(void)state;
	assert_string_equal(service_manager_await(manager, "READY=1", told),
		"READY=1\nSTATUS=serving wg-test on port 51820");
	kill(supervisor_pid, SIGHUP);
	service_manager_await(manager, "RELOADING=1\nMONOTONIC_USEC=", told);
	service_manager_await(manager, "READY=1", told);
	kill(supervisor_pid, SIGTERM);
	service_manager_await(manager, "STOPPING=1", told);
}

static void write_config(void)
{
	FILE *file = fopen(config_path, "we");

	assert_non_null(file);
	fprintf(file,
		"[gateway]\ninterface = wg-test\n[origin]\nurl = unix:/nonexistent\n"
		"bearer_token_file = %s/token\n[policy]\nallowed_ips = 10.0.0.0/8\n",
		folder);
	fclose(file);
}

static int make_fifo(enum role role)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, role_name(role));
	if (mkfifo(path, 0600) != 0)
		return -1;
	orders[role] = open(path, O_RDWR | O_CLOEXEC);
	return orders[role] < 0 ? -1 : 0;
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
	snprintf(manager_name, sizeof(manager_name), "@pullgate-supervisor-%d", (int)getpid());
	write_config();
	write_token();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		binary_path(path, role);
		if (symlink(self, path) != 0 || make_fifo(role) != 0)
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
		snprintf(path, sizeof(path), "%s/%s", folder, role_name(role));
		unlink(path);
		close(orders[role]);
	}
	snprintf(path, sizeof(path), "%s/token", folder);
	unlink(path);
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
		SUPERVISOR_TEST(late_report_leaves_the_new_one_alone),
		SUPERVISOR_TEST(accuser_without_end_is_replaced),
		SUPERVISOR_TEST(what_no_honest_child_says_replaces_it),
		SUPERVISOR_TEST(moved_port_restarts_capture_on_another_socket),
		SUPERVISOR_TEST(supervisor_keeps_what_restarts_take_and_no_more),
		SUPERVISOR_TEST(secrets_are_sent_and_not_kept),
		SUPERVISOR_TEST(fetcher_waits_for_files_that_can_not_be_read),
		SUPERVISOR_TEST(service_manager_is_told),
	};

	if (argc == 2 && strncmp(argv[0], CHILDREN, strlen(CHILDREN)) == 0)
		run_as_child(role_of(argv[0] + strlen(CHILDREN)));
	if (geteuid() != 0) {
		puts("skipped: a network namespace and a packet socket need root");
		return 77;
	}
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
