/* SPDX-License-Identifier: ISC */
/*
 * Reads the interface again and again: the kernel tells nobody when a peer is changed or shakes
 * hands. How often: every 5 s, every second while a peer waits for its handshake, oftener where the
 * times of eviction are short, and never so often that reading takes more than 4 % of the time.
 */
#ifndef PULLGATE_INSTALLER_SURVEY_H
#define PULLGATE_INSTALLER_SURVEY_H

#include "installer/installer.h"

void survey_init(struct installer *installer);

/* At the start: reads the whole interface. 0 or a negative errno. */
int survey_first(struct installer *installer);

/* Begins a dump when it is time, reads a piece of the one under way, ends it. */
void survey_continue(struct installer *installer, int64_t now_ms);

/* A peer was installed: its handshake will be looked for. */
void survey_after_install(struct installer *installer);

/* Something is not as expected: reads as soon as the bound on its cost lets it. */
void survey_soon(struct installer *installer);

/* Milliseconds until survey_continue() has work without a packet of the dump. */
int survey_timeout_ms(const struct installer *installer, int64_t now_ms);

#endif
