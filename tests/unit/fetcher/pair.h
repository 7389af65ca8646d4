/* SPDX-License-Identifier: ISC */
/*
 * The real pullgate-fetcher and pullgate-connector, started as the supervisor starts them, with the
 * test in the places of supervisor, capture and installer.
 */
#ifndef PULLGATE_TEST_PAIR_H
#define PULLGATE_TEST_PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/channel.h"

/* How long anything is waited for before the test fails; nothing here takes nearly so long. */
#define PAIR_PATIENCE_MS 20000

/* One origin, as connector and fetcher are told of it. */
struct pair_origin {
	const char *host;
	uint16_t port;
	const char *unix_path;
	const char *url;
};

struct pair_settings {
	union {
		struct pair_origin origins[ORIGINS_MAX];
		struct { /* the first */
			const char *host;
			uint16_t port;
			const char *unix_path;
			const char *url;
		};
	};
	const char *materials[4]; /* paths of files, by enum material_kind; NULL for none */
	const char *pinned_public_keys;
	unsigned timeout_ms, concurrency, requests_per_second; /* 0: a default */
	unsigned stale_if_error_ms, max_peers;
};

struct pair {
	pid_t fetcher, connector; /* 0: ended by itself, as was awaited */
	struct channel fetcher_control, connector_control, capture, installer;
	char log_path[128];
	uint64_t last_id;
};

/* Goes into a network namespace of its own. False, having said why, where that or nginx is missing. */
bool pair_can_run(void);

/* Starts both and waits for their READY. directory is where the log goes. */
void pair_start(struct pair *pair, const char *directory, const struct pair_settings *settings);

/* Ends both and waits for their end. */
void pair_stop(struct pair *pair);

/* As the supervisor after SIGHUP: the connector first, for the fetcher asks it for sockets. */
void pair_reload(struct pair *pair, const struct pair_settings *settings);

/* Kills one, starts it afresh and renews the other's channel to it. */
void pair_restart_connector(struct pair *pair, const struct pair_settings *settings);

/* Waits until the connector has ended by itself; pair_restart_connector() may follow. */
void pair_await_connector_end(struct pair *pair);

/* Sends a LOOKUP with a new id, which it returns. */
uint64_t pair_ask(struct pair *pair, const uint8_t key[static 32]);

/* Sends a REVALIDATE with a new id, which it returns. */
uint64_t pair_renew(struct pair *pair, const uint8_t key[static 32]);

/* Waits for the next PEER. */
void pair_answer(struct pair *pair, struct message_peer *peer);

/* Both: asks, and returns the answer, having checked its id and key. */
enum peer_answer pair_fetch(
	struct pair *pair, const uint8_t key[static 32], struct message_peer *peer);

/* How often text occurs in what both have logged. */
unsigned pair_logged(const struct pair *pair, const char *text);

/* Waits until text has been logged that often. */
void pair_await_log(const struct pair *pair, const char *text, unsigned count);

/* Prints the last lines of it. */
void pair_show_log(const struct pair *pair);

/* How often text occurs in a file; 0 for one that can't be read. */
unsigned count_in_file(const char *path, const char *text);

/* Waits until it occurs at least so often, and returns how often. */
unsigned await_in_file(const char *path, const char *text, unsigned count);

#endif
