/* SPDX-License-Identifier: ISC */
/* Starts the children, watches them, restarts them. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/packet_socket.h"
#include "supervisor/reload.h"
#include "supervisor/replay_socket.h"

/* So many of the largest messages fit into a channel before its sender sees it full. */
#define CHANNEL_DEPTH 256
/* What the kernel accounts for a queued packet beside its bytes (struct sk_buff and its head). */
#define PACKET_OVERHEAD_BYTES 1024

#define STOP_TIMEOUT_MS 3000

#define FOR_EACH_CHILD(supervisor, one)                                 \
	for (struct child *one = &(supervisor)->children[ROLE_CAPTURE]; \
		one < &(supervisor)->children[ROLE_COUNT]; one++)

static int fail(const char *step, int error)
{
	log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s error=\"%s\"", step, strerror(-error));
	return error;
}

static int open_signals(void)
{
	sigset_t set;

	/* Who ignores it, and hands that down to us, would have the kernel reap our children: their
	 * pidfds would say so for ever, and waitid(2) nothing. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The mapping that outlives capture; sealed, so that capture can't take bytes away from under it.
 */
static int open_timestamps(uint32_t max_peers)
{
	int fd = memfd_create("timestamps", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)TIMESTAMPS_BYTES(max_peers)) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static int find_binaries(struct supervisor *supervisor)
{
	ssize_t length =
		readlink("/proc/self/exe", supervisor->binaries, sizeof(supervisor->binaries));
	char *slash;

	if (length < 0 || (size_t)length >= sizeof(supervisor->binaries))
		return length < 0 ? -errno : -ENAMETOOLONG;
	supervisor->binaries[length] = '\0';
	slash = strrchr(supervisor->binaries, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

static int open_replay_sockets(struct supervisor *supervisor)
{
	supervisor->replay_ipv4 = replay_socket_open_ipv4();
	if (supervisor->replay_ipv4 < 0)
		return supervisor->replay_ipv4;
	supervisor->replay_ipv6 = replay_socket_open_ipv6();
	if (supervisor->replay_ipv6 == -EAFNOSUPPORT)
		log_event(LOG_LEVEL_NOTICE, "ipv6_off", "effect=\"no replay for IPv6 clients\"");
	else if (supervisor->replay_ipv6 < 0)
		return supervisor->replay_ipv6;
	return 0;
}

int supervisor_open(struct supervisor *supervisor)
{
	int error;

	supervisor->packet_socket = -1;
	for (enum role role = 0; role < ROLE_COUNT; role++)
		supervisor->children[role] =
			(struct child){.role = role, .pidfd = -1, .control.fd = -1};
	error = find_binaries(supervisor);
	if (error != 0)
		return fail("binaries", error);
	supervisor->signals = open_signals();
	if (supervisor->signals < 0)
		return fail("signalfd", supervisor->signals);
	supervisor->timestamps = open_timestamps(supervisor->config.max_peers);
	if (supervisor->timestamps < 0)
		return fail("timestamps", supervisor->timestamps);
	error = open_replay_sockets(supervisor);
	return error == 0 ? 0 : fail("replay_socket", error);
}

/* Bytes that CHANNEL_DEPTH of the largest message from sender to receiver take in a queue. */
static int queue_bytes(enum role sender, enum role receiver)
{
	size_t largest = 0;

	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		size_t bytes = message_bytes_max((enum message_type)type);

		if (message_allowed((enum message_type)type, sender, receiver) && bytes > largest)
			largest = bytes;
	}
	return (int)(CHANNEL_DEPTH * (largest + PACKET_OVERHEAD_BYTES));
}

/* ends[0] is a's, ends[1] is b's. */
static int open_channel(int ends[static 2], enum role a, enum role b)
{
	int bytes[2] = {queue_bytes(a, b), queue_bytes(b, a)};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes[i], sizeof(bytes[i])) ==
			0)
			continue;
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	return 0;
}

/* Closes our copies of the channels' ends; what is kept stays open. */
static void close_channels(struct inheritance *inheritance)
{
	for (enum role peer = 0; peer < ROLE_COUNT; peer++) {
		if (inheritance->fd[FD_CHANNEL(peer)] >= 0)
			close(inheritance->fd[FD_CHANNEL(peer)]);
	}
}

/*
 * A fresh channel between the child and each other one that it talks to. A running one gets its
 * end by RENEW; where it doesn't run yet its end is closed, and the child's waits for a RENEW.
 */
