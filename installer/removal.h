/* SPDX-License-Identifier: ISC */
/* Removing installed peers from the kernel, never before capture was told. */
#ifndef PULLGATE_INSTALLER_REMOVAL_H
#define PULLGATE_INSTALLER_REMOVAL_H

#include "installer/installer.h"

/*
 * In one message at most: each removal makes the kernel wait for all its processors, with the
 * device locked, and an install may be waiting behind it.
 */
#define REMOVAL_BATCH 16

struct removal {
	uint32_t slot;
	const char *reason; /* for the log */
};

/*
 * Removes up to REMOVAL_BATCH installed peers from kernel and table. 0, -EAGAIN when capture could
 * not be told of some, or the kernel's error; such peers stay, and the next dump says how it is.
 */
int removal_batch(struct installer *installer, const struct removal *removals, uint32_t count);
int removal_one(struct installer *installer, uint32_t slot, const char *reason);

#endif
