/* SPDX-License-Identifier: ISC */
/* The channels between the processes. */
#include "supervisor/channels.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

/* So many of the largest messages fit into a channel before its sender sees it full. */
#define CHANNEL_DEPTH 256
/* What the kernel accounts for a queued packet beside its bytes (struct sk_buff and its head). */
#define PACKET_OVERHEAD_BYTES 1024

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
		channel_send_descriptor(&other->control, &message, ends[1]) != 0) {
		log_event(LOG_LEVEL_ERROR, "child_hung",
			"role=%s pid=%d reason=\"control queue full\"", role_name(other->role),
			(int)other->pid);
		child_kill(other);
	}
	close(ends[1]);
	return 0;
}

int channels_open(
	struct supervisor *supervisor, struct inheritance *inheritance, struct child *child)
{
	int ends[2];
	int error = open_channel(ends, ROLE_SUPERVISOR, child->role);

	if (error != 0)
		return error;
	child->control =
		(struct channel){.fd = ends[0], .self = ROLE_SUPERVISOR, .peer = child->role};
	inheritance->fd[FD_CONTROL] = ends[1];
	/* Capture last: what it sends again makes the others use channels that they must have by then. */
	for (enum role role = ROLE_COUNT - 1; role >= ROLE_CAPTURE && error == 0; role--) {
		if (role_linked(child->role, role))
			error = renew_channel(
				supervisor, inheritance, child, &supervisor->children[role]);
	}
	return error;
}

void channels_close_ours(struct inheritance *inheritance)
{
	for (enum role peer = 0; peer < ROLE_COUNT; peer++) {
		if (inheritance->fd[FD_CHANNEL(peer)] >= 0)
			close(inheritance->fd[FD_CHANNEL(peer)]);
	}
}
