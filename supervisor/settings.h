/* SPDX-License-Identifier: ISC */
/* What each child is told of the configuration: its settings message. */
#ifndef PULLGATE_SETTINGS_H
#define PULLGATE_SETTINGS_H

#include <stdbool.h>

#include "common/channel.h"
#include "supervisor/config.h"
#include "supervisor/material.h"

/*
 * Sends the settings of that role, and to the fetcher the material before them (others get none; it
 * may be NULL). 0 or a negative errno.
 */
int settings_send(struct channel *control, enum role role, const struct config *config,
	const struct material *material, bool verbose);

#endif
