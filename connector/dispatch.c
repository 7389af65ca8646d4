/* SPDX-License-Identifier: ISC */
/* The connector at work. */
#include "connector/dispatch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

/* The longest sleep. */
#define TURN_MS 1000

/* Settings */

static void drop_attempts(struct connector *connector)
{
	while (connector->attempt_count > 0)
		attempt_cancel(&connector->attempts[--connector->attempt_count]);
}

/* 0, or -EINVAL with the old ones kept. */
static int apply_settings(
	struct connector *connector, const struct message_connector_settings *settings)
{
	enum origins_taken taken = origins_take(&connector->origins);

	if (taken == ORIGINS_REFUSED) {
		log_event(LOG_LEVEL_ERROR, "settings_refused",
			"reason=\"1 to %d origins are needed, each a host with a port or a Unix "
			"socket\"",
			ORIGINS_MAX);
		return -EINVAL;
	}
	connector->settings = *settings;
	log_set_verbose(settings->verbose);
	if (taken == ORIGINS_CHANGED)
		/* The fetcher asks anew: its settings change with ours. */
		drop_attempts(connector);
	return 0;
}

static void await_settings(struct connector *connector)
{
	struct message message;
	int fd;

	for (;;) {
		process_await(&connector->process, &message, &fd);
		if (message.type == MESSAGE_TYPE_CONNECTOR_SETTINGS && fd < 0)
			break;
		if (message.type != MESSAGE_TYPE_CONNECTOR_ORIGIN || fd >= 0)
			log_fatal("start_failed", "reason=\"expected settings, got %s\"",
				message_name(message.type));
		origins_add(&connector->origins, &message.connector_origin);
	}
	if (apply_settings(connector, &message.connector_settings) != 0)
		log_fatal("start_failed", "reason=\"the settings can't be used\"");
}

void connector_open(struct connector *connector)
{
	await_settings(connector);
	addresses_open();
	connector->opened_ms = clock_ms();
}

struct root_needs connector_root_needs(const struct connector *connector)
{
	struct root_needs needs = {.resolver_files = origins_have_host(&connector->origins)};

	for (size_t i = 0; i < connector->origins.count; i++) {
		const char *path = connector->origins.items[i].named.unix_path;

		if (path[0] != '\0')
			needs.socket_paths[needs.socket_count++] = path;
	}
	return needs;
}

/* Answers */

/* Origins are counted from 1 in logs. */
static void answer_failed(
	struct connector *connector, uint64_t id, uint64_t origin, const char *reason)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECT_FAILED};
	char quoted[LOG_QUOTED_BYTES];

	message.connect_failed.id = id;
	snprintf(
		message.connect_failed.reason, sizeof(message.connect_failed.reason), "%s", reason);
	channel_send(&connector->process.channels[ROLE_FETCHER], &message);
	log_event(LOG_LEVEL_WARNING, "connect_failed",
		"id=%" PRIu64 " origin=%" PRIu64 " reason=%s", id, origin + 1,
		log_quote(quoted, reason));
}

static void answer_connected(struct connector *connector, struct attempt *attempt)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTED};
	char text[ADDRESSES_TEXT_BYTES], quoted[LOG_QUOTED_BYTES];
	struct origin *origin = origins_find(&connector->origins, attempt->origin);

	addresses_prefer(&origin->addresses, attempt_address(attempt));
	message.connected.id = attempt->id;
	snprintf(message.connected.address, sizeof(message.connected.address), "%s",
		addresses_format(text, attempt_address(attempt)));
	channel_send_descriptor(&connector->process.channels[ROLE_FETCHER], &message, attempt->fd);
	attempt_cancel(attempt); /* our copy of the socket */
	log_event(LOG_LEVEL_INFO, "connected", "id=%" PRIu64 " origin=%" PRIu64 " address=%s",
		attempt->id, attempt->origin + 1, log_quote(quoted, text));
}

