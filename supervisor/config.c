/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: inih reads sections, names and values; one table says what each key is.
 *
 * inih's own handler isn't told the line (in Debian's build), and takes an indented line as the
 * continuation of the one before. Both are mended in read_line(), through which inih reads.
 */
#include "supervisor/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key_text.h"

#define PIN_PREFIX "sha256//"

struct parser {
	struct config *config;
	const char *path;
	FILE *file;
	int line;
	bool failed;
	char *error;
	int seen[32]; /* by place in the table: the line that the key stood on */
	int origin_lines[ORIGINS_MAX];
};

struct key;
typedef int (*value_reader)(struct parser *parser, const struct key *key, const char *value);

struct key {
	const char *section, *name;
	value_reader read;
	size_t offset; /* in struct config */
	uint32_t low, high;
};

/* The file's own text goes to a terminal with the reason. */
static void hide_unprintable(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

/* Keeps the first error of a file. Returns -EINVAL. */
static int fail(struct parser *parser, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct parser *parser, int line, const char *format, ...)
{
	char reason[CONFIG_ERROR_BYTES / 2];
	va_list arguments;

	if (parser->failed)
		return -EINVAL;
	parser->failed = true;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	hide_unprintable(reason);
	if (line > 0)
		snprintf(parser->error, CONFIG_ERROR_BYTES, "%.200s:%d: %s", parser->path, line,
			reason);
	else
		snprintf(parser->error, CONFIG_ERROR_BYTES, "%.200s: %s", parser->path, reason);
	return -EINVAL;
}

static int fail_value(
	struct parser *parser, const struct key *key, const char *value, const char *why)
{
	return fail(parser, parser->line, "%s = %.80s: %s", key->name, value, why);
}

static void *target(struct parser *parser, const struct key *key)
{
	return (char *)parser->config + key->offset;
}

/* Reads a decimal number from *text on and moves *text behind it. */
static int take_number(const char **text, uint64_t *number)
{
	const char *start = *text;

	*number = 0;
	/* Ten digits: so many days, as milliseconds, still fit. */
	while (**text >= '0' && **text <= '9' && *text - start < 10)
		*number = *number * 10 + (uint64_t)(*(*text)++ - '0');
	return *text == start ? -EINVAL : 0;
}

static int store_number(
	struct parser *parser, const struct key *key, const char *value, uint64_t number)
{
	uint32_t *stored = target(parser, key);

	if (number < key->low || number > key->high)
		return fail(parser, parser->line, "%s = %.80s: out of range (%u to %u)", key->name,
			value, key->low, key->high);
	*stored = (uint32_t)number;
	return 0;
}

static int read_count(struct parser *parser, const struct key *key, const char *value)
{
	const char *at = value;
	uint64_t number;

	if (take_number(&at, &number) != 0 || *at != '\0')
		return fail_value(parser, key, value, "not a number");
	return store_number(parser, key, value, number);
}

static int read_duration(struct parser *parser, const struct key *key, const char *value)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
	const char *at = value;
	uint64_t number;

	if (take_number(&at, &number) == 0) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(at, units[i].name) != 0)
				continue;
			number *= units[i].ms;
			if (number >= key->low && number <= key->high)
				return store_number(parser, key, value, number);
			return fail(parser, parser->line, "%s = %.80s: out of range (%ums to %ums)",
				key->name, value, key->low, key->high);
		}
	}
	return fail_value(parser, key, value, "not a time such as 500ms, 2s, 5min, 1h or 1d");
}

static int read_duration_or_off(struct parser *parser, const struct key *key, const char *value)
{
	uint32_t *stored = target(parser, key);

	if (strcmp(value, "off") != 0)
		return read_duration(parser, key, value);
	*stored = 0;
	return 0;
}

static int read_count_or_off(struct parser *parser, const struct key *key, const char *value)
{
	uint32_t *stored = target(parser, key);

	if (strcmp(value, "off") != 0)
		return read_count(parser, key, value);
	*stored = 0;
	return 0;
}

/* "500/s" */
static int read_rate(struct parser *parser, const struct key *key, const char *value)
{
	const char *at = value;
	uint64_t number;

	if (take_number(&at, &number) != 0 || strcmp(at, "/s") != 0)
		return fail_value(parser, key, value, "not a rate such as 500/s");
	return store_number(parser, key, value, number);
}

