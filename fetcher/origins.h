/* SPDX-License-Identifier: ISC */
/*
 * The origins, in the order of preference, and which of them a request goes to: the first that may be
 * asked. One may not while its breaker is open or its probe under way, while it wants no request
 * (Retry-After), and while there is no connection to it and none can be made. Everything that is
 * counted or limited is so for each origin by itself.
 *
 * That an origin is at its limits is no reason to ask another: its requests wait.
 */
#ifndef PULLGATE_FETCHER_ORIGINS_H
#define PULLGATE_FETCHER_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/message.h"
#include "common/token_bucket.h"
#include "fetcher/breaker.h"
#include "fetcher/http_client.h"
#include "fetcher/socket_pool.h"
#include "fetcher/url_template.h"

#define ORIGIN_UNIX_PATH_BYTES 108 /* unix(7), with the terminating zero */
#define ORIGIN_NAME_BYTES      (sizeof("unix::") + ORIGIN_UNIX_PATH_BYTES + URL_TEMPLATE_BYTES)

/* As the configuration has it. */
struct origin_url {
	struct url_template template;
	char unix_path[ORIGIN_UNIX_PATH_BYTES]; /* empty: none */
};

struct origin {
	unsigned place; /* among the origins, from 0; logs count from 1 */
	struct origin_url url;
	char name[ORIGIN_NAME_BYTES]; /* of the URL as the operator wrote it, for the log */
	struct breaker breaker;
	struct token_bucket bucket;
	struct socket_pool sockets;
	struct http_route *route;
	int64_t held_until_ms; /* by its Retry-After */
	size_t active;         /* requests under way */
};

struct origins {
	struct origin items[ORIGINS_MAX];
	size_t count;
	uint64_t concurrency; /* of each */
	unsigned used;        /* the place of the one that requests go to, as the log has it */
};

/* Makes the routes. 0 or -ENOMEM. */
int origins_open(struct origins *origins, struct http_client *client);

/* Other URLs: every origin begins anew. None of their requests may be under way. 0 or -ENOMEM. */
int origins_reset(struct origins *origins, const struct origin_url *urls, size_t count);

/* Whether they are these, in this order. */
bool origins_are(const struct origins *origins, const struct origin_url *urls, size_t count);

/* Fills every bucket of requests anew for that rate. */
void origins_limit_requests(struct origins *origins, uint64_t per_second, int64_t now_ms);

/* So many failures in a row open a breaker; 0: never. */
void origins_limit_breakers(struct origins *origins, uint32_t failures);

/* Whether one request more can be under way, its rate apart; whether it can go out now. */
bool origin_can_start(const struct origin *origin, uint64_t concurrency);
bool origin_is_ready(struct origin *origin, uint64_t concurrency, int64_t now_ms);

/* The first origin that may be asked and isn't among except (a bit each), or NULL. */
struct origin *origins_first(struct origins *origins, unsigned except, int64_t now_ms);

/*
 * The origin for a lookup that was tried at these: the first other one that is ready, else the first
 * of all that may be asked, or NULL.
 */
struct origin *origins_choose(struct origins *origins, unsigned tried, int64_t now_ms);

/* Whether every breaker is open: whoever asks is answered at once. */
bool origins_refuse(const struct origins *origins, int64_t now_ms);

/* The same, or there is no connection and none can be made: whoever waits does so for nothing. */
bool origins_are_hopeless(const struct origins *origins, int64_t now_ms);

/* Whether none wants a request before until_ms. */
bool origins_hold(const struct origins *origins, int64_t until_ms);

/* Requests under way. */
size_t origins_active(const struct origins *origins);

/*
 * What the log is told. Requests go to origin->place now: true when they went to one of a higher
 * preference before. It answered: true when they went to one of a lower preference. *from is the
 * place that they went to.
 */
bool origins_fell_back(struct origins *origins, const struct origin *origin, unsigned *from);
bool origins_came_back(struct origins *origins, const struct origin *origin, unsigned *from);

#endif
