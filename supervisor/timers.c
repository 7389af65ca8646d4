/* SPDX-License-Identifier: ISC */
/* What the supervisor does as time goes by. */
#include "supervisor/timers.h"

#include "common/log.h"
#include "supervisor/lifecycle.h"

/* Within which health, status and files are looked at; well below HEALTH_GAP_MS. */
#define TURN_MS 1000

static void check_start(struct child *child, int64_t now_ms)
{
	if (child->is_ending || child->next_ms > now_ms)
		return;
	log_event(LOG_LEVEL_ERROR, "child_not_ready", "role=%s pid=%d after_ms=%d",
		role_name(child->role), (int)child->pid, CHILD_READY_TIMEOUT_MS);
	child_kill(child);
}

/* A queue that is full holds questions that nobody answered: that counts as silence too. */
static void ask(struct child *child, int64_t now_ms)
{
	struct message message = {.type = MESSAGE_TYPE_HEALTH_ASK};

	message.health_ask.id = health_ask(&child->health, now_ms);
	channel_send(&child->control, &message);
}

static void check_health(struct child *child, int64_t now_ms)
{
	int64_t silent_ms = health_silent_ms(&child->health, now_ms);

	if (child->is_ending)
		return;
	if (silent_ms >= health_limit_ms(child->role)) {
		log_event(LOG_LEVEL_ERROR, "child_hung", "role=%s pid=%d silent_ms=%lld",
			role_name(child->role), (int)child->pid, (long long)silent_ms);
		child_kill(child);
	} else if (health_is_due(&child->health, now_ms)) {
		ask(child, now_ms);
	}
}

static void check_child(struct supervisor *supervisor, struct child *child, int64_t now_ms)
{
	switch (child->state) {
	case CHILD_DOWN:
		break;
	case CHILD_WAITING:
		if (child->next_ms <= now_ms)
			lifecycle_restart(supervisor, child);
		break;
	case CHILD_STARTING:
		check_start(child, now_ms);
		break;
	case CHILD_READY:
		child_settle(child, now_ms);
		check_health(child, now_ms);
		break;
	}
}

/* Nobody could be heard by a supervisor that was stopped itself. */
static void excuse_silence(struct supervisor *supervisor, int64_t now_ms)
{
	bool was_away =
		supervisor->looked_ms != 0 && now_ms - supervisor->looked_ms >= HEALTH_GAP_MS;

	if (was_away) {
		log_event(LOG_LEVEL_WARNING, "was_suspended", "for_ms=%lld",
			(long long)(now_ms - supervisor->looked_ms));
		FOR_EACH_CHILD(supervisor, child)
		health_excuse(&child->health, now_ms);
	}
	supervisor->looked_ms = now_ms;
}

/* The connector has copies from its start on. */
static void check_resolver_files(struct supervisor *supervisor, int64_t now_ms)
{
	struct child *connector = &supervisor->children[ROLE_CONNECTOR];
	const char *changed;

	if (connector->state != CHILD_READY || connector->is_ending ||
		now_ms - supervisor->resolver_files_ms < RESOLVER_FILES_EVERY_MS)
		return;
	supervisor->resolver_files_ms = now_ms;
	changed = resolver_files_changed(&supervisor->resolver_files, supervisor->resolver_folder);
	if (changed == NULL)
		return;
	log_event(LOG_LEVEL_NOTICE, "resolver_files_changed", "file=%s/%s effect=\"%s\"",
		supervisor->resolver_folder, changed, "connector restarts");
	child_end_as_planned(connector);
}

/* The fetcher has the one that was there at its start, whatever its name stands for since. */
static void check_origin_directory(struct supervisor *supervisor, int64_t now_ms)
{
	struct child *fetcher = &supervisor->children[ROLE_FETCHER];
	const char *path = config_directory(&supervisor->config);
	char quoted[LOG_QUOTED_BYTES];

	if (path[0] == '\0' || fetcher->state != CHILD_READY || fetcher->is_ending ||
		now_ms - supervisor->origin_directory_ms < ORIGIN_DIRECTORY_EVERY_MS)
		return;
	supervisor->origin_directory_ms = now_ms;
	if (!origin_directory_changed(&supervisor->origin_directory, path))
		return;
	log_event(LOG_LEVEL_NOTICE, "origin_directory_changed",
		"directory=%s effect=\"fetcher restarts\"", log_quote(quoted, path));
	child_end_as_planned(fetcher);
}

void timers_run(struct supervisor *supervisor, int64_t now_ms)
{
	excuse_silence(supervisor, now_ms);
	FOR_EACH_CHILD(supervisor, child)
	check_child(supervisor, child, now_ms);
	if (supervisor->serving) {
		device_change(supervisor, now_ms);
		check_resolver_files(supervisor, now_ms);
		check_origin_directory(supervisor, now_ms);
		status_update(supervisor, now_ms);
	}
	notify_watchdog(&supervisor->notify, now_ms);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int timers_wait_ms(struct supervisor *supervisor, int64_t now_ms)
{
	const struct notify *notify = &supervisor->notify;
	int64_t next_ms = now_ms + TURN_MS;

	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->state == CHILD_WAITING)
			next_ms = earlier(next_ms, child->next_ms);
	}
	if (notify->watchdog_every_ms != 0)
		next_ms = earlier(next_ms, notify->watchdog_ms + notify->watchdog_every_ms);
	return next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}