/* "5%" */
static int read_percent(struct parser *parser, const struct key *key, const char *value)
{
	const char *at = value;
	uint64_t number;

	if (take_number(&at, &number) != 0 || strcmp(at, "%") != 0)
		return fail_value(parser, key, value, "not a share such as 5%");
	return store_number(parser, key, value, number);
}

/* "10/s burst 20"; the burst lies behind the rate in struct config. */
static int read_rate_and_burst(struct parser *parser, const struct key *key, const char *value)
{
	const char *at = value;
	uint64_t rate, burst;
	uint32_t *stored = target(parser, key);

	if (take_number(&at, &rate) != 0 || strncmp(at, "/s burst ", 9) != 0)
		return fail_value(parser, key, value, "not a rate such as 10/s burst 20");
	at += 9;
	if (take_number(&at, &burst) != 0 || *at != '\0')
		return fail_value(parser, key, value, "not a rate such as 10/s burst 20");
	if (burst < key->low || burst > key->high)
		return fail_value(parser, key, value, "the burst is out of range");
	stored[1] = (uint32_t)burst;
	return store_number(parser, key, value, rate);
}

static int read_bool(struct parser *parser, const struct key *key, const char *value)
{
	bool *stored = target(parser, key);

	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return fail_value(parser, key, value, "not yes or no");
	*stored = strcmp(value, "yes") == 0;
	return 0;
}

static int read_path(struct parser *parser, const struct key *key, const char *value)
{
	if (value[0] != '\0' && value[0] != '/')
		return fail_value(parser, key, value, "not an absolute path");
	if (strlen(value) >= CONFIG_PATH_BYTES)
		return fail_value(parser, key, value, "longer than 255 bytes");
	memcpy(target(parser, key), value, strlen(value) + 1);
	return 0;
}

/* As the kernel's dev_valid_name() (net/core/dev.c), and without what a path could mistake. */
static int read_interface(struct parser *parser, const struct key *key, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= CONFIG_INTERFACE_BYTES ||
		strpbrk(value, "/: \t") != NULL || strcmp(value, ".") == 0 ||
		strcmp(value, "..") == 0)
		return fail_value(parser, key, value, "not an interface's name");
	memcpy(target(parser, key), value, strlen(value) + 1);
	return 0;
}

/* The place of value among so many names, or -EINVAL. */
static int choose(const char *const *names, size_t count, const char *value)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(value, names[i]) == 0)
			return (int)i;
	}
	return -EINVAL;
}

static int read_connect(struct parser *parser, const struct key *key, const char *value)
{
	static const char *const names[] = {[CONNECT_REPLAY] = "replay",
		[CONNECT_INITIATE] = "initiate",
		[CONNECT_RETRY] = "retry"};
	int chosen = choose(names, sizeof(names) / sizeof(names[0]), value);

	if (chosen < 0)
		return fail_value(parser, key, value, "not replay, initiate or retry");
	*(enum connect_mode *)target(parser, key) = (enum connect_mode)chosen;
	return 0;
}

static int read_on_stale(struct parser *parser, const struct key *key, const char *value)
{
	static const char *const names[] = {[ON_STALE_KEEP] = "keep", [ON_STALE_REMOVE] = "remove"};
	int chosen = choose(names, sizeof(names) / sizeof(names[0]), value);

	if (chosen < 0)
		return fail_value(parser, key, value, "not keep or remove");
	*(enum on_stale *)target(parser, key) = (enum on_stale)chosen;
	return 0;
}

static bool is_same_origin(const struct config_origin *a, const struct config_origin *b)
{
	return strcmp(a->url, b->url) == 0 && strcmp(a->unix_path, b->unix_path) == 0 &&
	       strcmp(a->directory, b->directory) == 0;
}

static int read_url(struct parser *parser, const struct key *key, const char *value)
{
	struct config *config = parser->config;
	struct config_origin *origin = &config->origins[config->origin_count];
	const char *reason = "";

	if (config->origin_count == ORIGINS_MAX)
		return fail(parser, parser->line, "url: more than %d origins", ORIGINS_MAX);
	if (config_parse_url(origin, value, &reason) != 0)
		return fail_value(parser, key, value, reason);
	for (uint32_t i = 0; i < config->origin_count; i++) {
		if (is_same_origin(&config->origins[i], origin))
			return fail(parser, parser->line, "this url is already set on line %d",
				parser->origin_lines[i]);
	}
	parser->origin_lines[config->origin_count++] = parser->line;
	return 0;
}

