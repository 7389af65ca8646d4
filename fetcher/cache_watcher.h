/* SPDX-License-Identifier: ISC */
/* Who is told of changes of a cache, by key. */
#ifndef PULLGATE_FETCHER_CACHE_WATCHER_H
#define PULLGATE_FETCHER_CACHE_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * changed is called after an entry was made or changed, and before it goes (is_gone), for want of
 * room too; it must leave the cache alone. NULL: nobody is told.
 */
struct cache_watcher {
	void (*changed)(void *context, const uint8_t *key, bool is_gone);
	void *context;
};

static inline void cache_watcher_tell(
	const struct cache_watcher *watcher, const uint8_t *key, bool is_gone)
{
	if (watcher->changed != NULL)
		watcher->changed(watcher->context, key, is_gone);
}

#endif
