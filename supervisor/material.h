/* SPDX-License-Identifier: ISC */
/*
 * What TLS and authorisation need, on its way from the files to the fetcher: it passes through
 * sealed memfds, and never through this process' memory. Whoever loads it closes it as soon as it
 * is sent; with the last descriptor of a memfd its pages are gone.
 */
#ifndef PULLGATE_MATERIAL_H
#define PULLGATE_MATERIAL_H

#include "common/channel.h"
#include "supervisor/config.h"

/* -1 where there is none. Index: enum material_kind. */
struct material {
	int memfd[4];
};

/* As struct material without anything to close. */
#define MATERIAL_NONE ((struct material){.memfd = {-1, -1, -1, -1}})

/*
 * Reads every file that the configuration names. 0, or a negative errno with a reason of the form
 * "FILE: reason" and nothing to close.
 */
int material_load(struct material *material, const struct config *config,
	char error[static CONFIG_ERROR_BYTES]);

void material_close(struct material *material);

/* 0, or what material_load() returns: whether every file can be read now. Nothing is kept. */
int material_check(const struct config *config, char error[static CONFIG_ERROR_BYTES]);

/* Sends it to the fetcher, before its settings; each receiver reads by itself from the beginning.
 * 0 or a negative errno. */
int material_send(struct channel *control, const struct material *material);

#endif
