/* SPDX-License-Identifier: ISC */
/* What each child is told of the configuration: its settings message, and the fetcher's material.
 */
#ifndef PULLGATE_SETTINGS_H
#define PULLGATE_SETTINGS_H

#include <stdbool.h>

#include "common/channel.h"
#include "supervisor/config.h"

/*
 * What TLS and authorisation need, read from files into sealed memfds, so that the fetcher needs
 * no file; -1 where there is none. Index: enum material_kind.
 */
struct material {
	int memfd[4];
};

/* As struct material without anything to close. */
#define MATERIAL_NONE ((struct material){.memfd = {-1, -1, -1, -1}})

/* Reads every file that the configuration names. 0, or a negative errno with a reason of the form
 * "FILE: reason". */
int material_load(struct material *material, const struct config *config,
	char error[static CONFIG_ERROR_BYTES]);

void material_close(struct material *material);

/* Sends the settings of that role, material before them. 0 or a negative errno. */
int settings_send(struct channel *control, enum role role, const struct config *config,
	const struct material *material, bool verbose);

#endif
