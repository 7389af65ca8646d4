/* SPDX-License-Identifier: ISC */
/* The connector at work. */
#include "connector/dispatch.h"

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
	struct addresses addresses;
	int error = addresses_set(&addresses, settings);
	bool differs = strcmp(connector->settings.host, settings->host) != 0 ||
		       connector->settings.port != settings->port ||
		       strcmp(connector->settings.unix_path, settings->unix_path) != 0;

	if (error != 0) {
		log_event(LOG_LEVEL_ERROR, "settings_refused",
			"reason=\"either a host with a port or a Unix socket is needed\"");
		return error;
	}
	connector->settings = *settings;
	log_set_verbose(settings->verbose);
	if (!differs)
		return 0;
	connector->addresses = addresses;
	/* The fetcher asks anew: its settings change with ours. */
	drop_attempts(connector);
	return 0;
}

void connector_open(struct connector *connector)
{
	struct message message;
	int fd;

	process_await(&connector->process, &message, &fd);
	if (message.type != MESSAGE_TYPE_CONNECTOR_SETTINGS || fd >= 0)
		log_fatal("start_failed", "reason=\"expected CONNECTOR_SETTINGS, got %s\"",
			message_name(message.type));
	if (apply_settings(connector, &message.connector_settings) != 0)
		log_fatal("start_failed", "reason=\"the settings can't be used\"");
	addresses_open();
}

const char *connector_socket_path(const struct connector *connector)
{
	return connector->settings.unix_path[0] != '\0' ? connector->settings.unix_path : NULL;
}

/* Answers */

static void answer_failed(struct connector *connector, uint64_t id, const char *reason)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECT_FAILED};
	char quoted[LOG_QUOTED_BYTES];

	message.connect_failed.id = id;
	snprintf(
		message.connect_failed.reason, sizeof(message.connect_failed.reason), "%s", reason);
	channel_send(&connector->process.channels[ROLE_FETCHER], &message);
	log_event(LOG_LEVEL_WARNING, "connect_failed", "id=%" PRIu64 " reason=%s", id,
		log_quote(quoted, reason));
}

static void answer_connected(struct connector *connector, struct attempt *attempt)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTED};
	char text[ADDRESSES_TEXT_BYTES], quoted[LOG_QUOTED_BYTES];

	addresses_prefer(&connector->addresses, attempt_address(attempt));
	message.connected.id = attempt->id;
	snprintf(message.connected.address, sizeof(message.connected.address), "%s",
		addresses_format(text, attempt_address(attempt)));
	channel_send_descriptor(&connector->process.channels[ROLE_FETCHER], &message, attempt->fd);
	attempt_cancel(attempt); /* our copy of the socket */
	log_event(LOG_LEVEL_INFO, "connected", "id=%" PRIu64 " address=%s", attempt->id,
		log_quote(quoted, text));
}

/*
 * The root holds the directory of a Unix socket as it was at the start. One that was made anew
 * since, as systemd does with a service's RuntimeDirectory=, is another: only a fresh start sees it.
 */
static bool directory_is_gone(const char *socket_path)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct stat status;
	char *slash;

	snprintf(path, sizeof(path), "%s", socket_path);
	slash = strrchr(path, '/');
	if (slash == NULL || slash == path)
		return false;
	*slash = '\0';
	return stat(path, &status) != 0 || status.st_nlink == 0;
}

static void check_directory(const struct connector *connector)
{
	const char *path = connector_socket_path(connector);
	char quoted[LOG_QUOTED_BYTES];

	if (path != NULL && directory_is_gone(path))
		log_fatal("origin_directory_gone", "socket=%s effect=\"a fresh start\"",
			log_quote(quoted, path));
}

/* Answers a decided attempt; false while it is pending. */
static bool answer(struct connector *connector, struct attempt *attempt, enum attempt_state state)
{
	if (state == ATTEMPT_PENDING)
		return false;
	if (state == ATTEMPT_CONNECTED) {
		answer_connected(connector, attempt);
		return true;
	}
	addresses_suspect(&connector->addresses);
	answer_failed(connector, attempt->id, attempt->reason);
	check_directory(connector);
	return true;
}

/* Work */

static void resolve(struct connector *connector)
{
	struct addresses *addresses = &connector->addresses;
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

static void take_connect(struct connector *connector, uint64_t id)
{
	struct attempt *attempt = &connector->attempts[connector->attempt_count];

	if (connector->attempt_count == CONNECTOR_ATTEMPTS) {
		answer_failed(connector, id, "too many connections are being made");
		return;
	}
	/* Old addresses are good enough to begin with; they are renewed when nothing waits. */
	if (connector->addresses.list.count == 0 || connector->addresses.is_suspect)
		resolve(connector);
	if (connector->addresses.list.count == 0) {
		answer_failed(connector, id, "the origin's name can't be resolved");
		return;
	}
	if (!answer(connector, attempt,
		    attempt_begin(attempt, id, &connector->addresses.list,
			    (int64_t)connector->settings.timeout_ms, clock_ms())))
		connector->attempt_count++;
}

/* Another Unix socket's directory isn't in the root, which can't be changed any more. */
static void take_settings(
	struct connector *connector, const struct message_connector_settings *settings)
{
	if (strcmp(connector->settings.unix_path, settings->unix_path) != 0) {
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
		if (message.type == MESSAGE_TYPE_CONNECTOR_SETTINGS)
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
		take_connect(connector, message.connect.id);
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
	if (connector->attempt_count == 0 && connector->addresses.list.count > 0)
		resolve(connector);
}
