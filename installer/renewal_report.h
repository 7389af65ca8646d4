/* SPDX-License-Identifier: ISC */
/*
 * What is said of renewal, each line when it begins to be true and every minute while it is:
 *   removals_stopped     error: so many 404s that none removes a peer now; removals_resumed ends it
 *   stale_peers          warning: peers are kept that may be used no longer, and the origin fails
 *   freshness_not_held   warning: the freshness promised takes more requests than there may be
 */
#ifndef PULLGATE_INSTALLER_RENEWAL_REPORT_H
#define PULLGATE_INSTALLER_RENEWAL_REPORT_H

#include "installer/installer.h"

void renewal_report(struct installer *installer, int64_t now_ms);

#endif
