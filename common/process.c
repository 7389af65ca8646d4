/* SPDX-License-Identifier: ISC */
/* What every process but the supervisor does alike. */
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static struct channel *control_of(struct process *process)
{
	return &process->channels[ROLE_SUPERVISOR];
}

static void attach_channels(struct process *process)
{
	for (enum role peer = 0; peer < ROLE_COUNT; peer++) {
		struct channel *channel = &process->channels[peer];

		*channel = (struct channel){.fd = -1, .self = process->role, .peer = peer};
		if (role_linked(process->role, peer) && fcntl(FD_CHANNEL(peer), F_GETFD) >= 0)
			channel->fd = FD_CHANNEL(peer);
	}
}

/*
 * Puts /dev/null where the table has nothing for this role, so that no descriptor that comes later
 * takes a number that means something else to the sandbox' filter.
 */
static void fill_table(void)
{
	for (int fd = STDERR_FILENO + 1; fd < FD_INHERITED_END; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && dup3(STDIN_FILENO, fd, O_CLOEXEC) < 0)
			log_fatal("start_failed", "reason=\"dup3: %s\"", strerror(errno));
	}
}

void process_open(struct process *process, enum role role, const char *name)
{
	struct message message;
	int fd;

	log_open(name);
	*process = (struct process){.role = role};
	if (close_range(FD_INHERITED_END, ~0U, 0) != 0)
		log_fatal("start_failed", "reason=\"close_range: %s\"", strerror(errno));
	attach_channels(process);
	if (control_of(process)->fd < 0)
		log_fatal("not_started_by_supervisor", "hint=\"run pullgate -c FILE\"");
	fill_table();
	process_await(process, &message, &fd);
	if (message.type != MESSAGE_TYPE_START || fd >= 0)
		log_fatal("start_failed", "reason=\"expected START, got %s\"",
			message_name(message.type));
	process->user_id = (uid_t)message.start.user_id;
	process->group_id = (gid_t)message.start.group_id;
	for (enum role peer = 0; peer < ROLE_COUNT; peer++)
		process->channels[peer].generation = message.start.generation;
	log_set_verbose(message.start.verbose);
}

void process_await(struct process *process, struct message *message, int *fd)
{
	int64_t deadline = clock_ms() + PROCESS_START_TIMEOUT_MS;
	int error;

	while ((error = channel_receive_descriptor(control_of(process), message, fd)) == -EAGAIN) {
		struct pollfd wait = {.fd = control_of(process)->fd, .events = POLLIN};
		int64_t left = deadline - clock_ms();

		if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR))
			break;
	}
	if (error != 0)
		log_fatal("start_failed", "reason=\"nothing to read from the supervisor: %s\"",
			strerror(-error));
}

void process_ready(struct process *process)
{
	struct message message = {.type = MESSAGE_TYPE_READY};

	if (channel_send(control_of(process), &message) != 0)
		log_fatal("start_failed", "reason=\"the supervisor can't be told READY\"");
}

void process_watch(const struct process *process, struct pollfd set[static ROLE_COUNT])
{
	for (enum role peer = 0; peer < ROLE_COUNT; peer++)
		set[peer] = (struct pollfd){.fd = process->channels[peer].fd, .events = POLLIN};
}

/* Puts a fresh channel into its place; what was queued in the old one goes with it. */
static void renew_channel(struct process *process, enum role peer, int fd)
{
	if (!role_linked(process->role, peer) || peer == ROLE_SUPERVISOR || fd < 0)
		log_fatal("renew_failed", "peer=%s", role_name(peer));
	if (dup3(fd, FD_CHANNEL(peer), O_CLOEXEC) < 0)
		log_fatal("renew_failed", "peer=%s error=\"%s\"", role_name(peer), strerror(errno));
	close(fd);
	process->channels[peer].fd = FD_CHANNEL(peer);
}

static void carry_out_renew(struct process *process, const struct message_renew *renew, int fd)
{
	enum role peer = (enum role)renew->role;

	renew_channel(process, peer, fd);
	process->channels[peer].generation = renew->generation;
	log_event(LOG_LEVEL_DEBUG, "channel_renewed", "peer=%s generation=%llu", role_name(peer),
		(unsigned long long)renew->generation);
}

/* An answer that finds the queue full is lost: the supervisor asks again. */
static void answer_health(struct process *process, const struct message_health_ask *ask)
{
	struct message message = {.type = MESSAGE_TYPE_HEALTH_ANSWER};

	message.health_answer.id = ask->id;
	channel_send(control_of(process), &message);
}

/* The next message but those about health, which are answered here. */
static int receive_control(struct process *process, struct message *message, int *fd)
{
	int error;

	while ((error = channel_receive_descriptor(control_of(process), message, fd)) == 0 &&
		message->type == MESSAGE_TYPE_HEALTH_ASK) {
		if (*fd >= 0)
			close(*fd);
		answer_health(process, &message->health_ask);
	}
	return error;
}

bool process_receive_control(struct process *process, struct message *message, int *fd)
{
	int error = receive_control(process, message, fd);

	if (error == -EAGAIN)
		return false;
	if (error == -ENOTCONN)
		exit(EXIT_SUCCESS); /* the supervisor is gone: children go with it */
	if (error != 0)
		log_fatal("control_failed", "error=\"%s\"", strerror(-error));
	if (message->type == MESSAGE_TYPE_RENEW) {
		carry_out_renew(process, &message->renew, *fd);
		*fd = -1;
	}
	return true;
}

/*
 * Stops using a channel. Its descriptor stays open, so that no other one can take the number
 * before the supervisor renews it.
 */
static void abandon_channel(struct channel *channel)
{
	channel->fd = -1;
}

void process_report_offence(struct process *process, enum role role)
{
	struct message message = {.type = MESSAGE_TYPE_OFFENCE};

	log_event(LOG_LEVEL_ERROR, "offence", "by=%s", role_name(role));
	message.offence.offender = role;
	message.offence.generation = process->channels[role].generation;
	channel_send(control_of(process), &message);
	abandon_channel(&process->channels[role]);
}

/* What a receive call returned, as whether there is a message. */
static bool received(struct process *process, enum role from, int error)
{
	if (error == 0)
		return true;
	if (error == -EBADMSG)
		process_report_offence(process, from);
	else if (error == -EMFILE)
		log_event(LOG_LEVEL_WARNING, "descriptor_lost", "from=%s reason=\"%s\"",
			role_name(from), strerror(EMFILE));
	else if (error == -ENOTCONN)
		abandon_channel(&process->channels[from]);
	return false;
}

bool process_receive(struct process *process, enum role from, struct message *message)
{
	return received(process, from, channel_receive(&process->channels[from], message));
}

bool process_receive_descriptor(
	struct process *process, enum role from, struct message *message, int *fd)
{
	return received(
		process, from, channel_receive_descriptor(&process->channels[from], message, fd));
}
