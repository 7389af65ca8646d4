/* SPDX-License-Identifier: ISC */
/*
 * From an answer that found a ticket to a peer in the kernel and its initiation replayed. Peers that
 * are ready in one turn share messages to the kernel.
 */
#ifndef PULLGATE_INSTALLER_INSTALL_H
#define PULLGATE_INSTALLER_INSTALL_H

#include "installer/installer.h"

/*
 * A found peer with its ticket: refuses it (and tells so), or records the intent and puts it into
 * the batch. Sends the batch first if it is full.
 */
void install_found(
	struct installer *installer, struct ticket *ticket, const struct message_peer *peer);

/* Tells the kernel of the batch, replays, tells the outcomes; wipes the preshared keys. */
void install_flush(struct installer *installer);

/* Replays the initiation of a ticket whose peer is installed. */
void install_replay(struct installer *installer, const struct ticket *ticket);

#endif
