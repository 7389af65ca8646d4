/* SPDX-License-Identifier: ISC */
/* What children say to the supervisor. */
#include "supervisor/control.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/lifecycle.h"

static bool all_ready(struct supervisor *supervisor)
{
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->state != CHILD_READY)
			return false;
	}
	return true;
}

static void begin_serving(struct supervisor *supervisor)
{
	supervisor->serving = true;
	log_event(LOG_LEVEL_NOTICE, "ready", "interface=%s port=%u", supervisor->config.interface,
		supervisor->device.listen_port);
	status_update(supervisor, clock_ms());
	notify_ready(&supervisor->notify, supervisor->status.text);
}

static int handle_ready(struct supervisor *supervisor, struct child *child)
{
	if (child->state != CHILD_STARTING)
		return -EPROTO;
	child->state = CHILD_READY;
	child->next_ms = clock_ms();
	health_begin(&child->health);
	log_event(LOG_LEVEL_DEBUG, "child_ready", "role=%s pid=%d", role_name(child->role),
		(int)child->pid);
	if (child->role == ROLE_INSTALLER && supervisor->children[ROLE_CAPTURE].state == CHILD_DOWN)
		lifecycle_start_others(supervisor);
	else if (!supervisor->serving && all_ready(supervisor))
		begin_serving(supervisor);
	return 0;
}

static int handle_device(struct supervisor *supervisor, const struct message_device *device)
{
	int error = device_take(supervisor, device);

	return error == 0 ? 0 : lifecycle_fail_start("packet_socket", error);
}

/*
 * An offender that is somebody else's from its first moment on is started 22 times in the first
 * minute (child_schedule_restart()), and each time can offend once.
 */
#define ACCUSATIONS_A_MINUTE 24

/* Whether there are more than can be true. */
static bool accuses_too_much(struct accusations *accusations, int64_t now_ms)
{
	if (now_ms - accusations->since_ms >= 60000)
		*accusations = (struct accusations){.since_ms = now_ms};
	return ++accusations->count > ACCUSATIONS_A_MINUTE;
}

static void end_offender(struct child *offender, enum role reporter)
{
	log_event(LOG_LEVEL_ERROR, "offender_killed", "role=%s pid=%d reported_by=%s",
		role_name(offender->role), (int)offender->pid, role_name(reporter));
	child_kill(offender);
}

/* Who offended may have been started afresh since, and the new one has done nothing. */
static int handle_offence(struct supervisor *supervisor, struct child *reporter,
	const struct message_offence *offence)
{
	struct child *offender = &supervisor->children[offence->offender];

	if (!role_linked(reporter->role, offender->role) || offender->role == ROLE_SUPERVISOR)
		return -EPROTO;
	if (offence->generation < offender->generation)
		log_event(LOG_LEVEL_NOTICE, "offender_gone", "role=%s reported_by=%s",
			role_name(offender->role), role_name(reporter->role));
	else
		end_offender(offender, reporter->role);
	/* A restart of the accused resets its limits, so one who goes on accusing is suspect. */
	if (accuses_too_much(&reporter->accusations[offender->role], clock_ms()))
		return -EMLINK;
	return 0;
}

/* 0, or a negative errno where the child did what an honest one never does. */
static int handle_message(
	struct supervisor *supervisor, struct child *child, const struct message *message)
{
	if (!token_bucket_take(&child->messages, clock_ms()))
		return -ENOBUFS;
	switch (message->type) {
	case MESSAGE_TYPE_READY:
		return handle_ready(supervisor, child);
	case MESSAGE_TYPE_HEALTH_ANSWER:
		return health_answer(&child->health, message->health_answer.id, clock_ms());
	case MESSAGE_TYPE_DEVICE:
		return handle_device(supervisor, &message->device);
	case MESSAGE_TYPE_OFFENCE:
		return handle_offence(supervisor, child, &message->offence);
	default:
		return -EPROTO;
	}
}

static const char *describe(int error)
{
	switch (error) {
	case -EBADMSG:
		return "a message that can't be read, or isn't for it to send";
	case -EPROTO:
		return "a message at a time when it makes no sense";
	case -ENOBUFS:
		return "a flood of messages";
	case -EMLINK:
		return "more reports of offences than can be believed";
	default:
		return strerror(-error);
	}
}

/* Kills it, before it can see that what it sent besides isn't read. */
static void end_child(struct child *child)
{
	child_kill(child);
	channel_close(&child->control);
}

/* As many messages as one turn of the loop gives a child. */
#define MESSAGES_A_TURN 16

void control_read(struct supervisor *supervisor, struct child *child)
{
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		struct message message;
		int error = channel_receive(&child->control, &message);

		if (error == -EAGAIN)
			return;
		if (error == -ENOTCONN) {
			/* It has ended, as the pidfd will tell; or it hides from us. */
			end_child(child);
			return;
		}
		if (error == 0)
			error = handle_message(supervisor, child, &message);
		if (error == 0)
			continue;
		log_event(LOG_LEVEL_ERROR, "child_misbehaved", "role=%s pid=%d reason=\"%s\"",
			role_name(child->role), (int)child->pid, describe(error));
		end_child(child);
		return;
	}
}