/* One more; their list has a ; between them, as libcurl takes it. */
static int read_pin(struct parser *parser, const struct key *key, const char *value)
{
	char *pins = target(parser, key);
	size_t used = strlen(pins);
	uint8_t digest[WIREGUARD_KEY_BYTES]; /* as long as a SHA-256, and written in the same way */

	if (strncmp(value, PIN_PREFIX, strlen(PIN_PREFIX)) != 0 ||
		key_from_base64(digest, value + strlen(PIN_PREFIX)) != 0)
		return fail_value(parser, key, value,
			"not sha256// and the 44 characters of a SHA-256 in base64");
	if (used + strlen(value) + 1 >= CONFIG_PINS_BYTES)
		return fail(parser, parser->line, "%s: more than %d", key->name, PINS_MAX);
	snprintf(pins + used, CONFIG_PINS_BYTES - used, "%s%s", used > 0 ? ";" : "", value);
	return 0;
}

static int add_prefix(struct parser *parser, const char *text)
{
	struct config *config = parser->config;
	struct prefix prefix;
	int error = prefix_parse(&prefix, text);

	if (error == -EDOM)
		return fail(parser, parser->line, "allowed_ips: %s has bits set behind its length",
			text);
	if (error != 0)
		return fail(parser, parser->line, "allowed_ips: %.80s is not a prefix", text);
	if (config->allowed.count == CONFIG_PREFIXES_MAX)
		return fail(parser, parser->line, "allowed_ips: more than %d prefixes",
			CONFIG_PREFIXES_MAX);
	config->allowed.item[config->allowed.count++] = prefix;
	return 0;
}

/* Prefixes between commas and blanks. */
static int read_prefixes(struct parser *parser, const struct key *key, const char *value)
{
	char text[64];

	(void)key;
	for (value += strspn(value, ", \t"); *value != '\0'; value += strspn(value, ", \t")) {
		size_t length = strcspn(value, ", \t");

		if (length >= sizeof(text))
			return fail(
				parser, parser->line, "allowed_ips: %.80s is not a prefix", value);
		memcpy(text, value, length);
		text[length] = '\0';
		value += length;
		if (add_prefix(parser, text) != 0)
			return -EINVAL;
	}
	return 0;
}

#define DAY_MS 86400000U

static const struct key keys[] = {
	{"gateway", "interface", read_interface, offsetof(struct config, interface), 0, 0},
	{"gateway", "connect", read_connect, offsetof(struct config, connect), 0, 0},
	{"origin", "url", read_url, offsetof(struct config, origins), 0, 0},
	{"origin", "insecure_http", read_bool, offsetof(struct config, insecure_http), 0, 0},
	{"origin", "ca_file", read_path, offsetof(struct config, ca_file), 0, 0},
	{"origin", "client_cert_file", read_path, offsetof(struct config, client_cert_file), 0, 0},
	{"origin", "client_key_file", read_path, offsetof(struct config, client_key_file), 0, 0},
	{"origin", "bearer_token_file", read_path, offsetof(struct config, bearer_token_file), 0,
		0},
	{"origin", "pinned_public_key", read_pin, offsetof(struct config, pinned_public_keys), 0,
		0},
	{"origin", "timeout", read_duration, offsetof(struct config, timeout_ms), 50, 60000},
	{"origin", "concurrency", read_count, offsetof(struct config, concurrency), 1, 1024},
	{"origin", "requests", read_rate, offsetof(struct config, requests_per_second), 1, 1000000},
	{"origin", "breaker", read_count_or_off, offsetof(struct config, breaker), 1, 1000},
	{"cache", "fresh_ttl", read_duration, offsetof(struct config, fresh_ttl_ms), 1000,
		30 * DAY_MS},
	{"cache", "file_ttl", read_duration, offsetof(struct config, file_ttl_ms), 1000, DAY_MS},
	{"cache", "negative_ttl", read_duration, offsetof(struct config, negative_ttl_ms), 100,
		DAY_MS},
	{"cache", "stale_if_error", read_duration, offsetof(struct config, stale_if_error_ms), 0,
		30 * DAY_MS},
	{"cache", "stale_after", read_duration, offsetof(struct config, stale_after_ms), 1, 60000},
	{"cache", "min_revalidate", read_duration, offsetof(struct config, min_revalidate_ms), 1000,
		DAY_MS},
	{"cache", "on_stale", read_on_stale, offsetof(struct config, on_stale), 0, 0},
	{"cache", "directory", read_path, offsetof(struct config, cache_directory), 0, 0},
	{"cache", "persist_psk", read_bool, offsetof(struct config, persist_psk), 0, 0},
	{"policy", "allowed_ips", read_prefixes, offsetof(struct config, allowed), 0, 0},
	{"policy", "max_allowed_ips", read_count, offsetof(struct config, max_allowed_ips), 1, 64},
	{"policy", "default_route", read_bool, offsetof(struct config, allow_default_route), 0, 0},
	{"eviction", "idle_after", read_duration_or_off, offsetof(struct config, idle_after_ms),
		1000, 30 * DAY_MS},
	{"eviction", "unconfirmed_after", read_duration,
		offsetof(struct config, unconfirmed_after_ms), 1000, DAY_MS},
	{"eviction", "max_peers", read_count, offsetof(struct config, max_peers), 1, 1048576},
	{"eviction", "removal_guard", read_percent, offsetof(struct config, removal_guard_percent),
		0, 100},
	{"limits", "per_source", read_rate_and_burst, offsetof(struct config, per_source_rate), 1,
		1000000},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static const struct key *find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].section, section) == 0)
			return true;
	}
	return false;
}

