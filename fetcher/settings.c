/* SPDX-License-Identifier: ISC */
/* The supervisor's settings and material, taken into use. */
#include "fetcher/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static bool settings_differ(
	const struct message_fetcher_settings *a, const struct message_fetcher_settings *b)
{
	return strcmp(a->url, b->url) != 0 || strcmp(a->directory, b->directory) != 0 ||
	       a->timeout_ms != b->timeout_ms;
}

static bool material_differs(const struct material_set *a, const struct material_set *b)
{
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		if (a->items[i].length != b->items[i].length ||
			memcmp(a->items[i].bytes, b->items[i].bytes, a->items[i].length) != 0)
			return true;
	}
	return false;
}

/* Everything under way goes back into the queue, for another origin or other credentials. */
static void break_off(struct fetcher *fetcher)
{
	struct lookup *lookup;

	while ((lookup = http_client_cancel(fetcher->http)) != NULL)
		lookup_table_requeue(fetcher->lookups, lookup);
}

/* 0, or -EINVAL with *what and *why. */
static int check_settings(struct fetcher *fetcher, const struct message_fetcher_settings *settings,
	struct url_template *url, const char **what, const char **why)
{
	struct material_set *fresh = &fetcher->material[!fetcher->in_use];

	*what = "material";
	*why = "could not be read";
	if (fetcher->material_error != 0)
		return -EINVAL;
	*what = "bearer_token_file";
	if (material_trim_token(fresh, why) != 0)
		return -EINVAL;
	*what = "url";
	if (url_template_read(url, settings->url, why) != 0)
		return -EINVAL;
	*what = "directory";
	*why = "a file: URL needs one, and no other URL does";
	if (url->is_file != (settings->directory[0] != '\0'))
		return -EINVAL;
	*what = "ca_file";
	*why = "needed for https";
	return url->https && fresh->items[MATERIAL_CA].length == 0 ? -EINVAL : 0;
}

void settings_name_owner(const struct fetcher *fetcher, char owner[static CACHE_STORE_OWNER_BYTES])
{
	snprintf(owner, CACHE_STORE_OWNER_BYTES, "%.32s %s%s", fetcher->interface,
		fetcher->settings.directory, fetcher->settings.url);
}

/* Nothing that the former origin said counts any more. */
static void clear_caches(struct fetcher *fetcher)
{
	char owner[CACHE_STORE_OWNER_BYTES];

	negative_cache_clear(fetcher->negatives);
	if (fetcher->peers != NULL)
		peer_cache_clear(fetcher->peers);
	settings_name_owner(fetcher, owner);
	if (fetcher->store != NULL)
		cache_store_forget(fetcher->store, owner);
}

static void adopt_origin(struct fetcher *fetcher, const struct url_template *url)
{
	fetcher->url = *url;
	break_off(fetcher);
	material_clear(&fetcher->material[fetcher->in_use]);
	fetcher->in_use = !fetcher->in_use;
	if (http_client_configure(fetcher->http, url, &fetcher->material[fetcher->in_use],
		    fetcher->settings.timeout_ms) != 0)
		log_fatal("out_of_memory", "");
	socket_pool_reset(&fetcher->sockets, url->https);
	clear_caches(fetcher);
	breaker_init(&fetcher->breaker, (uint32_t)fetcher->settings.breaker);
	fetcher->held_until_ms = 0;
}

/* The burst and what fills up behind it make up one second's worth together: whichever second the
 * origin looks at, no more than the rate comes in it. */
void settings_limit_requests(struct fetcher *fetcher, uint64_t per_second)
{
	uint64_t burst = per_second / 20;

	token_bucket_init(&fetcher->bucket, per_second - burst, burst, clock_ms());
}

int settings_apply(struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	struct material_set *fresh = &fetcher->material[!fetcher->in_use];
	const char *what, *why;
	struct url_template url;
	bool origin_changes;

	if (check_settings(fetcher, settings, &url, &what, &why) != 0) {
		log_event(LOG_LEVEL_ERROR, "settings_refused", "what=%s reason=\"%s\"", what, why);
		material_clear(fresh);
		fetcher->material_error = 0;
		return -EINVAL;
	}
	origin_changes = settings_differ(&fetcher->settings, settings) ||
			 material_differs(&fetcher->material[fetcher->in_use], fresh);
	if (fetcher->settings.requests_per_second != settings->requests_per_second)
		settings_limit_requests(fetcher, settings->requests_per_second);
	fetcher->settings = *settings;
	if (fetcher->settings.concurrency == 0)
		fetcher->settings.concurrency = 1;
	fetcher->breaker.limit = (uint32_t)settings->breaker;
	log_set_verbose(settings->verbose);
	if (fetcher->store != NULL)
		cache_store_keep_preshared_keys(fetcher->store, settings->persist_psk != 0);
	if (origin_changes)
		adopt_origin(fetcher, &url);
	else
		material_clear(fresh);
	return 0;
}

void settings_take_material(struct fetcher *fetcher, enum material_kind kind, int fd)
{
	int error = material_read(&fetcher->material[!fetcher->in_use], kind, fd);

	if (error == 0)
		return;
	log_event(LOG_LEVEL_ERROR, "material_unreadable", "what=%s error=\"%s\"",
		material_name(kind), strerror(-error));
	fetcher->material_error = error;
}

void settings_await(struct fetcher *fetcher)
{
	struct message message;
	int fd;

	for (;;) {
		process_await(&fetcher->process, &message, &fd);
		if (message.type == MESSAGE_TYPE_FETCHER_SETTINGS && fd < 0)
			break;
		if (message.type != MESSAGE_TYPE_MATERIAL || fd < 0)
			log_fatal("start_failed", "reason=\"expected settings, got %s\"",
				message_name(message.type));
		settings_take_material(fetcher, (enum material_kind)message.material.kind, fd);
		close(fd);
	}
	if (settings_apply(fetcher, &message.fetcher_settings) != 0)
		log_fatal("start_failed", "reason=\"the settings can't be used\"");
}
