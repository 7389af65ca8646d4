/* SPDX-License-Identifier: ISC */
/* The service manager's side of sd_notify(3). */
#ifndef PULLGATE_TESTS_SERVICE_MANAGER_H
#define PULLGATE_TESTS_SERVICE_MANAGER_H

#define SERVICE_MANAGER_BYTES 512

/* Binds a socket to a path or, behind '@', an abstract name. */
int service_manager_open(const char *name);

/* The next datagram, or "" when there is none. */
const char *service_manager_read(int fd, char text[static SERVICE_MANAGER_BYTES]);

/* Waits for a datagram that begins with text, and returns it whole; fails without. */
const char *service_manager_await(
	int fd, const char *begin, char text[static SERVICE_MANAGER_BYTES]);

#endif
