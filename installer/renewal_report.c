/* SPDX-License-Identifier: ISC */
/* What is said of renewal now and then. */
#include "installer/renewal_report.h"

#include "common/log.h"
#include "installer/renewal.h"

#define EVERY_MS 60000

/* Whether a line is to be said now, so long as what it says is true. */
static bool is_due(int64_t *next_ms, bool is_true, int64_t now_ms)
{
	if (!is_true || now_ms < *next_ms)
		return false;
	*next_ms = now_ms + EVERY_MS;
	return true;
}

static void report_guard(struct installer *installer, int64_t now_ms)
{
	struct removal_guard *guard = &installer->peers.guard;
	struct renewal_lines *lines = &installer->renewal.lines;
	uint32_t installed = installer->peers.installed;

	if (guard->is_up != lines->said_stopped)
		lines->stopped_ms = now_ms;
	if (is_due(&lines->stopped_ms, guard->is_up, now_ms))
		log_event(LOG_LEVEL_ERROR, "removals_stopped",
			"reason=\"too many 404s\" limit=%u installed=%u absent=%u found=%u "
			"spared=%llu hint=\"eviction.removal_guard = 100%% lets them go\"",
			removal_guard_limit(guard, installed, now_ms), installed, guard->absent,
			guard->found, (unsigned long long)guard->spared);
	if (lines->said_stopped && !guard->is_up)
		log_event(LOG_LEVEL_NOTICE, "removals_resumed", "installed=%u spared=%llu",
			installed, (unsigned long long)guard->spared);
	lines->said_stopped = guard->is_up;
}

void renewal_report(struct installer *installer, int64_t now_ms)
{
	struct renewal_lines *lines = &installer->renewal.lines;
	uint32_t stale = installer->peers.stale;
	uint32_t needed = renewal_needed(installer), have = renewal_have(installer);

	report_guard(installer, now_ms);
	if (is_due(&lines->stale_ms, stale > 0, now_ms))
		log_event(LOG_LEVEL_WARNING, "stale_peers", "count=%u installed=%u", stale,
			installer->peers.installed);
	if (is_due(&lines->not_held_ms, needed > have, now_ms))
		log_event(LOG_LEVEL_WARNING, "freshness_not_held",
			"needed=%u/s have=%u/s installed=%u hint=\"raise origin.requests, or let "
			"answers be fresh for longer\"",
			needed, have, installer->peers.installed);
}
