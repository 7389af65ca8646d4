/* SPDX-License-Identifier: ISC */
/*
 * The origins that connections may be made to, in the order that the fetcher knows them by as well. A
 * new set comes one by one and is taken into use as a whole, by the settings that follow it.
 */
#ifndef PULLGATE_CONNECTOR_ORIGINS_H
#define PULLGATE_CONNECTOR_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connector/addresses.h"

struct origin {
	struct message_connector_origin named;
	struct addresses addresses;
};

struct origins {
	struct origin items[ORIGINS_MAX], coming[ORIGINS_MAX];
	size_t count, coming_count;
	size_t most;   /* that there were at once, since the start */
	bool is_wrong; /* what is coming */
};

enum origins_taken {
	ORIGINS_SAME,    /* nothing has changed */
	ORIGINS_CHANGED, /* other origins, or in another order */
	ORIGINS_REFUSED, /* none, too many, or one that addresses_set() refuses: the old ones stay */
};

/* Keeps one for the settings that follow. */
void origins_add(struct origins *origins, const struct message_connector_origin *named);

/* Whether what is coming needs other files in the root than what is in use: another Unix socket, or
 * the resolver's. */
bool origins_need_another_root(const struct origins *origins);

/* Takes what came into use. */
enum origins_taken origins_take(struct origins *origins);

/* The origin of a CONNECT, or NULL for one that a reload took away. */
struct origin *origins_find(struct origins *origins, uint64_t index);

/* Whether the fetcher can ever have been told of such an origin. */
bool origins_had(const struct origins *origins, uint64_t index);

/* Whether any is reached by an address or a name. */
bool origins_have_host(const struct origins *origins);

#endif
