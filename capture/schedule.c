/* SPDX-License-Identifier: ISC */
/* Which waiting initiation is next. */
#include "capture/schedule.h"

void schedule_add(struct schedule *schedule, enum lane lane, const struct waiting *waiting)
{
	backlog_add(&schedule->backlogs[lane], waiting);
}

static bool may_go(struct schedule *schedule, enum lane lane, bool has_room, int64_t now_us)
{
	switch (lane) {
	case LANE_STRANGER:
		return has_room;
	case LANE_UNKNOWN_SOURCE:
		return work_budget_has(&schedule->budget, now_us);
	default:
		return true;
	}
}

struct waiting *schedule_take(
	struct schedule *schedule, bool has_room, int64_t now_us, enum lane *lane)
{
	for (*lane = 0; *lane < LANES; (*lane)++) {
		struct waiting *waiting;

		if (!may_go(schedule, *lane, has_room, now_us))
			continue;
		waiting = backlog_take(&schedule->backlogs[*lane], now_us / 1000);
		if (waiting != NULL)
			return waiting;
	}
	return NULL;
}

void schedule_spend(struct schedule *schedule, enum lane lane, int64_t took_us)
{
	if (lane == LANE_UNKNOWN_SOURCE)
		work_budget_spend(&schedule->budget, took_us);
}

int schedule_wait_ms(struct schedule *schedule, bool has_room, int64_t now_us)
{
	struct backlog *backlogs = schedule->backlogs;
	int64_t now_ms = now_us / 1000;

	if (backlog_has(&backlogs[LANE_KNOWN_SOURCE], now_ms) ||
		(has_room && backlog_has(&backlogs[LANE_STRANGER], now_ms)))
		return 0;
	if (!backlog_has(&backlogs[LANE_UNKNOWN_SOURCE], now_ms))
		return -1;
	return (int)((work_budget_wait_us(&schedule->budget, now_us) + 999) / 1000);
}

uint64_t schedule_lost_unproven(const struct schedule *schedule)
{
	return schedule->backlogs[LANE_KNOWN_SOURCE].lost +
	       schedule->backlogs[LANE_UNKNOWN_SOURCE].lost;
}

uint64_t schedule_lost_proven(const struct schedule *schedule)
{
	return schedule->backlogs[LANE_STRANGER].lost;
}
