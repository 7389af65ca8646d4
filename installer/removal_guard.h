/* SPDX-License-Identifier: ISC */
/*
 * One misrouted 404 must not delete a fleet. Removals by 404 are counted over a minute; the one that
 * would be more than `percent` of the installed peers, and more than 10, stops them all. 410 is
 * never held back.
 *
 * While they are stopped, peers are still asked about, and each is counted by its latest answer.
 * Removals go on when for a whole minute no more of them were absent than could have gone in it,
 * and more were found. So the same measure stops them and lets them go on, and an origin that says
 * nothing at all is no sign that it is well again. A peer that was spared goes by a new answer alone.
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
	uint32_t percent;                     /* 100: no guard */
	uint32_t gone[REMOVAL_GUARD_SECONDS]; /* by second, modulo */
	int64_t second;                       /* the latest of them */
	bool is_up;                           /* removals are stopped */
	/* While it is up: the trial that lets them go on when it has lasted long enough. */
	uint32_t trial; /* its number, from 1 */
	int64_t trial_began_ms;
	uint32_t found, absent; /* peers, by their latest answers within it */
	uint64_t spared;        /* answers that removed nobody since removals were stopped */
};

/* A peer's part in it. Zeroed at first. */
struct removal_guard_mark {
	uint32_t trial; /* the last one in which it was counted, and as what */
	bool is_absent;
};

/* Takes over percent. At 100 removals go on at once: the operator's word. */
void removal_guard_set(struct removal_guard *guard, uint32_t percent);

/*
 * Counts an answer about one of so many installed peers. Whether the peer may go, which a found
 * one never does.
 */
bool removal_guard_admits(struct removal_guard *guard, struct removal_guard_mark *mark,
	bool is_absent, uint32_t installed, int64_t now_ms);

/* How many went within the last minute, and how many may. */
uint32_t removal_guard_gone(struct removal_guard *guard, int64_t now_ms);
uint32_t removal_guard_limit(struct removal_guard *guard, uint32_t installed, int64_t now_ms);

#endif
