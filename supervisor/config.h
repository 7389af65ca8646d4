/* SPDX-License-Identifier: ISC */
/* The configuration file of one gateway interface; docs/configuration.md lists every key. */
#ifndef PULLGATE_CONFIG_H
#define PULLGATE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/message.h"

#define CONFIG_URL_BYTES       1025
#define CONFIG_PATH_BYTES      256
#define CONFIG_PREFIXES_MAX    64
#define CONFIG_ERROR_BYTES     512
#define CONFIG_INTERFACE_BYTES 16 /* IFNAMSIZ */
#define CONFIG_PINS_BYTES      (PINS_MAX * 53)

/* What an origin's URL says, taken apart. */
struct config_origin {
	/* http, https, or file in the directory as if it were the root; with one of {key} {key_hex}
	 * {key_base64} */
	char url[CONFIG_URL_BYTES];
	bool tls;
	char host[256]; /* without brackets; empty when unix_path is set */
	uint16_t port;
	char unix_path[108];
	char directory
		[CONFIG_PATH_BYTES]; /* of a file: URL; then there is no host, nor unix_path */
};

struct config {
	char interface[CONFIG_INTERFACE_BYTES];
	enum connect_mode connect;

	struct config_origin origins[ORIGINS_MAX]; /* by preference */
	uint32_t origin_count;
	bool insecure_http;
	char ca_file[CONFIG_PATH_BYTES];
	char client_cert_file[CONFIG_PATH_BYTES]; /* empty: none; so the next two */
	char client_key_file[CONFIG_PATH_BYTES];
	char bearer_token_file[CONFIG_PATH_BYTES];
	char pinned_public_keys
		[CONFIG_PINS_BYTES]; /* "sha256//BASE64;sha256//BASE64"; empty: any */
	uint32_t timeout_ms;
	uint32_t concurrency;
	uint32_t breaker; /* failures in a row that open it; 0: off */
	uint32_t requests_per_second;

	uint32_t fresh_ttl_ms;
	uint32_t file_ttl_ms;
	uint32_t negative_ttl_ms;
	uint32_t stale_if_error_ms;
	uint32_t stale_after_ms;
	uint32_t min_revalidate_ms;
	enum on_stale on_stale;
	char cache_directory[CONFIG_PATH_BYTES]; /* empty: the cache is in memory alone */
	bool persist_psk;

	struct {
		uint32_t count;
		struct prefix item[CONFIG_PREFIXES_MAX];
	} allowed;
	bool allow_default_route;
	uint32_t max_allowed_ips;

	uint32_t idle_after_ms; /* 0: off */
	uint32_t unconfirmed_after_ms;
	uint32_t max_peers;
	uint32_t removal_guard_percent;

	uint32_t per_source_rate, per_source_burst;
};

/*
 * Reads the file into config, from defaults on. 0, or -EINVAL with error as "FILE:LINE: reason"
 * ("FILE: reason" where no line is at fault), -EIO when it can't be read. Every key may stand
 * once, but policy.allowed_ips, origin.url and origin.pinned_public_key add up; unknown sections and keys are errors.
 */
int config_load(struct config *config, const char *path, char error[static CONFIG_ERROR_BYTES]);

/*
 * Takes a URL apart: https://HOST[:PORT]/..., http://..., unix:/PATH[:/REQUEST/PATH], whose
 * request path is /peer/{key} unless given, or file:///DIRECTORY/NAME, where the placeholder is in
 * the name. 0, or -EINVAL with a reason.
 */
int config_parse_url(struct config_origin *origin, const char *url, const char **reason);

/* Whether the origin is reached without leaving this machine: a Unix socket, a loopback address or a
 * directory. */
bool config_origin_local(const struct config_origin *origin);

/* The directory that is the one origin, or "". */
const char *config_directory(const struct config *config);

/* Whether any origin is reached by https. */
bool config_has_tls(const struct config *config);

#endif