static int renew_channel(struct supervisor *supervisor, struct inheritance *inheritance,
	const struct child *child, struct child *other)
{
	struct message message = {.type = MESSAGE_TYPE_RENEW,
		.renew = {.role = child->role, .generation = supervisor->generation}};
	int ends[2];
	int error = open_channel(ends, child->role, other->role);

	if (error != 0)
		return error;
	inheritance->fd[FD_CHANNEL(other->role)] = ends[0];
	if (child_running(other) &&
		channel_send_descriptor(&other->control, &message, ends[1]) != 0)
		child_kill(other); /* it doesn't read what we send: hung */
	close(ends[1]);
	return 0;
}

static void inherit_kept(
	const struct supervisor *supervisor, struct inheritance *inheritance, enum role role)
{
	if (role == ROLE_CAPTURE) {
		inheritance->fd[FD_PACKET] = supervisor->packet_socket;
		inheritance->fd[FD_TIMESTAMPS] = supervisor->timestamps;
	} else if (role == ROLE_INSTALLER) {
		inheritance->fd[FD_REPLAY_IPV4] = supervisor->replay_ipv4;
		inheritance->fd[FD_REPLAY_IPV6] = supervisor->replay_ipv6;
	}
}

static int open_channels(
	struct supervisor *supervisor, struct inheritance *inheritance, struct child *child)
{
	int ends[2];
	int error = open_channel(ends, ROLE_SUPERVISOR, child->role);

	if (error != 0)
		return error;
	child->control =
		(struct channel){.fd = ends[0], .self = ROLE_SUPERVISOR, .peer = child->role};
	inheritance->fd[FD_CONTROL] = ends[1];
	FOR_EACH_CHILD(supervisor, other)
	{
		if (!role_linked(child->role, other->role))
			continue;
		error = renew_channel(supervisor, inheritance, child, other);
		if (error != 0)
			return error;
	}
	return 0;
}

/* The first messages of a child's life. */
static int send_start(struct supervisor *supervisor, struct child *child)
{
	const struct user *user = &supervisor->users[child->role];
	struct message message = {.type = MESSAGE_TYPE_START,
		.start = {.user_id = user->user_id,
			.group_id = user->group_id,
			.verbose = supervisor->verbose}};
	int error = channel_send(&child->control, &message);

	if (error != 0)
		return error;
	return settings_send(&child->control, child->role, &supervisor->config,
		&supervisor->material, supervisor->verbose);
}

static int start_child(struct supervisor *supervisor, enum role role)
{
	struct child *child = &supervisor->children[role];
	struct inheritance inheritance = inheritance_empty();
	char binary[sizeof(supervisor->binaries) + 32];
	int error;

	supervisor->generation++;
	snprintf(binary, sizeof(binary), "%s/pullgate-%s", supervisor->binaries, role_name(role));
	error = open_channels(supervisor, &inheritance, child);
	inherit_kept(supervisor, &inheritance, role);
	if (error == 0)
		error = child_spawn(child, binary, supervisor->config.interface, &inheritance);
	close_channels(&inheritance);
	if (error != 0) {
		channel_close(&child->control);
		return error;
	}
	log_event(LOG_LEVEL_DEBUG, "started", "role=%s pid=%d generation=%llu", role_name(role),
		(int)child->pid, (unsigned long long)supervisor->generation);
	error = send_start(supervisor, child);
	if (error != 0)
		child_kill(child);
	return 0;
}

/* Starts it, or, where that fails, tries again later: a full process table isn't for ever. */
static void restart_child(struct supervisor *supervisor, struct child *child)
{
	int error = start_child(supervisor, child->role);

	child->restarts++;
	if (error == 0) {
		log_event(LOG_LEVEL_NOTICE, "child_restarted", "role=%s pid=%d restarts=%llu",
			role_name(child->role), (int)child->pid,
			(unsigned long long)child->restarts);
		return;
	}
	log_event(LOG_LEVEL_ERROR, "child_restart_failed", "role=%s error=\"%s\"",
		role_name(child->role), strerror(-error));
	child_schedule_restart(child, clock_ms(), false);
}

