/* SPDX-License-Identifier: ISC */
/*
 * What the control plane's answers mean for peers that are installed already.
 *
 *   200, as before   fresh again; the kernel is told nothing
 *   200, changed     brought into line in place, session and all (update.h); where the policy of
 *                    today doesn't admit it, the peer goes: the control plane has said that its old
 *                    configuration holds no more, so there is none by which it could stay
 *   404              goes when its freshness ends, unless the guard holds it back
 *   410              goes at once, whatever the guard says
 *   no answer        stays, and then goes or stays by on_stale
 */
#ifndef PULLGATE_INSTALLER_RENEWAL_ANSWER_H
#define PULLGATE_INSTALLER_RENEWAL_ANSWER_H

#include "installer/installer.h"

/* Takes the answer to a REVALIDATE. False if nobody asked for this key by this id. */
bool renewal_answer(struct installer *installer, const struct message_peer *answer);

/* A demand for this key was answered 404 or 410: the same for a peer that is installed. */
void renewal_refused(struct installer *installer, const struct message_peer *answer);

#endif
