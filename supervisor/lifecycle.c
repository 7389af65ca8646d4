/* SPDX-License-Identifier: ISC */
/* The lives of the children. */
#include "supervisor/lifecycle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/channels.h"
#include "supervisor/settings.h"

/* What an honest child says to us in a second, and at once: some answers, and few words more. */
#define MESSAGES_PER_SECOND 16
#define MESSAGES_BURST      64

int lifecycle_fail_start(const char *step, int error)
{
	log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s error=\"%s\"", step, strerror(-error));
	return error;
}

static void inherit_kept(
	const struct supervisor *supervisor, struct inheritance *inheritance, enum role role)
{
	if (role == ROLE_CAPTURE) {
		inheritance->fd[FD_PACKET] = supervisor->device.socket;
		inheritance->fd[FD_TIMESTAMPS] = supervisor->timestamps;
	} else if (role == ROLE_FETCHER) {
		inheritance->fd[FD_CACHE] = supervisor->cache.database;
		inheritance->fd[FD_CACHE_LOG] = supervisor->cache.log;
	} else if (role == ROLE_INSTALLER) {
		inheritance->fd[FD_REPLAY_IPV4] = supervisor->replay_ipv4;
		inheritance->fd[FD_REPLAY_IPV6] = supervisor->replay_ipv6;
	}
}

/* The first messages of a child's life. */
static int send_start(
	struct supervisor *supervisor, struct child *child, const struct material *material)
{
	const struct user *user = &supervisor->users[child->role];
	struct message message = {.type = MESSAGE_TYPE_START,
		.start = {.user_id = user->user_id,
			.group_id = user->group_id,
			.generation = child->generation,
			.verbose = supervisor->verbose}};
	int error = channel_send(&child->control, &message);

	if (error != 0)
		return error;
	return settings_send(
		&child->control, child->role, &supervisor->config, material, supervisor->verbose);
}

static int spawn(struct supervisor *supervisor, struct child *child)
{
	struct inheritance inheritance = inheritance_empty();
	char binary[sizeof(supervisor->binaries) + 32];
	int error;

	child->generation = ++supervisor->generation;
	snprintf(binary, sizeof(binary), "%s/pullgate-%s", supervisor->binaries,
		role_name(child->role));
	error = channels_open(supervisor, &inheritance, child);
	inherit_kept(supervisor, &inheritance, child->role);
	if (error == 0)
		error = child_spawn(child, binary, supervisor->config.interface, &inheritance);
	channels_close_ours(&inheritance);
	if (error != 0) {
		channel_close(&child->control);
		return error;
	}
	memset(child->accusations, 0, sizeof(child->accusations));
	token_bucket_init(&child->messages, MESSAGES_PER_SECOND, MESSAGES_BURST, clock_ms());
	log_event(LOG_LEVEL_DEBUG, "started", "role=%s pid=%d generation=%llu",
		role_name(child->role), (int)child->pid,
		(unsigned long long)supervisor->generation);
	return 0;
}

/* Starts the child, with material for its settings: the fetcher's, or none. */
static int start_with(
	struct supervisor *supervisor, struct child *child, const struct material *material)
{
	int error = spawn(supervisor, child);

	if (error != 0)
		return error;
	if (send_start(supervisor, child, material) != 0)
		child_kill(child);
	return 0;
}

/* 0, or a negative errno with a reason, "FILE: reason" where a file is at fault. */
static int start(
	struct supervisor *supervisor, enum role role, char reason[static CONFIG_ERROR_BYTES])
{
	struct material material = MATERIAL_NONE;
	int error;

	if (role == ROLE_FETCHER) {
		/* Before its channels are made: the others keep theirs if it can't start. */
		error = origin_directory_check(&supervisor->config, reason);
		if (error == 0)
			error = material_load(&material, &supervisor->config, reason);
		if (error != 0)
			return error;
		origin_directory_note(
			&supervisor->origin_directory, config_directory(&supervisor->config));
	}
	if (role == ROLE_CONNECTOR) /* before it copies them, so that no change is missed */
		resolver_files_note(&supervisor->resolver_files, supervisor->resolver_folder);
	error = start_with(supervisor, &supervisor->children[role], &material);
	material_close(&material);
	if (error != 0)
		snprintf(reason, CONFIG_ERROR_BYTES, "%s", strerror(-error));
	return error;
}

int lifecycle_start(struct supervisor *supervisor, enum role role)
{
	char reason[CONFIG_ERROR_BYTES], quoted[LOG_QUOTED_BYTES];
	int error = start(supervisor, role, reason);

	if (error == 0)
		return 0;
	log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s reason=%s", role_name(role),
		log_quote(quoted, reason));
	lifecycle_give_up(supervisor);
	return error;
}

void lifecycle_start_others(struct supervisor *supervisor)
{
	static const enum role order[] = {ROLE_CONNECTOR, ROLE_FETCHER, ROLE_CAPTURE};

	if (supervisor->device.socket < 0) {
		lifecycle_fail_start("device", -EPROTO);
		lifecycle_give_up(supervisor);
		return;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (lifecycle_start(supervisor, order[i]) != 0)
			return;
	}
}

/* A full process table, or a file that can't be read now, isn't for ever. */
void lifecycle_restart(struct supervisor *supervisor, struct child *child)
{
	char reason[CONFIG_ERROR_BYTES], quoted[LOG_QUOTED_BYTES];
	bool was_planned = child->is_planned;
	int error = start(supervisor, child->role, reason);

	child->restarts++;
	child->is_planned = false;
	if (error == 0) {
		log_event(was_planned ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, "child_restarted",
			"role=%s pid=%d restarts=%llu", role_name(child->role), (int)child->pid,
			(unsigned long long)child->restarts);
		return;
	}
	child_schedule_restart(child, clock_ms(), false);
	log_event(LOG_LEVEL_ERROR, "child_restart_failed", "role=%s reason=%s again_ms=%u",
		role_name(child->role), log_quote(quoted, reason), child->delay_ms);
}

void lifecycle_give_up(struct supervisor *supervisor)
{
	supervisor->failed = true;
	supervisor->stopping = true;
}

void lifecycle_reap(struct supervisor *supervisor, struct child *child)
{
	bool was_ready = child->state == CHILD_READY;
	bool is_quiet = supervisor->stopping || child->is_planned;
	int pid = (int)child->pid;
	char end[48];

	if (!child_reap(child, end, sizeof(end)))
		return;
	log_event(is_quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "child_ended",
		"role=%s pid=%d %s", role_name(child->role), pid, end);
	child->state = CHILD_DOWN;
	if (was_ready)
		child->unready_ms = clock_ms();
	if (supervisor->stopping)
		return;
	if (!supervisor->serving) {
		log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s", role_name(child->role));
		lifecycle_give_up(supervisor);
		return;
	}
	child_schedule_restart(child, clock_ms(), was_ready);
}
