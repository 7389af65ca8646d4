/* SPDX-License-Identifier: ISC */
/* The supervisor's settings and material, taken into use. */
#ifndef PULLGATE_FETCHER_SETTINGS_H
#define PULLGATE_FETCHER_SETTINGS_H

#include "fetcher/fetcher.h"

/* At the start: waits for material and settings. Fatal on anything that can't be used. */
void settings_await(struct fetcher *fetcher);

/* Keeps material for the settings that follow it; an error is logged and has these refused. fd
 * stays the caller's. */
void settings_take_material(struct fetcher *fetcher, enum material_kind kind, int fd);

/* Whose answers the caches hold: the interface and the origins. */
void settings_name_owner(const struct fetcher *fetcher, char owner[static CACHE_STORE_OWNER_BYTES]);

/* Keeps one more origin for the settings that follow; one that can't be used has these refused. */
void settings_take_origin(struct fetcher *fetcher, const struct message_fetcher_origin *origin);

/*
 * Takes settings into use; with other origins or other credentials everything under way begins
 * anew. 0, or -EINVAL when they can't be used: the old ones stay, and the log says why.
 */
int settings_apply(struct fetcher *fetcher, const struct message_fetcher_settings *settings);
#endif
