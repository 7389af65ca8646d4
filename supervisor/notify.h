/* SPDX-License-Identifier: ISC */
/*
 * What the service manager is told, and its watchdog: datagrams to $NOTIFY_SOCKET, as sd_notify(3)
 * and sd_watchdog_enabled(3) describe them. Without $NOTIFY_SOCKET nothing is sent.
 */
#ifndef PULLGATE_NOTIFY_H
#define PULLGATE_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;                    /* connected, or -1 */
	int64_t watchdog_every_ms; /* half of what the manager asks for; 0: no watchdog */
	int64_t watchdog_ms;       /* when it was fed last */
};

/*
 * Connects to $NOTIFY_SOCKET (a path, or an abstract name behind '@'), reads $WATCHDOG_USEC and
 * $WATCHDOG_PID, and takes them all out of the environment. A socket that can't be reached is one
 * log line, and no error: the service works without.
 */
void notify_open(struct notify *notify);

/* Serving, at the start and after a reload. status is one line for people. */
void notify_ready(const struct notify *notify, const char *status);
void notify_reloading(const struct notify *notify);
void notify_stopping(const struct notify *notify);
void notify_status(const struct notify *notify, const char *status);

/* Feeds the watchdog when it is time. For the supervisor's own loop alone. */
void notify_watchdog(struct notify *notify, int64_t now_ms);

#endif
