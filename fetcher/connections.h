/* SPDX-License-Identifier: ISC */
/* Sockets, asked of the connector and taken from it. */
#ifndef PULLGATE_FETCHER_CONNECTIONS_H
#define PULLGATE_FETCHER_CONNECTIONS_H

#include "fetcher/fetcher.h"

/* Asks for as many as the lookups and the spares need. */
void connections_ask(struct fetcher *fetcher, int64_t now_ms);

/* Whether lookups wait for a connection to this origin: it is the next to be asked, or any may be. */
bool connections_are_waited_for(
	struct fetcher *fetcher, const struct origin *origin, int64_t now_ms);

/* A new connector knows nothing of what the last one was asked. */
void connections_ask_again(struct fetcher *fetcher);

/* Takes what the connector sent: sockets, and why there is none. */
void connections_take(struct fetcher *fetcher, int64_t now_ms);

/* Gives up sockets that didn't come in time. */
void connections_expire(struct fetcher *fetcher, int64_t now_ms);

#endif
