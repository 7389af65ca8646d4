/* SPDX-License-Identifier: ISC */
/* One misrouted 404 must not delete a fleet. */
#include "installer/removal_guard.h"

static void begin_round(struct removal_guard *guard, bool is_up, int64_t now_ms)
{
	guard->is_up = is_up;
	guard->round++;
	guard->round_began_ms = now_ms;
	guard->found = guard->absent = 0;
}

void removal_guard_init(struct removal_guard *guard, uint32_t percent)
{
	*guard = (struct removal_guard){.percent = percent, .round = 1};
}

void removal_guard_set(struct removal_guard *guard, uint32_t percent, int64_t now_ms)
{
	guard->percent = percent;
	if (percent >= 100 && guard->is_up)
		begin_round(guard, false, now_ms);
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

static uint32_t gone_within_a_minute(struct removal_guard *guard, int64_t now_ms)
{
	uint32_t gone = 0;

	advance(guard, now_ms / 1000);
	for (unsigned i = 0; i < REMOVAL_GUARD_SECONDS; i++)
		gone += guard->gone[i];
	return gone;
}

uint32_t removal_guard_limit(struct removal_guard *guard, uint32_t installed, int64_t now_ms)
{
	uint64_t before = (uint64_t)installed + gone_within_a_minute(guard, now_ms);
	uint64_t share = before * guard->percent / 100;

	return share > REMOVAL_GUARD_MIN ? (uint32_t)share : REMOVAL_GUARD_MIN;
}

void removal_guard_forget(struct removal_guard *guard, struct removal_guard_mark *mark)
{
	if (mark->round == guard->round)
		(*(mark->is_absent ? &guard->absent : &guard->found))--;
	mark->round = 0;
}

static void note(struct removal_guard *guard, struct removal_guard_mark *mark, bool is_absent)
{
	removal_guard_forget(guard, mark);
	(*(is_absent ? &guard->absent : &guard->found))++;
	*mark = (struct removal_guard_mark){.round = guard->round, .is_absent = is_absent};
}

void removal_guard_look(struct removal_guard *guard, uint32_t installed, int64_t now_ms)
{
	if (!guard->is_up)
		return;
	if (guard->absent > removal_guard_limit(guard, installed, now_ms))
		begin_round(guard, true, now_ms);
	else if (now_ms - guard->round_began_ms >= REMOVAL_GUARD_SECONDS * 1000 &&
		 guard->found > guard->absent)
		begin_round(guard, false, now_ms);
}

static bool are_too_many(struct removal_guard *guard, uint32_t installed, int64_t now_ms)
{
	return (uint64_t)guard->absent + gone_within_a_minute(guard, now_ms) >
	       removal_guard_limit(guard, installed, now_ms);
}

uint32_t removal_guard_call(struct removal_guard *guard, uint32_t installed, int64_t now_ms)
{
	if (guard->is_up || guard->percent >= 100 ||
		(guard->called_ms != 0 && now_ms - guard->called_ms < REMOVAL_GUARD_SECONDS * 1000))
		return 0;
	guard->called_ms = now_ms;
	/* It isn't up: absent and gone are no more than the limit. */
	return removal_guard_limit(guard, installed, now_ms) + 1 - guard->absent -
	       gone_within_a_minute(guard, now_ms);
}

void removal_guard_count(struct removal_guard *guard, struct removal_guard_mark *mark,
	bool is_absent, uint32_t installed, int64_t now_ms)
{
	note(guard, mark, is_absent);
	if (guard->is_up) {
		guard->spared += is_absent;
		removal_guard_look(guard, installed, now_ms);
	} else if (is_absent && are_too_many(guard, installed, now_ms)) {
		guard->spared = guard->absent;
		begin_round(guard, true, now_ms);
	}
}

bool removal_guard_admits(const struct removal_guard *guard, const struct removal_guard_mark *mark)
{
	return !guard->is_up && mark->round == guard->round && mark->is_absent;
}

void removal_guard_gone(struct removal_guard *guard, int64_t now_ms)
{
	advance(guard, now_ms / 1000);
	(*count_of(guard, guard->second))++;
}
