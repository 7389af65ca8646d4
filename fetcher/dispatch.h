/* SPDX-License-Identifier: ISC */
/*
 * The fetcher at work: takes LOOKUPs, starts and ends requests, sends PEERs, asks the connector for
 * sockets. One turn of the loop after the other; nothing here waits but the poll of a turn.
 */
#ifndef PULLGATE_FETCHER_DISPATCH_H
#define PULLGATE_FETCHER_DISPATCH_H

#include "fetcher/fetcher.h"

/* Takes START, material and settings from the supervisor and makes all that the sandbox will not
 * let it make. Fatal on anything that doesn't fit. */
void fetcher_open(struct fetcher *fetcher);

/* The directory that the origin's files are in, and that becomes the root; NULL for none. */
const char *fetcher_directory(const struct fetcher *fetcher);

/* Once the sandbox is closed: takes up the cache that survived, where one is configured. */
void fetcher_read_cache(struct fetcher *fetcher);

/* One turn: waits for something to happen, and does all that is to be done then. */
void fetcher_turn(struct fetcher *fetcher);

#endif
