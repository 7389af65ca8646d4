/* SPDX-License-Identifier: ISC */
/* The origins that connections may be made to. */
#include "connector/origins.h"

#include <string.h>

static bool is_same(const struct origin *a, const struct origin *b)
{
	return strcmp(a->named.host, b->named.host) == 0 && a->named.port == b->named.port &&
	       strcmp(a->named.unix_path, b->named.unix_path) == 0;
}

void origins_add(struct origins *origins, const struct message_connector_origin *named)
{
	struct origin *added = &origins->coming[origins->coming_count];

	if (origins->coming_count == ORIGINS_MAX || addresses_set(&added->addresses, named) != 0) {
		origins->is_wrong = true;
		return;
	}
	added->named = *named;
	origins->coming_count++;
}

static bool has_host(const struct origin *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].named.host[0] != '\0')
			return true;
	}
	return false;
}

bool origins_have_host(const struct origins *origins)
{
	return has_host(origins->items, origins->count);
}

static bool has_socket(const struct origins *origins, const char *path)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (strcmp(origins->items[i].named.unix_path, path) == 0)
			return true;
	}
	return false;
}

bool origins_need_another_root(const struct origins *origins)
{
	for (size_t i = 0; i < origins->coming_count; i++) {
		const char *path = origins->coming[i].named.unix_path;

		if (path[0] != '\0' && !has_socket(origins, path))
			return true;
	}
	return has_host(origins->coming, origins->coming_count) && !origins_have_host(origins);
}

static bool is_same_set(const struct origins *origins)
{
	if (origins->count != origins->coming_count)
		return false;
	for (size_t i = 0; i < origins->count; i++) {
		if (!is_same(&origins->items[i], &origins->coming[i]))
			return false;
	}
	return true;
}

enum origins_taken origins_take(struct origins *origins)
{
	enum origins_taken taken = ORIGINS_CHANGED;

	if (origins->is_wrong || origins->coming_count == 0)
		taken = ORIGINS_REFUSED;
	else if (is_same_set(origins))
		taken = ORIGINS_SAME; /* with what is known of their addresses */
	if (taken == ORIGINS_CHANGED) {
		memcpy(origins->items, origins->coming, sizeof(origins->items));
		origins->count = origins->coming_count;
	}
	if (origins->most < origins->count)
		origins->most = origins->count;
	origins->coming_count = 0;
	origins->is_wrong = false;
	return taken;
}

struct origin *origins_find(struct origins *origins, uint64_t index)
{
	return index < origins->count ? &origins->items[index] : NULL;
}

bool origins_had(const struct origins *origins, uint64_t index)
{
	return index < origins->most;
}