static bool may_stand_again(const struct key *key)
{
	return key->read == read_prefixes || key->read == read_url || key->read == read_pin;
}

/* inih's handler: 1 goes on, 0 is an error. */
static int handle_pair(void *context, const char *section, const char *name, const char *value)
{
	struct parser *parser = context;
	const struct key *key = find_key(section, name);

	_Static_assert(
		KEY_COUNT <= sizeof(parser->seen) / sizeof(parser->seen[0]), "seen too short");
	if (parser->failed)
		return 0;
	if (key == NULL && !section_known(section))
		fail(parser, parser->line, "[%.40s] is not a section of this file", section);
	else if (key == NULL)
		fail(parser, parser->line, "%.40s is not a key of [%s]", name, section);
	else if (parser->seen[key - keys] != 0 && !may_stand_again(key))
		fail(parser, parser->line, "%s is already set on line %d", name,
			parser->seen[key - keys]);
	else
		key->read(parser, key, value);
	if (key != NULL)
		parser->seen[key - keys] = parser->line;
	return parser->failed ? 0 : 1;
}

/* inih passes over whatever stands behind a section's name, a key for example. */
static bool has_text_behind_section(const char *line)
{
	const char *end = strchr(line, ']');

	if (line[0] != '[' || end == NULL)
		return false;
	end += 1 + strspn(end + 1, " \t\r\n");
	return strchr(";#", *end) == NULL; /* the end of the line is found there too */
}

/* A tab, and a carriage return in front of the newline, are common in files; others are accidents. */
static bool has_control_character(const char *line)
{
	for (; *line != '\0' && strcmp(line, "\n") != 0 && strcmp(line, "\r\n") != 0; line++) {
		if (((unsigned char)*line < ' ' && *line != '\t') || *line == 0x7f)
			return true;
	}
	return false;
}

/* inih's reader, as fgets(3): counts lines, strips indents, and refuses what would be cut. */
static char *read_line(char *buffer, int size, void *context)
{
	struct parser *parser = context;
	size_t length;

	if (parser->failed || fgets(buffer, size, parser->file) == NULL)
		return NULL;
	parser->line++;
	length = strlen(buffer);
	if (length == (size_t)size - 1 && buffer[length - 1] != '\n') {
		fail(parser, parser->line, "longer than %d bytes", size - 2);
		return NULL;
	}
	/* What fgets(3) read ends with its newline or the file, unless a zero byte hides the end. */
	if (length == 0 || (buffer[length - 1] != '\n' && !feof(parser->file))) {
		fail(parser, parser->line, "has a zero byte");
		return NULL;
	}
	if (has_control_character(buffer)) {
		fail(parser, parser->line, "has a control character");
		return NULL;
	}
	memmove(buffer, buffer + strspn(buffer, " \t"), length - strspn(buffer, " \t") + 1);
	if (has_text_behind_section(buffer)) {
		fail(parser, parser->line, "a section's name stands alone on its line");
		return NULL;
	}
	return buffer;
}

