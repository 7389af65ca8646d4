/* SPDX-License-Identifier: ISC */
/* What children say to the supervisor. One that says what an honest one never does is killed. */
#ifndef PULLGATE_CONTROL_H
#define PULLGATE_CONTROL_H

#include "supervisor/supervisor.h"

/* Reads the child's control channel, a bounded number of messages. */
void control_read(struct supervisor *supervisor, struct child *child);

#endif
