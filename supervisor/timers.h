/* SPDX-License-Identifier: ISC */
/* What the supervisor does as time goes by. */
#ifndef PULLGATE_TIMERS_H
#define PULLGATE_TIMERS_H

#include "supervisor/supervisor.h"

/* Does whatever is due: restarts, deadlines, health, status, the watchdog. */
void timers_run(struct supervisor *supervisor, int64_t now_ms);

/* Milliseconds until something may be due; at most a second. */
int timers_wait_ms(struct supervisor *supervisor, int64_t now_ms);

#endif
