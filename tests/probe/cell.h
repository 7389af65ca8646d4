/* SPDX-License-Identifier: ISC */
/* One probe, started as the supervisor starts that role's process, with what it inherits. */
#ifndef PULLGATE_PROBE_CELL_H
#define PULLGATE_PROBE_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "attempt.h"
#include "common/role.h"
#include "outside.h"
#include "supervisor/child.h"

#define CELL_LOG_BYTES 1024

/* An end that no attempt has: it hung until it was killed, or never began. */
#define CELL_BROKEN 9999

struct cell {
	struct child child;
	struct inheritance outer; /* our ends, by the number of its ends; what it only inherits */
	int log;                  /* what it writes to standard error */
	char text[CELL_LOG_BYTES];
	size_t length;
};

/* Starts the probe for attempt `number`. Fatal when that can't be done. */
void cell_start(struct cell *cell, const struct outside *outside, const char *directory,
	enum role role, size_t number, bool filtered);

/* Waits for its end, and closes everything: the attempt's end (attempt.h), or CELL_BROKEN. */
int cell_wait(struct cell *cell);

#endif