/*
 * The root holds the directory of a Unix socket as it was at the start. One that was made since, or
 * made anew as systemd does with a service's RuntimeDirectory=, only a fresh start sees.
 */
enum directory_state { DIRECTORY_THERE, DIRECTORY_GONE, DIRECTORY_NEVER_THERE };

static enum directory_state look_at_directory(const char *socket_path)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct stat status, root;
	char *slash;

	snprintf(path, sizeof(path), "%s", socket_path);
	slash = strrchr(path, '/');
	if (slash == NULL || slash == path)
		return DIRECTORY_THERE;
	*slash = '\0';
	if (stat(path, &status) != 0 || status.st_nlink == 0)
		return DIRECTORY_GONE;
	/* What was missing is an empty directory of the root's own. */
	if (stat("/", &root) == 0 && root.st_dev == status.st_dev)
		return DIRECTORY_NEVER_THERE;
	return DIRECTORY_THERE;
}

static void check_directory(const struct connector *connector, const struct origin *origin)
{
	enum directory_state state = look_at_directory(origin->named.unix_path);
	char quoted[LOG_QUOTED_BYTES];

	if (state == DIRECTORY_GONE)
		log_fatal("origin_directory_gone", "socket=%s effect=\"a fresh start\"",
			log_quote(quoted, origin->named.unix_path));
	if (state == DIRECTORY_THERE || clock_ms() - connector->opened_ms < CONNECTOR_LOOK_MS)
		return;
	log_event(LOG_LEVEL_NOTICE, "origin_directory_missing",
		"socket=%s effect=\"a fresh start, to look again\"",
		log_quote(quoted, origin->named.unix_path));
	exit(EXIT_SUCCESS);
}

/* Answers a decided attempt; false while it is pending. */
static bool answer(struct connector *connector, struct attempt *attempt, enum attempt_state state)
{
	struct origin *origin = origins_find(&connector->origins, attempt->origin);

	if (state == ATTEMPT_PENDING)
		return false;
	if (state == ATTEMPT_CONNECTED) {
		answer_connected(connector, attempt);
		return true;
	}
	addresses_suspect(&origin->addresses);
	answer_failed(connector, attempt->id, attempt->origin, attempt->reason);
	if (origin->named.unix_path[0] != '\0')
		check_directory(connector, origin);
	return true;
}

/* Work */

static void resolve(struct addresses *addresses)
{
	char quoted[LOG_QUOTED_BYTES];
	const char *reason;

	if (!addresses_are_due(addresses, clock_ms()))
		return;
	if (addresses_resolve(addresses, clock_ms(), &reason) != 0)
		log_event(LOG_LEVEL_WARNING, "resolve_failed", "host=%s reason=\"%s\" known=%zu",
			log_quote(quoted, addresses->host), reason, addresses->list.count);
	else
		log_event(LOG_LEVEL_DEBUG, "resolved", "host=%s addresses=%zu",
			log_quote(quoted, addresses->host), addresses->list.count);
}

static void begin_attempt(struct connector *connector, const struct message_connect *asked,
	struct addresses *addresses)
{
	struct attempt *attempt = &connector->attempts[connector->attempt_count];

	/* Old addresses are good enough to begin with; they are renewed when nothing waits. */
	if (addresses->list.count == 0 || addresses->is_suspect)
		resolve(addresses);
	if (addresses->list.count == 0) {
		answer_failed(
			connector, asked->id, asked->origin, "the origin's name can't be resolved");
		return;
	}
	attempt->origin = asked->origin;
	if (!answer(connector, attempt,
		    attempt_begin(attempt, asked->id, &addresses->list,
			    (int64_t)connector->settings.timeout_ms, clock_ms())))
		connector->attempt_count++;
}

