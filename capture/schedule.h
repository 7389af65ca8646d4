/* SPDX-License-Identifier: ISC */
/*
 * Which waiting initiation is next. Without load that is whichever came; under a flood:
 *
 *   1. unproven ones from known sources (known_sources.h);
 *   2. proven ones of keys that nobody vouched for, as soon as the origin may be asked about
 *      another of these (key_table.h);
 *   3. unproven ones from unknown sources, within a budget of time (work_budget.h), for everybody
 *      can make them, from any number of sources: 65 us of curve work each, so that 15,000 packets
 *      a second, 23 Mbit/s, would fill a core.
 *
 * Each kind waits in a backlog of its own, the newest first (backlog.h).
 */
#ifndef PULLGATE_SCHEDULE_H
#define PULLGATE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/backlog.h"
#include "capture/work_budget.h"

enum lane { LANE_KNOWN_SOURCE, LANE_STRANGER, LANE_UNKNOWN_SOURCE, LANES };

/* Zeroed at first. */
struct schedule {
	struct backlog backlogs[LANES];
	struct work_budget budget; /* of LANE_UNKNOWN_SOURCE */
};

void schedule_add(struct schedule *schedule, enum lane lane, const struct waiting *waiting);

/*
 * Takes the next one out and says from which lane, or NULL: then nothing is to be done now.
 * `has_room` says whether a stranger's demand can begin. Valid until the next schedule_add.
 */
struct waiting *schedule_take(
	struct schedule *schedule, bool has_room, int64_t now_us, enum lane *lane);

/* What the one taken from that lane cost. */
void schedule_spend(struct schedule *schedule, enum lane lane, int64_t took_us);

/* Milliseconds until schedule_take has something, if nothing else happens; -1: nothing waits. */
int schedule_wait_ms(struct schedule *schedule, bool has_room, int64_t now_us);

/* How many were forgotten unproven, and proven. */
uint64_t schedule_lost_unproven(const struct schedule *schedule);
uint64_t schedule_lost_proven(const struct schedule *schedule);

#endif
