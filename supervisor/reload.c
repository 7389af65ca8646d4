/* SPDX-License-Identifier: ISC */
/* SIGHUP: the configuration read again, and applied as far as it can change. */
#include "supervisor/reload.h"

#include <string.h>

#include "common/log.h"
#include "supervisor/settings.h"

static void keep(const char *key)
{
	log_event(LOG_LEVEL_WARNING, "reload_needs_restart", "key=%s", key);
}

/* Puts the values that can't change back to what runs. */
static void keep_fixed(struct config *fresh, const struct config *running)
{
	if (strcmp(fresh->interface, running->interface) != 0)
		keep("gateway.interface");
	memcpy(fresh->interface, running->interface, sizeof(fresh->interface));
	if (fresh->max_peers != running->max_peers)
		keep("eviction.max_peers");
	fresh->max_peers = running->max_peers;
	if (strcmp(fresh->cache_directory, running->cache_directory) != 0)
		keep("cache.directory");
	memcpy(fresh->cache_directory, running->cache_directory, sizeof(fresh->cache_directory));
}

static void send_settings(
	struct supervisor *supervisor, struct child *child, const struct material *material)
{
	if (!child_running(child))
		return; /* its next start brings them */
	if (settings_send(&child->control, child->role, &supervisor->config, material,
		    supervisor->verbose) != 0)
		child_kill(
			child); /* a queue of control messages is never full of an honest child */
}

static void send_all(struct supervisor *supervisor, const struct material *material)
{
	/* First: the fetcher asks it for sockets to the new origin as soon as it knows of it. */
	send_settings(supervisor, &supervisor->children[ROLE_CONNECTOR], material);
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->role != ROLE_CONNECTOR)
			send_settings(supervisor, child, material);
	}
}

static void reload(struct supervisor *supervisor)
{
	struct config config;
	struct material material;
	char error[CONFIG_ERROR_BYTES], quoted[LOG_QUOTED_BYTES];

	if (config_load(&config, supervisor->config_path, error) != 0 ||
		origin_directory_check(&config, error) != 0 ||
		material_load(&material, &config, error) != 0) {
		log_event(LOG_LEVEL_ERROR, "reload_failed", "reason=%s effect=\"nothing changed\"",
			log_quote(quoted, error));
		return;
	}
	keep_fixed(&config, &supervisor->config);
	supervisor->config = config;
	send_all(supervisor, &material);
	material_close(&material);
	log_event(LOG_LEVEL_NOTICE, "reloaded", "");
}

void supervisor_reload(struct supervisor *supervisor)
{
	notify_reloading(&supervisor->notify);
	reload(supervisor);
	notify_ready(&supervisor->notify, supervisor->status.text);
}
