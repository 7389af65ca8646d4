/* SPDX-License-Identifier: ISC */
/*
 * The channels between the processes: fresh ones at each start of a child, so that what an ended
 * process left in a queue goes with it.
 */
#ifndef PULLGATE_CHANNELS_H
#define PULLGATE_CHANNELS_H

#include "supervisor/supervisor.h"

/*
 * Opens the child's control channel, whose other end becomes child->control, and a channel to each
 * other child that it talks to. A running one gets its end by RENEW; where it doesn't run yet its
 * end is closed, and the child's waits for a RENEW. The child's ends go into inheritance, also
 * when a later one fails: the caller closes them. 0 or a negative errno.
 */
int channels_open(
	struct supervisor *supervisor, struct inheritance *inheritance, struct child *child);

/* Closes our copies of the child's ends; what is kept across restarts stays open. */
void channels_close_ours(struct inheritance *inheritance);

#endif
