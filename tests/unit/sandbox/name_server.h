/* SPDX-License-Identifier: ISC */
/*
 * A network namespace with a name server of the test's own, whose answers getaddrinfo gets: every
 * name has two IPv4 and two IPv6 addresses, but
 *   big.*   gets a truncated answer, and the whole one by TCP
 *   none.*  doesn't exist
 */
#ifndef PULLGATE_TESTS_NAME_SERVER_H
#define PULLGATE_TESTS_NAME_SERVER_H

/*
 * Moves the process into own network and mount namespaces, with the name server in a process
 * beside it that dies with it, and an /etc of the resolver's files alone. 0 or a negative errno.
 */
int name_server_start(void);

#endif