/* The packet socket for the device that the installer told of; a running capture restarts on it. */
static int use_device(struct supervisor *supervisor, const struct message_device *device)
{
	int fd;

	if (supervisor->packet_socket >= 0 &&
		supervisor->interface_index == device->interface_index &&
		supervisor->listen_port == device->listen_port)
		return 0;
	fd = packet_socket_open((uint32_t)device->interface_index, (uint16_t)device->listen_port);
	if (fd < 0)
		return fd;
	if (supervisor->packet_socket >= 0) {
		log_event(LOG_LEVEL_NOTICE, "device_changed", "interface=%s index=%u port=%u",
			supervisor->config.interface, (unsigned)device->interface_index,
			(unsigned)device->listen_port);
		close(supervisor->packet_socket);
		child_kill(&supervisor->children[ROLE_CAPTURE]);
	}
	supervisor->packet_socket = fd;
	supervisor->interface_index = (uint32_t)device->interface_index;
	supervisor->listen_port = (uint16_t)device->listen_port;
	return 0;
}

/* The installer is ready: the others may start. */
static int start_others(struct supervisor *supervisor)
{
	static const enum role order[] = {ROLE_CONNECTOR, ROLE_FETCHER, ROLE_CAPTURE};

	if (supervisor->packet_socket < 0)
		return fail("device", -EPROTO);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		int error = start_child(supervisor, order[i]);

		if (error != 0)
			return fail(role_name(order[i]), error);
	}
	return 0;
}

/* A start that fails ends the whole; later, no end of a child does. */
static void give_up(struct supervisor *supervisor)
{
	supervisor->failed = true;
	supervisor->stopping = true;
}

static bool all_ready(struct supervisor *supervisor)
{
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->state != CHILD_READY)
			return false;
	}
	return true;
}

static int handle_ready(struct supervisor *supervisor, struct child *child)
{
	if (child->state != CHILD_STARTING)
		return -EPROTO;
	child->state = CHILD_READY;
	child->next_ms = clock_ms();
	log_event(LOG_LEVEL_DEBUG, "child_ready", "role=%s pid=%d", role_name(child->role),
		(int)child->pid);
	if (child->role == ROLE_INSTALLER &&
		supervisor->children[ROLE_CAPTURE].state == CHILD_DOWN) {
		if (start_others(supervisor) != 0)
			give_up(supervisor);
	} else if (!supervisor->serving && all_ready(supervisor)) {
		supervisor->serving = true;
		log_event(LOG_LEVEL_NOTICE, "ready", "interface=%s port=%u",
			supervisor->config.interface, supervisor->listen_port);
	}
	return 0;
}

/* 0, or a negative errno where the child did what an honest one never does. */
static int handle_message(
	struct supervisor *supervisor, struct child *child, const struct message *message)
{
	struct child *offender;
	int error;

	switch (message->type) {
	case MESSAGE_TYPE_READY:
		return handle_ready(supervisor, child);
	case MESSAGE_TYPE_DEVICE:
		error = use_device(supervisor, &message->device);
		if (error != 0)
			fail("packet_socket", error);
		return error;
	case MESSAGE_TYPE_OFFENCE:
		offender = &supervisor->children[message->offence.offender];
		if (!role_linked(child->role, offender->role) || offender->role == ROLE_SUPERVISOR)
			return -EPROTO;
		log_event(LOG_LEVEL_ERROR, "offender_killed", "role=%s pid=%d reported_by=%s",
			role_name(offender->role), (int)offender->pid, role_name(child->role));
		child_kill(offender);
		return 0;
	default:
		return -EPROTO;
	}
}

/* As many messages as one turn of the loop gives a child. */
#define MESSAGES_A_TURN 16

static void read_control(struct supervisor *supervisor, struct child *child)
{
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		struct message message;
		int error = channel_receive(&child->control, &message);

		if (error == -EAGAIN)
			return;
		if (error == -ENOTCONN) {
			/* It has ended, as the pidfd will tell; or it hides from us. */
			channel_close(&child->control);
			child_kill(child);
			return;
		}
		if (error == 0)
			error = handle_message(supervisor, child, &message);
		if (error != 0) {
			log_event(LOG_LEVEL_ERROR, "child_misbehaved",
				"role=%s pid=%d error=\"%s\"", role_name(child->role),
				(int)child->pid, strerror(-error));
			channel_close(&child->control);
			child_kill(child);
			return;
		}
	}
}

