/* SPDX-License-Identifier: ISC */
/* The supervisor's settings and material, taken into use. */
#include "fetcher/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static bool material_differs(
	const struct material_set *a, const struct material_set *b, enum material_kind kind)
{
	const struct material *first = &a->items[kind], *second = &b->items[kind];

	return first->length != second->length ||
	       memcmp(first->bytes, second->bytes, first->length) != 0;
}

/* Whether it is others that are asked, or that are taken for the origins: what they said counts no
 * more. The timeout, and who the gateway is to them, change nothing of that. */
static bool sources_differ(
	const struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	const struct material_set *material = fetcher->material;

	return !origins_are(&fetcher->origins, fetcher->coming, fetcher->coming_count) ||
	       strcmp(fetcher->settings.directory, settings->directory) != 0 ||
	       strcmp(fetcher->settings.pinned_public_keys, settings->pinned_public_keys) != 0 ||
	       material_differs(&material[0], &material[1], MATERIAL_CA);
}

/* Whether requests are made otherwise than before. */
static bool requests_differ(
	const struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		if (material_differs(
			    &fetcher->material[0], &fetcher->material[1], (enum material_kind)i))
			return true;
	}
	return fetcher->settings.timeout_ms != settings->timeout_ms ||
	       sources_differ(fetcher, settings);
}

/* Everything under way goes back into the queue, for other origins or other credentials. */
static void break_off(struct fetcher *fetcher)
{
	struct lookup *lookup;

	while ((lookup = http_client_cancel(fetcher->http)) != NULL)
		lookup_table_requeue(fetcher->lookups, lookup);
	/* What failed a lookup may be another origin now. */
	for (lookup = NULL; (lookup = lookup_table_walk(fetcher->lookups, lookup)) != NULL;)
		lookup->tried = 0;
}

static bool needs_ca(const struct fetcher *fetcher)
{
	for (size_t i = 0; i < fetcher->coming_count; i++) {
		if (fetcher->coming[i].template.https)
			return true;
	}
	return false;
}

/* The root is the directory of the one origin that is a file, or empty. */
static bool fits_root(const struct fetcher *fetcher, const char *directory)
{
	size_t files = 0;

	for (size_t i = 0; i < fetcher->coming_count; i++)
		files += fetcher->coming[i].template.is_file;
	if (directory[0] == '\0')
		return files == 0;
	return files == 1 && fetcher->coming_count == 1;
}

/* 0, or -EINVAL with *what and *why. */
static int check_settings(struct fetcher *fetcher, const struct message_fetcher_settings *settings,
	const char **what, const char **why)
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
	*why = fetcher->coming_error;
	if (*why == NULL && fetcher->coming_count == 0)
		*why = "none";
	if (*why != NULL)
		return -EINVAL;
	*what = "directory";
	*why = "a file: URL needs one, alone, and no other URL does";
	if (!fits_root(fetcher, settings->directory))
		return -EINVAL;
	*what = "ca_file";
	*why = "needed for https";
	return needs_ca(fetcher) && fresh->items[MATERIAL_CA].length == 0 ? -EINVAL : 0;
}

/* What is there of each is bounded by the message that brought it. */
void settings_name_owner(const struct fetcher *fetcher, char owner[static CACHE_STORE_OWNER_BYTES])
{
	const struct origins *origins = &fetcher->origins;
	int used = snprintf(owner, CACHE_STORE_OWNER_BYTES, "%.32s %s", fetcher->interface,
		fetcher->settings.directory);

	for (size_t i = 0; i < origins->count && used < CACHE_STORE_OWNER_BYTES; i++)
		used += snprintf(owner + used, CACHE_STORE_OWNER_BYTES - (size_t)used, " %s%s",
			origins->items[i].url.unix_path, origins->items[i].url.template.text);
}

/* Nothing that former origins said counts any more. */
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

static void adopt_origins(struct fetcher *fetcher)
{
	struct http_options options = {.timeout_ms = fetcher->settings.timeout_ms,
		.pinned_public_keys = fetcher->settings.pinned_public_keys};

	break_off(fetcher);
	material_clear(&fetcher->material[fetcher->in_use]);
	fetcher->in_use = !fetcher->in_use;
	options.material = &fetcher->material[fetcher->in_use];
	if (http_client_configure(fetcher->http, &options) != 0 ||
		origins_reset(&fetcher->origins, fetcher->coming, fetcher->coming_count) != 0)
		log_fatal("out_of_memory", "");
}

static void adopt(struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	struct material_set *fresh = &fetcher->material[!fetcher->in_use];
	bool sources_change = sources_differ(fetcher, settings);
	bool requests_change = requests_differ(fetcher, settings);

	if (fetcher->settings.requests_per_second != settings->requests_per_second)
		origins_limit_requests(
			&fetcher->origins, settings->requests_per_second, clock_ms());
	fetcher->settings = *settings;
	if (fetcher->settings.concurrency == 0)
		fetcher->settings.concurrency = 1;
	origins_limit_breakers(&fetcher->origins, (uint32_t)settings->breaker);
	fetcher->origins.concurrency = fetcher->settings.concurrency;
	log_set_verbose(settings->verbose);
	if (fetcher->store != NULL)
		cache_store_keep_preshared_keys(fetcher->store, settings->persist_psk != 0);
	if (requests_change)
		adopt_origins(fetcher);
	else
		material_clear(fresh);
	if (sources_change)
		clear_caches(fetcher);
}

int settings_apply(struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	const char *what, *why;
	int error = check_settings(fetcher, settings, &what, &why);

	if (error == 0) {
		adopt(fetcher, settings);
	} else {
		log_event(LOG_LEVEL_ERROR, "settings_refused", "what=%s reason=\"%s\"", what, why);
		material_clear(&fetcher->material[!fetcher->in_use]);
		fetcher->material_error = 0;
	}
	fetcher->coming_count = 0;
	fetcher->coming_error = NULL;
	return error;
}

void settings_take_origin(struct fetcher *fetcher, const struct message_fetcher_origin *origin)
{
	struct origin_url *url = &fetcher->coming[fetcher->coming_count];
	const char *reason = "more than there may be";

	if (fetcher->coming_count == ORIGINS_MAX ||
		url_template_read(&url->template, origin->url, &reason) != 0) {
		fetcher->coming_error = reason;
		return;
	}
	memcpy(url->unix_path, origin->unix_path, sizeof(url->unix_path));
	fetcher->coming_count++;
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
		if (message.type == MESSAGE_TYPE_FETCHER_ORIGIN && fd < 0) {
			settings_take_origin(fetcher, &message.fetcher_origin);
			continue;
		}
		if (message.type != MESSAGE_TYPE_MATERIAL || fd < 0)
			log_fatal("start_failed", "reason=\"expected settings, got %s\"",
				message_name(message.type));
		settings_take_material(fetcher, (enum material_kind)message.material.kind, fd);
		close(fd);
	}
	if (settings_apply(fetcher, &message.fetcher_settings) != 0)
		log_fatal("start_failed", "reason=\"the settings can't be used\"");
}
