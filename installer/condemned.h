/* SPDX-License-Identifier: ISC */
/*
 * Installed peers that must go by the control plane's word: at their time, at the rate of such
 * removals, and tried again until they are gone. A newer 200 saves one, and the guard one that is
 * absent. Those whose time has come stand first in peers.due: while there are more of them than may
 * go, nobody is asked about, and that is what bounds them.
 */
#ifndef PULLGATE_INSTALLER_CONDEMNED_H
#define PULLGATE_INSTALLER_CONDEMNED_H

#include "installer/installer.h"

/* at_ms may be DUE_AT_ONCE. */
void condemned_add(
	struct installer *installer, uint32_t slot, enum condemned reason, int64_t at_ms);

/* Removes the first of them, a batch at most. */
void condemned_continue(struct installer *installer, int64_t now_ms);

/* Milliseconds until the first of them can go; -1 where none is due. */
int64_t condemned_wait_ms(struct installer *installer, int64_t now_ms);

#endif
