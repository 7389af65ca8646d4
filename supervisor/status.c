/* SPDX-License-Identifier: ISC */
/* How the service as a whole is. */
#include "supervisor/status.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "supervisor/supervisor.h"

static bool is_in_trouble(const struct child *child, int64_t now_ms)
{
	if (child->failures >= STATUS_FAILURES)
		return true;
	return child->state != CHILD_READY && now_ms - child->unready_ms >= STATUS_UNREADY_MS;
}

static void describe(const struct child *child, char text[static STATUS_BYTES])
{
	const char *name = role_name(child->role);
	bool in_seconds = child->delay_ms % 1000 == 0;

	if (child->failures == 0)
		snprintf(text, STATUS_BYTES, "degraded: %s is not ready", name);
	else if (child->state == CHILD_WAITING)
		snprintf(text, STATUS_BYTES, "degraded: %s restarts (%u times, next in %u %s)",
			name, child->failures,
			in_seconds ? child->delay_ms / 1000 : child->delay_ms,
			in_seconds ? "s" : "ms");
	else
		snprintf(text, STATUS_BYTES, "degraded: %s restarts (%u times)", name,
			child->failures);
}

bool status_describe_trouble(const struct child children[static ROLE_COUNT], int64_t now_ms,
	char text[static STATUS_BYTES])
{
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (!is_in_trouble(&children[role], now_ms))
			continue;
		describe(&children[role], text);
		return true;
	}
	return false;
}

static void log_change(
	struct service_status *status, bool is_degraded, const char *text, int64_t now_ms)
{
	if (is_degraded && !status->is_degraded)
		log_event(
			LOG_LEVEL_ERROR, "degraded", "reason=\"%s\"", text + strlen("degraded: "));
	else if (!is_degraded && status->is_degraded)
		log_event(LOG_LEVEL_NOTICE, "recovered", "after_ms=%lld",
			(long long)(now_ms - status->since_ms));
	if (is_degraded != status->is_degraded)
		status->since_ms = now_ms;
	status->is_degraded = is_degraded;
}

void status_update(struct supervisor *supervisor, int64_t now_ms)
{
	struct service_status *status = &supervisor->status;
	char text[STATUS_BYTES];
	bool is_degraded = status_describe_trouble(supervisor->children, now_ms, text);

	if (!is_degraded)
		snprintf(text, sizeof(text), "serving %s on port %u", supervisor->config.interface,
			supervisor->device.listen_port);
	log_change(status, is_degraded, text, now_ms);
	if (strcmp(text, status->text) == 0)
		return;
	memcpy(status->text, text, sizeof(text));
	notify_status(&supervisor->notify, text);
}
