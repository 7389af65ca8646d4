/* SPDX-License-Identifier: ISC */
/* SIGHUP: the configuration read again, and applied as far as it can change. */
#ifndef PULLGATE_RELOAD_H
#define PULLGATE_RELOAD_H

#include "supervisor/supervisor.h"

/*
 * Reads the configuration and its files again. With an error nothing changes, and one line says
 * so. What a running gateway can't change (interface, max_peers) keeps its value, and one line for
 * each says so; everything else is sent to the children.
 */
void supervisor_reload(struct supervisor *supervisor);

#endif
