/* SPDX-License-Identifier: ISC */
/*
 * One misrouted 404 must not delete a fleet. Counted are the installed peers that would go by 404:
 * those whose answer was 404 and that still wait to go, and those that went within a minute. When
 * they are more than `percent` of the installed peers, and more than 10, all removals by 404 stop.
 * 410 is never held back.
 *
 * While removals are stopped, peers are still asked about. They go on when for a whole minute no
 * more of them were absent than may go, and more were found: so the same measure stops them and lets
 * them go on, and an origin that says nothing at all is no sign that it is well again.
 *
 * Each peer counts once a round, by its latest answer in it. A round ends when removals stop or go
 * on, and when too many are absent for them to go on; a peer goes by an answer of this round alone.
 * So what was answered while removals were stopped removes nobody later.
 */
#ifndef PULLGATE_INSTALLER_REMOVAL_GUARD_H
#define PULLGATE_INSTALLER_REMOVAL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* So many peers may go within a minute, however few are installed. */
#define REMOVAL_GUARD_MIN 10
/* A minute, and the second in which it began: counts are kept by the second. */
#define REMOVAL_GUARD_SECONDS 61

struct removal_guard {
	uint32_t percent; /* 100: no guard */
	bool is_up;       /* removals are stopped */
	uint32_t round;   /* from 1 */
	int64_t round_began_ms;
	uint32_t found, absent;               /* peers, by their latest answers in this round */
	uint32_t gone[REMOVAL_GUARD_SECONDS]; /* by second, modulo */
	int64_t second;                       /* the latest of them */
	int64_t called_ms; /* when others were called to witness last; 0: never */
	uint64_t spared;   /* answers that removed nobody since removals were stopped */
};

/* A peer's part in it. Zeroed at first. */
struct removal_guard_mark {
	uint32_t round; /* the last one in which it was counted, and as what */
	bool is_absent;
};

void removal_guard_init(struct removal_guard *guard, uint32_t percent);

/* Takes over another share. At 100 removals go on at once: the operator's word. */
void removal_guard_set(struct removal_guard *guard, uint32_t percent, int64_t now_ms);

/* Counts an answer about one of so many installed peers. */
void removal_guard_count(struct removal_guard *guard, struct removal_guard_mark *mark,
	bool is_absent, uint32_t installed, int64_t now_ms);

/* Whether a peer may go by its latest answer. */
bool removal_guard_admits(const struct removal_guard *guard, const struct removal_guard_mark *mark);

/*
 * One is absent: how many others to ask about at once, though it isn't their time yet, so that it
 * shows whether they all are before the first of them goes. As many as stop the removals; once a
 * minute, else 0.
 */
uint32_t removal_guard_call(struct removal_guard *guard, uint32_t installed, int64_t now_ms);

/* One that may go goes now; or it is removed for whatever reason. */
void removal_guard_gone(struct removal_guard *guard, int64_t now_ms);
void removal_guard_forget(struct removal_guard *guard, struct removal_guard_mark *mark);

/* Lets removals go on when it is time. */
void removal_guard_look(struct removal_guard *guard, uint32_t installed, int64_t now_ms);

/* How many may go by 404 within a minute, of so many installed peers and those that went. */
uint32_t removal_guard_limit(struct removal_guard *guard, uint32_t installed, int64_t now_ms);

#endif