static void set_defaults(struct config *config)
{
	*config = (struct config){
		.connect = CONNECT_REPLAY,
		.ca_file = "/etc/ssl/certs/ca-certificates.crt",
		.timeout_ms = 2000,
		.concurrency = 64,
		.breaker = 5,
		.requests_per_second = 500,
		.fresh_ttl_ms = 5 * 60 * 1000,
		.file_ttl_ms = 5000,
		.negative_ttl_ms = 3000,
		.stale_if_error_ms = DAY_MS,
		.stale_after_ms = 800,
		.min_revalidate_ms = 10 * 1000,
		.on_stale = ON_STALE_KEEP,
		.persist_psk = true,
		.max_allowed_ips = 8,
		.idle_after_ms = 5 * 60 * 1000,
		.unconfirmed_after_ms = 30 * 1000,
		.max_peers = 100000,
		.removal_guard_percent = 5,
		.per_source_rate = 10,
		.per_source_burst = 20,
	};
}

static int line_of(const struct parser *parser, const char *section, const char *name)
{
	return parser->seen[find_key(section, name) - keys];
}

static int require(struct parser *parser, const char *section, const char *name)
{
	if (line_of(parser, section, name) != 0)
		return 0;
	return fail(parser, 0, "[%s] %s is missing", section, name);
}

static int check_origins(struct parser *parser)
{
	const struct config *config = parser->config;

	for (uint32_t i = 0; i < config->origin_count; i++) {
		const struct config_origin *origin = &config->origins[i];

		/* The fetcher's root is the directory, or empty. */
		if (origin->directory[0] != '\0' && config->origin_count > 1)
			return fail(parser, parser->origin_lines[i],
				"a file:// url stands alone, without another origin");
		if (!origin->tls && !config->insecure_http && !config_origin_local(origin))
			return fail(parser, parser->origin_lines[i],
				"http:// is for loopback addresses; use https://, or "
				"insecure_http = yes");
	}
	if (config_has_tls(config) && config->ca_file[0] == '\0')
		return fail(parser, line_of(parser, "origin", "ca_file"),
			"ca_file is empty: https:// needs one");
	if (config->pinned_public_keys[0] != '\0' && !config_has_tls(config))
		return fail(parser, line_of(parser, "origin", "pinned_public_key"),
			"pinned_public_key needs an https:// url");
	if ((config->client_cert_file[0] == '\0') != (config->client_key_file[0] == '\0'))
		return fail(parser, 0, "client_cert_file and client_key_file go together");
	return 0;
}

/* What one key alone can't show. */
static int check_whole(struct parser *parser)
{
	const struct config *config = parser->config;

	if (require(parser, "gateway", "interface") != 0 || require(parser, "origin", "url") != 0 ||
		require(parser, "policy", "allowed_ips") != 0)
		return -EINVAL;
	if (config->allowed.count == 0)
		return fail(parser, line_of(parser, "policy", "allowed_ips"),
			"allowed_ips is empty: no peer could ever be installed");
	return check_origins(parser);
}

int config_load(struct config *config, const char *path, char error[static CONFIG_ERROR_BYTES])
{
	struct parser parser = {.config = config, .path = path, .error = error};
	int bad_line;

	set_defaults(config);
	parser.file = fopen(path, "re");
	if (parser.file == NULL) {
		fail(&parser, 0, "%s", strerror(errno));
		return -EIO;
	}
	bad_line = ini_parse_stream(read_line, &parser, handle_pair, &parser);
	if (ferror(parser.file))
		fail(&parser, 0, "can't be read");
	fclose(parser.file);
	if (bad_line > 0)
		fail(&parser, bad_line, "neither [section] nor key = value");
	else if (bad_line < 0)
		fail(&parser, 0, "out of memory");
	if (!parser.failed)
		check_whole(&parser);
	return parser.failed ? -EINVAL : 0;
}
