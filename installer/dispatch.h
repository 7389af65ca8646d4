/* SPDX-License-Identifier: ISC */
/* Who says what to the installer, and what it does about it. */
#ifndef PULLGATE_INSTALLER_DISPATCH_H
#define PULLGATE_INSTALLER_DISPATCH_H

#include "installer/installer.h"

/* The sandbox is closed: tells the supervisor DEVICE and READY. Fatal when it can't be told. */
void dispatch_ready(struct installer *installer);

/* Waits for work and does a bounded part of each kind, so that none starves the others. */
void dispatch_turn(struct installer *installer);

/* One message of capture or fetcher; for dispatch_turn() and for tests. */
void dispatch_demand(struct installer *installer, const struct message_demand *demand);
void dispatch_peer(struct installer *installer, const struct message_peer *peer);
/* The channel to that role is a new one, and so is the process behind it. */
void dispatch_renewed(struct installer *installer, enum role role);
/* Logs what was dropped and refused, when it is time. */
void dispatch_report(struct installer *installer);

#endif
