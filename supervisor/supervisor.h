/* SPDX-License-Identifier: ISC */
/*
 * Starts the children, watches them, restarts them. Reads no byte from the network: its input is
 * the configuration and the few messages that children send it.
 */
#ifndef PULLGATE_SUPERVISOR_H
#define PULLGATE_SUPERVISOR_H

#include "supervisor/child.h"
#include "supervisor/config.h"
#include "supervisor/settings.h"
#include "supervisor/users.h"

struct supervisor {
	const char *config_path; /* the caller's; read again on SIGHUP */
	struct config config;
	struct material material;
	struct user users[ROLE_COUNT];
	bool verbose;

	char binaries[256];                /* the folder that holds ours and the children's */
	struct child children[ROLE_COUNT]; /* [ROLE_SUPERVISOR] is unused */
	uint64_t generation;               /* of channels: one more at each start of a child */

	/* Kept across the restarts of their users. */
	int packet_socket, timestamps, replay_ipv4, replay_ipv6;
	uint32_t interface_index; /* what the packet socket's filter was made for */
	uint16_t listen_port;

	int signals;  /* signalfd */
	bool serving; /* every child was ready once: from here on no end of a child ends us */
	bool stopping;
	bool failed; /* the start did */
};

/*
 * Opens what must be open before any child runs. 0, or a negative errno after one log line.
 * supervisor->config_path, config, material, users and verbose are the caller's to set before.
 */
int supervisor_open(struct supervisor *supervisor);

/* Runs until SIGTERM or SIGINT, or until the start fails. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

#endif
