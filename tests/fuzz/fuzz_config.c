/* SPDX-License-Identifier: ISC */
/*
 * The configuration file. What is accepted lies within docs/configuration.md's ranges, and written
 * again from what was read is accepted as the same; what is refused has a reason that can be shown.
 */
#include "supervisor/config.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define DAY_MS 86400000U

static int load(struct config *config, const char *bytes, size_t length, char *error)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fuzz_file(bytes, length));
	return config_load(config, path, error);
}

static void check_range(uint32_t value, uint32_t low, uint32_t high)
{
	FUZZ_CHECK(value >= low && value <= high);
}

static void check_path(const char path[static CONFIG_PATH_BYTES])
{
	FUZZ_CHECK(memchr(path, '\0', CONFIG_PATH_BYTES) != NULL);
	FUZZ_CHECK(path[0] == '\0' || path[0] == '/');
}

/* As the kernel's dev_valid_name() (net/core/dev.c). */
static void check_interface(const char name[static CONFIG_INTERFACE_BYTES])
{
	FUZZ_CHECK(memchr(name, '\0', CONFIG_INTERFACE_BYTES) != NULL && name[0] != '\0');
	FUZZ_CHECK(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	FUZZ_CHECK(strpbrk(name, "/: \t\n\v\f\r") == NULL);
}

static void check_config(const struct config *config)
{
	check_interface(config->interface);
	FUZZ_CHECK((unsigned)config->connect <= CONNECT_RETRY);
	check_path(config->ca_file);
	check_path(config->client_cert_file);
	check_path(config->client_key_file);
	check_path(config->bearer_token_file);
	FUZZ_CHECK((config->client_cert_file[0] == '\0') == (config->client_key_file[0] == '\0'));
	check_range(config->timeout_ms, 50, 60000);
	check_range(config->concurrency, 1, 1024);
	check_range(config->requests_per_second, 1, 1000000);
	check_range(config->fresh_ttl_ms, 1000, 30 * DAY_MS);
	check_range(config->negative_ttl_ms, 100, DAY_MS);
	check_range(config->stale_if_error_ms, 0, 30 * DAY_MS);
	check_range(config->stale_after_ms, 1, 60000);
	check_range(config->min_revalidate_ms, 1000, DAY_MS);
	check_range(config->removal_guard_percent, 0, 100);
	check_range(config->allowed.count, 1, CONFIG_PREFIXES_MAX);
	for (uint32_t i = 0; i < config->allowed.count; i++)
		FUZZ_CHECK(fuzz_is_prefix(&config->allowed.item[i]));
	check_range(config->max_allowed_ips, 1, 64);
	FUZZ_CHECK(config->idle_after_ms == 0 || config->idle_after_ms >= 1000);
	check_range(config->idle_after_ms, 0, 30 * DAY_MS);
	check_range(config->unconfirmed_after_ms, 1000, DAY_MS);
	check_range(config->max_peers, 1, 1048576);
	check_range(config->per_source_rate, 1, 1000000);
	check_range(config->per_source_burst, 1, 1000000);
	check_range(config->origin_count, 1, ORIGINS_MAX);
	for (uint32_t i = 0; i < config->origin_count; i++)
		FUZZ_CHECK(config->origins[i].tls || config->insecure_http ||
			   config_origin_local(&config->origins[i]));
}

struct text {
	char bytes[16384];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->used += (size_t)vsnprintf(
		text->bytes + text->used, sizeof(text->bytes) - text->used, format, arguments);
	va_end(arguments);
	FUZZ_CHECK(text->used < sizeof(text->bytes));
}

static void put_url(struct text *text, const struct config_origin *origin)
{
	if (origin->unix_path[0] != '\0')
		put(text, "url = unix:%s:%s\n", origin->unix_path,
			origin->url + strlen("http://localhost"));
	else if (origin->directory[0] != '\0')
		put(text, "url = file://%s%s\n", origin->directory,
			origin->url + strlen("file://"));
	else
		put(text, "url = %s\n", origin->url);
}

/* Each on a line of its own; they have one length. */
static void put_pins(struct text *text, const char *pins)
{
	for (; *pins != '\0'; pins += pins[52] == ';' ? 53 : 52)
		put(text, "pinned_public_key = %.52s\n", pins);
}

static void put_origins(struct text *text, const struct config *config)
{
	put(text, "[origin]\n");
	for (uint32_t i = 0; i < config->origin_count; i++)
		put_url(text, &config->origins[i]);
	put(text, "insecure_http = %s\nca_file = %s\nclient_cert_file = %s\n",
		config->insecure_http ? "yes" : "no", config->ca_file, config->client_cert_file);
	put(text, "client_key_file = %s\nbearer_token_file = %s\n", config->client_key_file,
		config->bearer_token_file);
	put_pins(text, config->pinned_public_keys);
	put(text, "timeout = %ums\nconcurrency = %u\nrequests = %u/s\n", config->timeout_ms,
		config->concurrency, config->requests_per_second);
	put(text, "[cache]\nfresh_ttl = %ums\nnegative_ttl = %ums\nstale_if_error = %ums\n",
		config->fresh_ttl_ms, config->negative_ttl_ms, config->stale_if_error_ms);
	put(text, "file_ttl = %ums\n", config->file_ttl_ms);
	put(text, "stale_after = %ums\nmin_revalidate = %ums\non_stale = %s\n",
		config->stale_after_ms, config->min_revalidate_ms,
		config->on_stale == ON_STALE_KEEP ? "keep" : "remove");
	put(text, "directory = %s\npersist_psk = %s\n", config->cache_directory,
		config->persist_psk ? "yes" : "no");
}

/* The configuration as a file that says the same. */
static void put_config(struct text *text, const struct config *config)
{
	static const char *const connect[] = {"replay", "initiate", "retry"};
	char prefix[PREFIX_TEXT_BYTES];

	text->used = 0;
	put(text, "[gateway]\ninterface = %s\nconnect = %s\n", config->interface,
		connect[config->connect]);
	put_origins(text, config);
	put(text, "[policy]\nmax_allowed_ips = %u\ndefault_route = %s\n", config->max_allowed_ips,
		config->allow_default_route ? "yes" : "no");
	for (uint32_t i = 0; i < config->allowed.count; i++)
		put(text, "allowed_ips = %s\n", prefix_format(prefix, &config->allowed.item[i]));
	put(text, "[eviction]\nunconfirmed_after = %ums\nmax_peers = %u\nremoval_guard = %u%%\n",
		config->unconfirmed_after_ms, config->max_peers, config->removal_guard_percent);
	if (config->idle_after_ms == 0)
		put(text, "idle_after = off\n");
	else
		put(text, "idle_after = %ums\n", config->idle_after_ms);
	put(text, "[limits]\nper_source = %u/s burst %u\n", config->per_source_rate,
		config->per_source_burst);
}

/* Whether inih takes this text as it stands: it cuts at " ;" and trims blanks. */
static bool stands_in_a_line(const char *text)
{
	return strpbrk(text, " \t\n\v\f\r;") == NULL && strlen(text) < 150;
}

static bool can_be_written(const struct config *config)
{
	for (uint32_t i = 0; i < config->origin_count; i++) {
		if (!stands_in_a_line(config->origins[i].url) ||
			!stands_in_a_line(config->origins[i].unix_path) ||
			!stands_in_a_line(config->origins[i].directory) ||
			strlen(config->origins[i].directory) + strlen(config->origins[i].url) >=
				150)
			return false;
	}
	return stands_in_a_line(config->interface) && stands_in_a_line(config->ca_file) &&
	       stands_in_a_line(config->client_cert_file) &&
	       stands_in_a_line(config->client_key_file) &&
	       stands_in_a_line(config->bearer_token_file);
}

static void check_same_origin(const struct config_origin *a, const struct config_origin *b)
{
	FUZZ_CHECK(strcmp(a->url, b->url) == 0 && a->tls == b->tls);
	FUZZ_CHECK(strcmp(a->host, b->host) == 0 && a->port == b->port);
	FUZZ_CHECK(strcmp(a->unix_path, b->unix_path) == 0);
	FUZZ_CHECK(strcmp(a->directory, b->directory) == 0);
}

/* Field by field: what lies behind the ends of texts may differ. */
static void check_same(const struct config *a, const struct config *b)
{
	FUZZ_CHECK(strcmp(a->interface, b->interface) == 0 && a->connect == b->connect);
	FUZZ_CHECK(a->origin_count == b->origin_count);
	FUZZ_CHECK(strcmp(a->pinned_public_keys, b->pinned_public_keys) == 0);
	for (uint32_t i = 0; i < a->origin_count; i++)
		check_same_origin(&a->origins[i], &b->origins[i]);
	FUZZ_CHECK(strcmp(a->ca_file, b->ca_file) == 0);
	FUZZ_CHECK(strcmp(a->client_cert_file, b->client_cert_file) == 0);
	FUZZ_CHECK(strcmp(a->client_key_file, b->client_key_file) == 0);
	FUZZ_CHECK(strcmp(a->bearer_token_file, b->bearer_token_file) == 0);
	FUZZ_CHECK(a->insecure_http == b->insecure_http && a->timeout_ms == b->timeout_ms);
	FUZZ_CHECK(a->concurrency == b->concurrency);
	FUZZ_CHECK(a->requests_per_second == b->requests_per_second);
	FUZZ_CHECK(a->fresh_ttl_ms == b->fresh_ttl_ms && a->negative_ttl_ms == b->negative_ttl_ms);
	FUZZ_CHECK(a->stale_if_error_ms == b->stale_if_error_ms);
	FUZZ_CHECK(a->file_ttl_ms == b->file_ttl_ms);
	FUZZ_CHECK(a->stale_after_ms == b->stale_after_ms);
	FUZZ_CHECK(a->min_revalidate_ms == b->min_revalidate_ms && a->on_stale == b->on_stale);
	FUZZ_CHECK(strcmp(a->cache_directory, b->cache_directory) == 0);
	FUZZ_CHECK(a->persist_psk == b->persist_psk);
	FUZZ_CHECK(a->removal_guard_percent == b->removal_guard_percent);
	FUZZ_CHECK(a->allowed.count == b->allowed.count);
	FUZZ_CHECK(memcmp(a->allowed.item, b->allowed.item,
			   a->allowed.count * sizeof(a->allowed.item[0])) == 0);
	FUZZ_CHECK(a->allow_default_route == b->allow_default_route);
	FUZZ_CHECK(a->max_allowed_ips == b->max_allowed_ips && a->max_peers == b->max_peers);
	FUZZ_CHECK(a->idle_after_ms == b->idle_after_ms);
	FUZZ_CHECK(a->unconfirmed_after_ms == b->unconfirmed_after_ms);
	FUZZ_CHECK(a->per_source_rate == b->per_source_rate);
	FUZZ_CHECK(a->per_source_burst == b->per_source_burst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config, again;
	static struct text text;
	char reason[CONFIG_ERROR_BYTES];
	int error;

	memset(reason, 0xa5, sizeof(reason));
	error = load(&config, (const char *)data, size, reason);
	if (error != 0) {
		FUZZ_CHECK(error == -EINVAL && memchr(reason, '\0', sizeof(reason)) != NULL);
		FUZZ_CHECK(strncmp(reason, "/proc/self/fd/", 14) == 0);
		FUZZ_CHECK(fuzz_is_printable(reason));
		return 0;
	}
	check_config(&config);
	if (!can_be_written(&config))
		return 0;
	put_config(&text, &config);
	FUZZ_CHECK(load(&again, text.bytes, text.used, reason) == 0);
	check_same(&config, &again);
	return 0;
}
