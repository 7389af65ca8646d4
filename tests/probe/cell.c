/* SPDX-License-Identifier: ISC */
/* One probe. */
#include "cell.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/packet_socket.h"
#include "supervisor/replay_socket.h"
#include "supervisor/timestamps.h"

/* No verdict: a probe that hangs ends. */
#define PATIENCE_MS 60000

static void need(int returned, const char *what)
{
	if (returned < 0)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(errno != 0 ? errno : -returned));
}

/* Our ends go to cell->outer, its ends are returned. */
static struct inheritance open_table(
	struct cell *cell, const struct outside *outside, enum role role)
{
	struct inheritance inner = inheritance_empty();

	cell->outer = inheritance_empty();
	for (enum role peer = 0; peer < ROLE_COUNT; peer++) {
		int ends[2];

		if (peer != ROLE_SUPERVISOR && !role_linked(role, peer))
			continue;
		need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
		inner.fd[FD_CHANNEL(peer)] = ends[0];
		cell->outer.fd[FD_CHANNEL(peer)] = ends[1];
	}
	if (role == ROLE_CAPTURE) {
		inner.fd[FD_PACKET] = packet_socket_open((uint32_t)outside->link, 51820);
		inner.fd[FD_TIMESTAMPS] = timestamps_open(outside->config.max_peers);
		need(inner.fd[FD_PACKET], "packet socket");
		need(inner.fd[FD_TIMESTAMPS], "timestamps");
	} else if (role == ROLE_FETCHER) {
		inner.fd[FD_CACHE] = memfd_create("cache", MFD_CLOEXEC);
		inner.fd[FD_CACHE_LOG] = memfd_create("cache_log", MFD_CLOEXEC);
		need(inner.fd[FD_CACHE], "cache");
		need(inner.fd[FD_CACHE_LOG], "cache's log");
	} else if (role == ROLE_INSTALLER) {
		inner.fd[FD_REPLAY_IPV4] = replay_socket_open_ipv4();
		inner.fd[FD_REPLAY_IPV6] = replay_socket_open_ipv6();
		need(inner.fd[FD_REPLAY_IPV4], "replay socket");
		need(inner.fd[FD_REPLAY_IPV6], "replay socket by IPv6");
	}
	return inner;
}

static void close_table(struct inheritance *table)
{
	for (size_t i = 0; i < FD_INHERITED_END; i++) {
		if (table->fd[i] >= 0)
			close(table->fd[i]);
	}
}

/* The child's standard error is ours at its start. */
static void redirect_errors(struct cell *cell, const struct outside *outside, bool terminal)
{
	int ends[2];

	need(pipe2(ends, O_CLOEXEC), "pipe");
	/* An attempt may leave the other end open, on its way through a channel. */
	need(fcntl(ends[0], F_SETFL, O_NONBLOCK), "fcntl");
	cell->log = ends[0];
	need(dup2(terminal ? outside->terminal : ends[1], STDERR_FILENO), "dup2");
	close(ends[1]);
}

static void spawn(struct cell *cell, const struct outside *outside, const char *binary,
	const char *arguments, bool terminal, const struct inheritance *inner)
{
	int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_INHERITED_END);
	int error;

	need(own, "dup");
	redirect_errors(cell, outside, terminal);
	error = child_spawn(&cell->child, binary, arguments, inner);
	dup2(own, STDERR_FILENO);
	close(own);
	need(error, "clone3");
}

static void send_start(struct cell *cell, const struct outside *outside, enum role role)
{
	struct message message = {.type = MESSAGE_TYPE_START,
		.start = {.user_id = USER_OF(role), .group_id = USER_OF(role)}};
	int error = channel_send(&cell->child.control, &message);

	if (error == 0)
		error = settings_send(
			&cell->child.control, role, &outside->config, &outside->material, false);
	if (error != 0)
		warnx("%s: settings: %s", role_name(role), strerror(-error));
}

void cell_start(struct cell *cell, const struct outside *outside, const char *directory,
	enum role role, size_t number, bool filtered)
{
	enum role sibling = role == ROLE_INSTALLER ? ROLE_CAPTURE : ROLE_INSTALLER;
	struct inheritance inner;
	char binary[PATH_MAX], arguments[128];

	*cell = (struct cell){.child.role = role};
	inner = open_table(cell, outside, role);
	cell->child.control = (struct channel){
		.fd = cell->outer.fd[FD_CONTROL], .self = ROLE_SUPERVISOR, .peer = role};
	snprintf(binary, sizeof(binary), "%s/pullgate-probe-%s%s", directory, role_name(role),
		filtered ? "" : "_unfiltered");
	snprintf(arguments, sizeof(arguments), "%zu %d %d %d %d", number, (int)role,
		(int)outside->bystanders[sibling], (int)outside->bystanders[role], outside->link);
	spawn(cell, outside, binary, arguments, attempts[number].terminal, &inner);
	close_table(&inner);
	send_start(cell, outside, role);
}

/* Keeps the beginning; the rest is read all the same, so that it never waits for us. */
static bool read_log(struct cell *cell)
{
	char bytes[4096];
	ssize_t length = read(cell->log, bytes, sizeof(bytes));
	size_t room = sizeof(cell->text) - 1 - cell->length;

	if (length <= 0)
		return false;
	room = (size_t)length < room ? (size_t)length : room;
	memcpy(cell->text + cell->length, bytes, room);
	cell->length += room;
	return true;
}

static void wait_for_end(struct cell *cell)
{
	struct pollfd set[] = {
		{.fd = cell->child.pidfd, .events = POLLIN}, {.fd = cell->log, .events = POLLIN}};

	for (;;) {
		if (poll(set, 2, PATIENCE_MS) <= 0) {
			child_kill(&cell->child);
			return;
		}
		if (set[1].revents != 0 && !read_log(cell))
			set[1].fd = -1;
		if (set[0].revents != 0)
			return;
	}
}

/* What it said on the control channel before the attempt. */
static bool has_begun(const struct cell *cell)
{
	char text[4096];
	ssize_t length;

	while ((length = recv(cell->child.control.fd, text, sizeof(text), MSG_DONTWAIT)) > 0) {
		if (length == (ssize_t)strlen(PROBE_BEGINS) &&
			memcmp(text, PROBE_BEGINS, (size_t)length) == 0)
			return true;
	}
	return false;
}

int cell_wait(struct cell *cell)
{
	siginfo_t info = {0};
	int end;

	wait_for_end(cell);
	need(waitid(P_PIDFD, (id_t)cell->child.pidfd, &info, WEXITED), "waitid");
	while (read_log(cell))
		;
	if (!has_begun(cell) || (info.si_code != CLD_EXITED && info.si_status == SIGKILL))
		end = CELL_BROKEN;
	else
		end = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
	close(cell->child.pidfd);
	close(cell->log);
	close_table(&cell->outer);
	return end;
}
