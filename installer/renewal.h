/* SPDX-License-Identifier: ISC */
/*
 * When which installed peer is asked about again: by REVALIDATE, when its freshness ends. At most
 * QUESTIONS_MAX are out at a time, and half of the rate of requests is left to demands. Those that
 * are due wait in peers.due; one whose question is out isn't there, one that must go is
 * (condemned.h).
 */
#ifndef PULLGATE_INSTALLER_RENEWAL_H
#define PULLGATE_INSTALLER_RENEWAL_H

#include "installer/installer.h"

/* After renewal_apply() and peers_init(). 0 or a negative errno: no random bytes. */
int renewal_init(struct installer *installer);

/* Takes over new settings; what is scheduled already stays as it is. */
void renewal_apply(struct installer *installer, const struct message_installer_settings *settings);

/* A 200 came for an installed peer, and the kernel has the peer as it says. To the guard it is no
 * sign of health: one for a demand may come from what the fetcher keeps. */
void renewal_found(
	struct installer *installer, uint32_t slot, const struct message_peer *configuration);

/* The origin answered 404 for an installed peer, and the guard spares it. */
void renewal_spared(struct installer *installer, uint32_t slot);

/* Brings forward the questions about so many, from those that are due next, as far as min_revalidate
 * lets them. */
void renewal_ask_early(struct installer *installer, uint32_t count);

/* The origin could not be asked: the peer stays while it may be used stale, and then stays or goes
 * by on_stale. */
void renewal_failed(struct installer *installer, uint32_t slot);

/* Another fetcher process, which knows nothing of the questions that are out. */
void renewal_ask_again(struct installer *installer);

/* Removes whom it is time to remove, and asks about whom it is time to ask about. */
void renewal_continue(struct installer *installer, int64_t now_ms);

/* Milliseconds until renewal_continue() has work; -1: none. */
int renewal_timeout_ms(struct installer *installer, int64_t now_ms);

/* Requests a second that renewals may take, and that the promised freshness takes. */
uint32_t renewal_have(const struct installer *installer);
uint32_t renewal_needed(const struct installer *installer);

#endif
