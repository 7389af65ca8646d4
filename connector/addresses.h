/* SPDX-License-Identifier: ISC */
/*
 * Where an origin is: a Unix socket, a numeric address, or what the resolver says of a name.
 *
 * getaddrinfo(3) blocks. It stays so, in this one process, for a thread or a helper would need more
 * authority than the wait costs: sockets under way go on connecting in the kernel meanwhile. It is
 * bounded by the resolver's own options, which addresses_open() sets where the operator has not:
 * two tries of one second a name server (resolv.conf(5): at most three of them, the search list
 * apart). It is called when nothing is known, when connecting fails, and every 60 s otherwise, and
 * what it once answered is kept while it fails.
 */
#ifndef PULLGATE_CONNECTOR_ADDRESSES_H
#define PULLGATE_CONNECTOR_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/message.h"

#define ADDRESSES_MAX        8     /* more of a name's addresses are left out */
#define ADDRESSES_FRESH_MS   60000 /* then the name is resolved again */
#define ADDRESSES_RETRY_MS   1000  /* between two calls of the resolver, at least */
#define ADDRESSES_TEXT_BYTES 128   /* of one address as text */

struct address_list {
	struct sockaddr_storage items[ADDRESSES_MAX];
	socklen_t lengths[ADDRESSES_MAX];
	size_t count;
};

struct addresses {
	char host[256]; /* empty: not a name, and list is right for ever */
	uint16_t port;
	struct address_list list;
	int64_t resolved_ms; /* when the resolver was last asked; 0: never */
	bool is_suspect;     /* connecting failed since */
};

/*
 * Before the sandbox closes: sets the resolver's options, has it ask /etc/hosts and name servers
 * alone, whatever nsswitch.conf(5) says, and asks it for "localhost", so that the files that it
 * loads once are loaded.
 */
void addresses_open(void);

/* Takes the origin as the supervisor says it; names are not resolved yet. 0, or -EINVAL for one that
 * has both of host and unix_path. With neither there is nobody to connect to: files are read. */
int addresses_set(struct addresses *addresses, const struct message_connector_origin *origin);

/* Whether resolving now would be of use: nothing is known, too old, or suspect. */
bool addresses_are_due(const struct addresses *addresses, int64_t now_ms);

/* Resolves the name. 0, or -EHOSTUNREACH with *reason (static text) and what was known kept. */
int addresses_resolve(struct addresses *addresses, int64_t now_ms, const char **reason);

/* Connecting to that address worked: it is tried first from now on. */
void addresses_prefer(struct addresses *addresses, const struct sockaddr_storage *address);

/* Connecting to all of them failed. */
void addresses_suspect(struct addresses *addresses);

/* "192.0.2.1:443", "[2001:db8::1]:443", "unix:/run/origin.sock"; cut where too long. */
const char *addresses_format(
	char text[static ADDRESSES_TEXT_BYTES], const struct sockaddr_storage *address);

#endif
