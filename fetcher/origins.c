/* SPDX-License-Identifier: ISC */
/* The origins, and which of them a request goes to. */
#include "fetcher/origins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int origins_open(struct origins *origins, struct http_client *client)
{
	for (unsigned i = 0; i < ORIGINS_MAX; i++) {
		struct origin *origin = &origins->items[i];

		origin->place = i;
		socket_pool_init(&origin->sockets);
		origin->route = http_client_add_route(client, &origin->sockets);
		if (origin->route == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void set_url(struct origin *origin, const struct origin_url *url)
{
	const char *text = url->template.text, *host = strstr(text, "://") + 3;

	origin->url = *url;
	if (url->unix_path[0] != '\0')
		snprintf(origin->name, sizeof(origin->name), "unix:%s:%s", url->unix_path,
			host + strcspn(host, "/"));
	else
		snprintf(origin->name, sizeof(origin->name), "%s", text);
}

bool origins_are(const struct origins *origins, const struct origin_url *urls, size_t count)
{
	if (origins->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct origin_url *url = &origins->items[i].url;

		if (strcmp(url->template.text, urls[i].template.text) != 0 ||
			strcmp(url->unix_path, urls[i].unix_path) != 0)
			return false;
	}
	return true;
}

int origins_reset(struct origins *origins, const struct origin_url *urls, size_t count)
{
	for (size_t i = 0; i < ORIGINS_MAX; i++) {
		struct origin *origin = &origins->items[i];

		if (i < count)
			set_url(origin, &urls[i]);
		breaker_init(&origin->breaker, origin->breaker.limit);
		socket_pool_reset(&origin->sockets, origin->url.template.https);
		origin->held_until_ms = 0;
		origin->active = 0;
		if (http_route_configure(origin->route, origin->url.template.https) != 0)
			return -ENOMEM;
	}
	origins->count = count;
	origins->used = 0;
	return 0;
}

/* The burst and what fills up behind it make up one second's worth together: whichever second the
 * origin looks at, no more than the rate comes in it. */
void origins_limit_requests(struct origins *origins, uint64_t per_second, int64_t now_ms)
{
	uint64_t burst = per_second / 20;

	for (size_t i = 0; i < ORIGINS_MAX; i++)
		token_bucket_init(&origins->items[i].bucket, per_second - burst, burst, now_ms);
}

void origins_limit_breakers(struct origins *origins, uint32_t failures)
{
	for (size_t i = 0; i < ORIGINS_MAX; i++)
		origins->items[i].breaker.limit = failures;
}

bool origin_can_start(const struct origin *origin, uint64_t concurrency)
{
	return origin->active < concurrency &&
	       (origin->url.template.is_file ||
		       socket_pool_can_start(&origin->sockets, origin->active));
}

bool origin_is_ready(struct origin *origin, uint64_t concurrency, int64_t now_ms)
{
	return origin_can_start(origin, concurrency) &&
	       token_bucket_wait_ms(&origin->bucket, now_ms) == 0;
}

/* Connecting fails, and nothing is there or under way that could make room. */
static bool is_stranded(const struct origin *origin)
{
	return origin->active == 0 && origin->sockets.backoff_ms != 0 &&
	       !socket_pool_can_start(&origin->sockets, 0);
}

static bool may_be_asked(const struct origin *origin, int64_t now_ms)
{
	return breaker_allows(&origin->breaker, now_ms) && now_ms >= origin->held_until_ms &&
	       !is_stranded(origin);
}

struct origin *origins_first(struct origins *origins, unsigned except, int64_t now_ms)
{
	for (size_t i = 0; i < origins->count; i++) {
		if ((except & 1U << i) == 0 && may_be_asked(&origins->items[i], now_ms))
			return &origins->items[i];
	}
	return NULL;
}

struct origin *origins_choose(struct origins *origins, unsigned tried, int64_t now_ms)
{
	struct origin *first = origins_first(origins, 0, now_ms);
	struct origin *other = origins_first(origins, tried, now_ms);

	/* Not to be waited for: the next lookups, which it hasn't failed, would have to wait, too. */
	if (other != NULL && origin_is_ready(other, origins->concurrency, now_ms))
		return other;
	return first;
}

bool origins_refuse(const struct origins *origins, int64_t now_ms)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (!breaker_refuses(&origins->items[i].breaker, now_ms))
			return false;
	}
	return true;
}

bool origins_are_hopeless(const struct origins *origins, int64_t now_ms)
{
	for (size_t i = 0; i < origins->count; i++) {
		const struct origin *origin = &origins->items[i];

		if (!breaker_refuses(&origin->breaker, now_ms) && !is_stranded(origin))
			return false;
	}
	return true;
}

bool origins_hold(const struct origins *origins, int64_t until_ms)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (origins->items[i].held_until_ms < until_ms)
			return false;
	}
	return true;
}

size_t origins_active(const struct origins *origins)
{
	size_t active = 0;

	for (size_t i = 0; i < origins->count; i++)
		active += origins->items[i].active;
	return active;
}

bool origins_fell_back(struct origins *origins, const struct origin *origin, unsigned *from)
{
	*from = origins->used;
	if (origin->place <= origins->used)
		return false;
	origins->used = origin->place;
	return true;
}

bool origins_came_back(struct origins *origins, const struct origin *origin, unsigned *from)
{
	*from = origins->used;
	if (origin->place >= origins->used)
		return false;
	origins->used = origin->place;
	return true;
}