static void take_connect(struct connector *connector, const struct message_connect *asked)
{
	struct origin *origin = origins_find(&connector->origins, asked->origin);

	if (!origins_had(&connector->origins, asked->origin))
		process_report_offence(&connector->process, ROLE_FETCHER);
	else if (origin == NULL) /* asked for before the fetcher knew */
		answer_failed(connector, asked->id, asked->origin, "no such origin any more");
	else if (connector->attempt_count == CONNECTOR_ATTEMPTS)
		answer_failed(
			connector, asked->id, asked->origin, "too many connections are being made");
	else
		begin_attempt(connector, asked, &origin->addresses);
}

/* Another Unix socket's directory isn't in the root, which can't be changed any more. */
static void take_settings(
	struct connector *connector, const struct message_connector_settings *settings)
{
	if (origins_need_another_root(&connector->origins)) {
		log_event(LOG_LEVEL_NOTICE, "origin_moved", "effect=\"a fresh start\"");
		exit(EXIT_SUCCESS);
	}
	apply_settings(connector, settings);
}

/* Whether the fetcher is another one now. */
static bool take_control(struct connector *connector)
{
	struct message message;
	bool renewed = false;
	int fd;

	while (process_receive_control(&connector->process, &message, &fd)) {
		if (fd >= 0)
			close(fd);
		if (message.type == MESSAGE_TYPE_CONNECTOR_ORIGIN)
			origins_add(&connector->origins, &message.connector_origin);
		else if (message.type == MESSAGE_TYPE_CONNECTOR_SETTINGS)
			take_settings(connector, &message.connector_settings);
		renewed |= message.type == MESSAGE_TYPE_RENEW;
	}
	if (renewed)
		drop_attempts(connector); /* the new fetcher did not ask for them */
	return renewed;
}

static void take_connects(struct connector *connector)
{
	struct message message;

	for (int i = 0; i < CONNECTOR_ATTEMPTS; i++) {
		if (!process_receive(&connector->process, ROLE_FETCHER, &message))
			return;
		/* Settings that were sent before this CONNECT apply to it. */
		if (take_control(connector))
			return;
		take_connect(connector, &message.connect);
	}
}

static void continue_attempts(struct connector *connector, const struct pollfd *set)
{
	int64_t now_ms = clock_ms();

	/* From the end, so that the last one may take an answered one's place. */
	for (size_t i = connector->attempt_count; i-- > 0;) {
		struct attempt *attempt = &connector->attempts[i];
		struct attempt *last = &connector->attempts[connector->attempt_count - 1];

		if (!answer(connector, attempt,
			    attempt_continue(attempt, set[i].revents != 0, now_ms)))
			continue;
		if (attempt != last)
			*attempt = *last;
		connector->attempt_count--;
	}
}

static int sleep_ms(const struct connector *connector)
{
	int64_t now_ms = clock_ms();
	int64_t wake_ms = now_ms + TURN_MS;

	for (size_t i = 0; i < connector->attempt_count; i++) {
		if (connector->attempts[i].address_deadline_ms < wake_ms)
			wake_ms = connector->attempts[i].address_deadline_ms;
	}
	return wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0;
}

static void renew_addresses(struct connector *connector)
{
	for (size_t i = 0; i < connector->origins.count; i++) {
		struct addresses *addresses = &connector->origins.items[i].addresses;

		if (addresses->list.count > 0)
			resolve(addresses);
	}
}

void connector_turn(struct connector *connector)
{
	struct pollfd set[ROLE_COUNT + CONNECTOR_ATTEMPTS];

	process_watch(&connector->process, set);
	for (size_t i = 0; i < connector->attempt_count; i++)
		set[ROLE_COUNT + i] =
			(struct pollfd){.fd = connector->attempts[i].fd, .events = POLLOUT};
	if (poll(set, ROLE_COUNT + connector->attempt_count, sleep_ms(connector)) < 0)
		return;
	continue_attempts(connector, set + ROLE_COUNT);
	take_control(connector);
	take_connects(connector);
	if (connector->attempt_count == 0)
		renew_addresses(connector);
}
