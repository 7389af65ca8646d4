/* SPDX-License-Identifier: ISC */
/* One misrouted 404 must not delete a fleet. */
#include "installer/removal_guard.h"

void removal_guard_set(struct removal_guard *guard, uint32_t percent)
{
	guard->percent = percent;
	if (percent >= 100)
		guard->is_up = false;
}

static uint32_t *count_of(struct removal_guard *guard, int64_t second)
{
	return &guard->gone[second % REMOVAL_GUARD_SECONDS];
}

/* Forgets the seconds that are over. */
static void advance(struct removal_guard *guard, int64_t second)
{
	if (second - guard->second > REMOVAL_GUARD_SECONDS)
		guard->second = second - REMOVAL_GUARD_SECONDS;
	while (guard->second < second)
		*count_of(guard, ++guard->second) = 0;
}

uint32_t removal_guard_gone(struct removal_guard *guard, int64_t now_ms)
{
	uint32_t gone = 0;

	advance(guard, now_ms / 1000);
	for (unsigned i = 0; i < REMOVAL_GUARD_SECONDS; i++)
		gone += guard->gone[i];
	return gone;
}

uint32_t removal_guard_limit(struct removal_guard *guard, uint32_t installed, int64_t now_ms)
{
	uint64_t before = (uint64_t)installed + removal_guard_gone(guard, now_ms);
	uint64_t share = before * guard->percent / 100;

	return share > REMOVAL_GUARD_MIN ? (uint32_t)share : REMOVAL_GUARD_MIN;
}

static void begin_trial(struct removal_guard *guard, int64_t now_ms)
{
	guard->trial++;
	guard->trial_began_ms = now_ms;
	guard->found = guard->absent = 0;
}

/* A peer counts once in a trial, by its latest answer. */
static void count(struct removal_guard *guard, struct removal_guard_mark *mark, bool is_absent)
{
	if (mark->trial == guard->trial)
		(*(mark->is_absent ? &guard->absent : &guard->found))--;
	(*(is_absent ? &guard->absent : &guard->found))++;
	mark->trial = guard->trial;
	mark->is_absent = is_absent;
}

static void try_to_go_on(struct removal_guard *guard, uint32_t limit, int64_t now_ms)
{
	if (guard->absent > limit)
		begin_trial(guard, now_ms);
	else if (now_ms - guard->trial_began_ms >= REMOVAL_GUARD_SECONDS * 1000 &&
		 guard->found > guard->absent)
		guard->is_up = false;
}

bool removal_guard_admits(struct removal_guard *guard, struct removal_guard_mark *mark,
	bool is_absent, uint32_t installed, int64_t now_ms)
{
	uint32_t limit = removal_guard_limit(guard, installed, now_ms);

	if (guard->is_up) {
		count(guard, mark, is_absent);
		try_to_go_on(guard, limit, now_ms);
	}
	if (!is_absent)
		return false;
	if (!guard->is_up && removal_guard_gone(guard, now_ms) >= limit) {
		guard->is_up = true;
		guard->spared = 0;
		begin_trial(guard, now_ms);
		count(guard, mark, is_absent);
	}
	if (guard->is_up)
		guard->spared++;
	else
		(*count_of(guard, guard->second))++;
	return !guard->is_up;
}
