/* SPDX-License-Identifier: ISC */
/*
 * How the service as a whole is: serving, or degraded while a child is missing. Said in the log
 * when it changes (degraded, recovered), and to the service manager whenever the words do.
 */
#ifndef PULLGATE_SERVICE_STATUS_H
#define PULLGATE_SERVICE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/child.h"

#define STATUS_BYTES 160

/* A child that isn't ready for so long, or ended so often in a row, makes the service degraded. */
#define STATUS_UNREADY_MS 1000
#define STATUS_FAILURES   3

struct supervisor;

struct service_status {
	bool is_degraded;
	int64_t since_ms;
	char text[STATUS_BYTES];
};

/*
 * Writes "degraded: fetcher restarts (12 times, next in 5 s)", or "degraded: fetcher is not ready",
 * of the first child that is in trouble; false, with text unchanged, when none is.
 */
bool status_describe_trouble(const struct child children[static ROLE_COUNT], int64_t now_ms,
	char text[static STATUS_BYTES]);

/* Brings the status up to date, and says what changed. Once serving. */
void status_update(struct supervisor *supervisor, int64_t now_ms);

#endif
