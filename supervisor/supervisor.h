/* SPDX-License-Identifier: ISC */
/*
 * Starts the children, watches them, restarts them. Reads no byte from the network: its input is
 * the configuration and the few messages that children send it.
 */
#ifndef PULLGATE_SUPERVISOR_H
#define PULLGATE_SUPERVISOR_H

#include "supervisor/cache_files.h"
#include "supervisor/child.h"
#include "supervisor/config.h"
#include "supervisor/device.h"
#include "supervisor/notify.h"
#include "supervisor/origin_directory.h"
#include "supervisor/resolver_files.h"
#include "supervisor/status.h"
#include "supervisor/users.h"

struct supervisor {
	const char *config_path; /* the caller's; read again on SIGHUP */
	struct config config;
	struct user users[ROLE_COUNT];
	bool verbose;

	char binaries[256];                /* the folder that holds ours and the children's */
	struct child children[ROLE_COUNT]; /* [ROLE_SUPERVISOR] is unused */
	uint64_t generation;               /* of channels: one more at each start of a child */

	/* Kept across the restarts of their users. */
	int timestamps, replay_ipv4, replay_ipv6;
	struct cache_files cache;
	struct packet_device device;

	struct notify notify;
	struct service_status status;
	const char *resolver_folder; /* "/etc" */
	struct resolver_files resolver_files;
	int64_t resolver_files_ms;                /* when they were looked at */
	struct origin_directory origin_directory; /* that the fetcher was started with */
	int64_t origin_directory_ms;

	int signals;       /* signalfd */
	int64_t looked_ms; /* when the loop last did what is due; 0: never */
	bool serving;      /* every child was ready once: from here on no end of a child ends us */
	bool stopping;
	bool failed; /* the start did */
};

#define FOR_EACH_CHILD(supervisor, one)                                 \
	for (struct child *one = &(supervisor)->children[ROLE_CAPTURE]; \
		one < &(supervisor)->children[ROLE_COUNT]; one++)

/*
 * Opens what must be open before any child runs. 0, or a negative errno after one log line.
 * supervisor->config_path, config, users, verbose and notify are the caller's to set before.
 */
int supervisor_open(struct supervisor *supervisor);

/* Runs until SIGTERM or SIGINT, or until the start fails. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

#endif
