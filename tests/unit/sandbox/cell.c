/* SPDX-License-Identifier: ISC */
/* A child process in a role's real sandbox. */
#include "cell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "sandbox/sandbox.h"

#define PARKED     64
#define BROKEN     100
#define UNPREPARED 101

struct table {
	int inside[FD_INHERITED_END], outside[FD_INHERITED_END];
};

static void add_pair(struct table *table, int number, int type)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	table->inside[number] = ends[0];
	table->outside[number] = ends[1];
	assert_int_equal(
		write(ends[1], CELL_GREETING, strlen(CELL_GREETING)), strlen(CELL_GREETING));
}

static void make_table(struct table *table, enum role role)
{
	for (int fd = 0; fd < FD_INHERITED_END; fd++)
		table->inside[fd] = table->outside[fd] = -1;
	for (enum role peer = 0; peer < ROLE_COUNT; peer++) {
		if (peer == ROLE_SUPERVISOR || role_linked(role, peer))
			add_pair(table, FD_CHANNEL(peer), SOCK_SEQPACKET);
	}
	if (role == ROLE_CAPTURE) {
		add_pair(table, FD_PACKET, SOCK_DGRAM);
		table->inside[FD_TIMESTAMPS] = memfd_create("timestamps", MFD_CLOEXEC);
	} else if (role == ROLE_FETCHER) {
		table->inside[FD_CACHE] = memfd_create("cache", MFD_CLOEXEC);
		table->inside[FD_CACHE_LOG] = memfd_create("cache_log", MFD_CLOEXEC);
	} else if (role == ROLE_INSTALLER) {
		table->inside[FD_REPLAY_IPV4] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		table->inside[FD_REPLAY_IPV6] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
}

/* In the child: the table as process_open() leaves it, and the installer's netlink socket. */
static int enter_table(const struct table *table, enum role role, int log)
{
	int parked[FD_INHERITED_END];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return -errno;
	for (int fd = FD_CONTROL; fd < FD_INHERITED_END; fd++)
		parked[fd] = fcntl(table->inside[fd] < 0 ? 0 : table->inside[fd], F_DUPFD, PARKED);
	for (int fd = FD_CONTROL; fd < FD_INHERITED_END; fd++) {
		if (dup2(parked[fd], fd) < 0)
			return -errno;
	}
	if (close_range(FD_INHERITED_END, ~0U, 0) != 0)
		return -errno;
	if (role == ROLE_INSTALLER &&
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) != CELL_NETLINK)
		return -EBADF;
	return 0;
}

/* The greeting on the control channel would be in the way of the look at the parent. */
static int read_control(void)
{
	char greeting[sizeof(CELL_GREETING)];

	return recv(FD_CONTROL, greeting, sizeof(greeting), MSG_DONTWAIT) > 0 ? 0 : -errno;
}

/* As the supervisor does it (supervisor/child.c). */
static pid_t fork_into_pid_namespace(void)
{
	struct clone_args arguments = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

struct plan {
	enum role role;
	uid_t user;
	gid_t group;
	cell_function *prepare, *work;
	const void *argument;
	const struct root_needs *needs;
	const char *directory;
};

static struct cell open_cell(const struct plan *plan)
{
	struct table table;
	struct cell cell;
	int log[2];

	make_table(&table, plan->role);
	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	cell.pid = fork_into_pid_namespace();
	assert_true(cell.pid >= 0);
	if (cell.pid == 0) {
		log_open("cell");
		if (enter_table(&table, plan->role, log[1]) != 0 || read_control() != 0)
			_exit(BROKEN);
		if (plan->prepare != NULL && plan->prepare(plan->argument) != 0)
			_exit(UNPREPARED);
		if (plan->directory != NULL)
			sandbox_close_within(plan->user, plan->group, plan->directory);
		else if (plan->needs != NULL)
			sandbox_close_sharing(plan->role, plan->user, plan->group, plan->needs);
		else
			sandbox_close(plan->role, plan->user, plan->group);
		_exit(plan->work(plan->argument));
	}
	close(log[1]);
	cell.log = log[0];
	for (int fd = 0; fd < FD_INHERITED_END; fd++) {
		cell.outside[fd] = table.outside[fd];
		if (table.inside[fd] >= 0)
			close(table.inside[fd]);
	}
	return cell;
}

struct cell cell_open_as(enum role role, uid_t user, gid_t group, cell_function *prepare,
	cell_function *work, const void *argument)
{
	return open_cell(&(struct plan){role, user, group, prepare, work, argument, NULL, NULL});
}

struct cell cell_open_sharing(const struct root_needs *needs, cell_function *work)
{
	return open_cell(&(struct plan){
		ROLE_CONNECTOR, CELL_USER, CELL_GROUP, NULL, work, NULL, needs, NULL});
}

struct cell cell_open_within(const char *directory, cell_function *work, const void *argument)
{
	return open_cell(&(struct plan){
		ROLE_FETCHER, CELL_USER, CELL_GROUP, NULL, work, argument, NULL, directory});
}

struct cell cell_open(enum role role, cell_function *work, const void *argument)
{
	return cell_open_as(role, CELL_USER, CELL_GROUP, NULL, work, argument);
}

int cell_close(struct cell *cell, char *log, size_t size)
{
	size_t used = 0;
	ssize_t length;
	int status = -1;

	while (used + 1 < size && (length = read(cell->log, log + used, size - 1 - used)) > 0)
		used += (size_t)length;
	log[used] = '\0';
	assert_int_equal(waitpid(cell->pid, &status, 0), cell->pid);
	for (int fd = 0; fd < FD_INHERITED_END; fd++) {
		if (cell->outside[fd] >= 0)
			close(cell->outside[fd]);
	}
	close(cell->log);
	return status;
}

int cell_run(enum role role, cell_function *work, const void *argument)
{
	struct cell cell = cell_open(role, work, argument);
	char log[4096];
	int status = cell_close(&cell, log, sizeof(log));

	/* What this kernel lacks would be said by each of thousands. */
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		print_message("%s", log);
	return status;
}

void cell_need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: only root can close a sandbox\n");
	skip();
}