static void reap(struct supervisor *supervisor, struct child *child)
{
	bool was_ready = child->state == CHILD_READY;
	int pid = (int)child->pid;
	char end[48];

	if (!child_reap(child, end, sizeof(end)))
		return;
	log_event(supervisor->stopping ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "child_ended",
		"role=%s pid=%d %s", role_name(child->role), pid, end);
	child->state = CHILD_DOWN;
	if (supervisor->stopping)
		return;
	if (!supervisor->serving) {
		log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s", role_name(child->role));
		give_up(supervisor);
		return;
	}
	child_schedule_restart(child, clock_ms(), was_ready);
}

static void handle_signals(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			if (!supervisor->stopping)
				supervisor_reload(supervisor);
			continue;
		}
		log_event(LOG_LEVEL_NOTICE, "stopping", "signal=%s",
			sigabbrev_np((int)info.ssi_signo));
		supervisor->stopping = true;
	}
}

static void handle_timers(struct supervisor *supervisor, int64_t now_ms)
{
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->state == CHILD_WAITING && child->next_ms <= now_ms) {
			restart_child(supervisor, child);
		} else if (child->state == CHILD_STARTING && child->next_ms <= now_ms) {
			log_event(LOG_LEVEL_ERROR, "child_not_ready", "role=%s pid=%d after_ms=%d",
				role_name(child->role), (int)child->pid, CHILD_READY_TIMEOUT_MS);
			child->next_ms = INT64_MAX;
			child_kill(child);
		}
	}
}

/* Milliseconds to the next timer, -1 without one. */
static int next_timer(struct supervisor *supervisor)
{
	int64_t next = INT64_MAX, wait;

	FOR_EACH_CHILD(supervisor, child)
	{
		if ((child->state == CHILD_WAITING || child->state == CHILD_STARTING) &&
			child->next_ms < next)
			next = child->next_ms;
	}
	if (next == INT64_MAX)
		return -1;
	wait = next - clock_ms();
	return wait < 0 ? 0 : (int)wait;
}

/* One turn: waits at most timeout_ms, then does whatever is due. */
static void turn(struct supervisor *supervisor, int timeout_ms)
{
	struct pollfd signals = {.fd = supervisor->signals, .events = POLLIN};
	struct pollfd set[1 + 2 * ROLE_COUNT];

	set[0] = signals;
	for (enum role role = 0; role < ROLE_COUNT; role++) {
		const struct child *child = &supervisor->children[role];

		set[1 + 2 * role] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
		set[2 + 2 * role] = (struct pollfd){.fd = child->control.fd, .events = POLLIN};
	}
	if (poll(set, sizeof(set) / sizeof(set[0]), timeout_ms) < 0 && errno != EINTR)
		log_fatal("poll_failed", "error=\"%s\"", strerror(errno));
	handle_signals(supervisor);
	/* Messages before ends: what a child said with its last breath still counts. */
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->control.fd >= 0 && set[2 + 2 * child->role].revents != 0)
			read_control(supervisor, child);
		if (child->pidfd >= 0 && set[1 + 2 * child->role].revents != 0)
			reap(supervisor, child);
	}
	if (!supervisor->stopping)
		handle_timers(supervisor, clock_ms());
}

static bool any_running(struct supervisor *supervisor)
{
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->pidfd >= 0)
			return true;
	}
	return false;
}

/* Children end when their control channel closes; who doesn't in time is killed. */
static void stop_children(struct supervisor *supervisor)
{
	int64_t deadline = clock_ms() + STOP_TIMEOUT_MS;

	FOR_EACH_CHILD(supervisor, child)
	channel_close(&child->control);
	while (any_running(supervisor)) {
		int64_t left = deadline - clock_ms();

		if (left <= 0) {
			FOR_EACH_CHILD(supervisor, child)
			child_kill(child);
			left = STOP_TIMEOUT_MS;
			deadline = INT64_MAX;
		}
		turn(supervisor, left > STOP_TIMEOUT_MS ? STOP_TIMEOUT_MS : (int)left);
	}
}

int supervisor_run(struct supervisor *supervisor)
{
	int error = start_child(supervisor, ROLE_INSTALLER);

	if (error != 0) {
		fail("installer", error);
		give_up(supervisor);
	}
	while (!supervisor->stopping)
		turn(supervisor, next_timer(supervisor));
	stop_children(supervisor);
	log_event(LOG_LEVEL_NOTICE, "stopped", "");
	return supervisor->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
