/* SPDX-License-Identifier: ISC */
/* The lives of the children: their starts, their ends, and what follows from these. */
#ifndef PULLGATE_LIFECYCLE_H
#define PULLGATE_LIFECYCLE_H

#include "supervisor/supervisor.h"

/* One log line about a step of the start that failed. Returns error. */
int lifecycle_fail_start(const char *step, int error);

/*
 * The first start of a child, with fresh channels and its first messages. 0, or a negative errno
 * after one log line, and the whole ends.
 */
int lifecycle_start(struct supervisor *supervisor, enum role role);

/* The installer is ready for the first time: starts the others. */
void lifecycle_start_others(struct supervisor *supervisor);

/* Starts a child that waits for it, or, where that fails, waits again. */
void lifecycle_restart(struct supervisor *supervisor, struct child *child);

/* Takes note of the end of a child whose pidfd tells of it. */
void lifecycle_reap(struct supervisor *supervisor, struct child *child);

/* A start that fails ends the whole; later, no end of a child does. */
void lifecycle_give_up(struct supervisor *supervisor);

#endif
