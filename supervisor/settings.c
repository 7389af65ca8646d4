/* SPDX-License-Identifier: ISC */
/* What each child is told of the configuration. */
#include "supervisor/settings.h"

#include <errno.h>
#include <string.h>

static bool reads_files(const struct config *config)
{
	return config_directory(config)[0] != '\0';
}

/* To look at a file costs next to nothing, and what is written there is to count by file_ttl. */
static uint32_t min_revalidate_ms(const struct config *config)
{
	return reads_files(config) && config->file_ttl_ms < config->min_revalidate_ms
		       ? config->file_ttl_ms
		       : config->min_revalidate_ms;
}

static int send_capture(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_CAPTURE_SETTINGS};
	struct message_capture_settings *settings = &message.capture_settings;

	settings->verbose = verbose;
	settings->per_source_rate = config->per_source_rate;
	settings->per_source_burst = config->per_source_burst;
	settings->max_peers = config->max_peers;
	return channel_send(control, &message);
}

static int send_fetcher_origins(struct channel *control, const struct config *config)
{
	struct message message = {.type = MESSAGE_TYPE_FETCHER_ORIGIN};
	struct message_fetcher_origin *origin = &message.fetcher_origin;
	int error = 0;

	for (uint32_t i = 0; i < config->origin_count && error == 0; i++) {
		memcpy(origin->url, config->origins[i].url, sizeof(origin->url));
		memcpy(origin->unix_path, config->origins[i].unix_path, sizeof(origin->unix_path));
		error = channel_send(control, &message);
	}
	return error;
}

static int send_fetcher(struct channel *control, const struct config *config,
	const struct material *material, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_FETCHER_SETTINGS};
	struct message_fetcher_settings *settings = &message.fetcher_settings;
	int error = material_send(control, material);

	if (error == 0)
		error = send_fetcher_origins(control, config);
	if (error != 0)
		return error;
	settings->verbose = verbose;
	memcpy(settings->directory, config_directory(config), sizeof(settings->directory));
	settings->timeout_ms = config->timeout_ms;
	settings->concurrency = config->concurrency;
	settings->breaker = config->breaker;
	settings->requests_per_second = config->requests_per_second;
	settings->fresh_ttl_ms = reads_files(config) ? config->file_ttl_ms : config->fresh_ttl_ms;
	settings->negative_ttl_ms = config->negative_ttl_ms;
	settings->stale_if_error_ms = config->stale_if_error_ms;
	settings->stale_after_ms = config->stale_after_ms;
	settings->persist_psk = config->persist_psk;
	settings->max_peers = config->max_peers;
	settings->max_allowed_ips = config->max_allowed_ips;
	memcpy(settings->pinned_public_keys, config->pinned_public_keys,
		sizeof(settings->pinned_public_keys));
	return channel_send(control, &message);
}

static int send_connector_origins(struct channel *control, const struct config *config)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTOR_ORIGIN};
	struct message_connector_origin *origin = &message.connector_origin;
	int error = 0;

	for (uint32_t i = 0; i < config->origin_count && error == 0; i++) {
		memcpy(origin->host, config->origins[i].host, sizeof(origin->host));
		origin->port = config->origins[i].port;
		memcpy(origin->unix_path, config->origins[i].unix_path, sizeof(origin->unix_path));
		error = channel_send(control, &message);
	}
	return error;
}

static int send_connector(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTOR_SETTINGS};
	struct message_connector_settings *settings = &message.connector_settings;
	int error = send_connector_origins(control, config);

	if (error != 0)
		return error;
	settings->verbose = verbose;
	settings->timeout_ms = config->timeout_ms;
	return channel_send(control, &message);
}

static int send_installer(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_INSTALLER_SETTINGS};
	struct message_installer_settings *settings = &message.installer_settings;

	settings->verbose = verbose;
	memcpy(settings->interface, config->interface, sizeof(settings->interface));
	settings->connect = (uint64_t)config->connect;
	settings->allowed.count = config->allowed.count;
	memcpy(settings->allowed.item, config->allowed.item, sizeof(settings->allowed.item));
	settings->allow_default_route = config->allow_default_route;
	settings->max_allowed_ips = config->max_allowed_ips;
	settings->max_peers = config->max_peers;
	settings->idle_after_ms = config->idle_after_ms;
	settings->unconfirmed_after_ms = config->unconfirmed_after_ms;
	settings->min_revalidate_ms = min_revalidate_ms(config);
	settings->on_stale = (uint64_t)config->on_stale;
	settings->removal_guard_percent = config->removal_guard_percent;
	settings->requests_per_second = config->requests_per_second;
	return channel_send(control, &message);
}

int settings_send(struct channel *control, enum role role, const struct config *config,
	const struct material *material, bool verbose)
{
	switch (role) {
	case ROLE_CAPTURE:
		return send_capture(control, config, verbose);
	case ROLE_FETCHER:
		return send_fetcher(control, config, material, verbose);
	case ROLE_CONNECTOR:
		return send_connector(control, config, verbose);
	case ROLE_INSTALLER:
		return send_installer(control, config, verbose);
	default:
		return -EINVAL;
	}
}
