/* SPDX-License-Identifier: ISC */
/* What the installer does before its sandbox closes, and the settings that may come again later. */
#ifndef PULLGATE_INSTALLER_START_H
#define PULLGATE_INSTALLER_START_H

#include "installer/installer.h"

/*
 * Waits for the settings, takes all memory, opens the netlink sockets and reads the interface. What
 * makes the interface unusable is fatal, and the log says what to do about it.
 */
void start_installer(struct installer *installer);

/* Takes over new settings; warns of those that can't change while running. */
void start_apply_settings(
	struct installer *installer, const struct message_installer_settings *settings);

#endif
