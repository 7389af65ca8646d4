/* SPDX-License-Identifier: ISC */
/* Initiations that wait, the newest first. */
#include "capture/backlog.h"

static struct waiting *newest(struct backlog *backlog)
{
	return &backlog->places[(backlog->next + BACKLOG_PLACES - 1) % BACKLOG_PLACES];
}

static void add_newest(struct backlog *backlog, const struct waiting *waiting)
{
	if (backlog->count == BACKLOG_PLACES)
		backlog->lost++; /* the next place is that of the oldest */
	else
		backlog->count++;
	backlog->places[backlog->next] = *waiting;
	backlog->next = (backlog->next + 1) % BACKLOG_PLACES;
}

static void add_oldest(struct backlog *backlog, const struct waiting *waiting)
{
	if (backlog->count == BACKLOG_PLACES) {
		backlog->lost++;
		return;
	}
	backlog->count++;
	backlog->places[(backlog->next + BACKLOG_PLACES - backlog->count) % BACKLOG_PLACES] =
		*waiting;
}

void backlog_add(struct backlog *backlog, const struct waiting *waiting)
{
	if (backlog->count > 0 && waiting->number < newest(backlog)->number)
		add_oldest(backlog, waiting);
	else
		add_newest(backlog, waiting);
}

static void take_off_newest(struct backlog *backlog)
{
	backlog->next = (backlog->next + BACKLOG_PLACES - 1) % BACKLOG_PLACES;
	backlog->count--;
}

bool backlog_has(struct backlog *backlog, int64_t now_ms)
{
	while (backlog->count > 0) {
		if (now_ms - newest(backlog)->since_ms < BACKLOG_KEEP_MS)
			return true;
		take_off_newest(backlog);
		backlog->lost++;
	}
	return false;
}

struct waiting *backlog_take(struct backlog *backlog, int64_t now_ms)
{
	struct waiting *taken;

	if (!backlog_has(backlog, now_ms))
		return NULL;
	taken = newest(backlog);
	take_off_newest(backlog);
	return taken;
}
