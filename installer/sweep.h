/* SPDX-License-Identifier: ISC */
/*
 * What follows a dump, a piece at a time between other work: peers that are gone from the kernel are
 * forgotten, those whose time is over are removed, and those that would yield to newcomers noted.
 */
#ifndef PULLGATE_INSTALLER_SWEEP_H
#define PULLGATE_INSTALLER_SWEEP_H

#include "installer/installer.h"

/* A dump has ended. */
void sweep_begin(struct installer *installer);

void sweep_continue(struct installer *installer, int64_t now_ms);

/* Milliseconds until sweep_continue() has work; -1: none. */
int sweep_timeout_ms(const struct installer *installer, int64_t now_ms);

#endif
