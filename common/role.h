/* SPDX-License-Identifier: ISC */
/*
 * The five processes, and which of them talk to each other.
 *
 * A channel to a role has the same descriptor number in every process, so that seccomp filters
 * and an auditor's `ls /proc/PID/fd` can tell what a descriptor is by its number alone.
 */
#ifndef PULLGATE_ROLE_H
#define PULLGATE_ROLE_H

#include <stdbool.h>
#include <stddef.h>

enum role {
	ROLE_SUPERVISOR,
	ROLE_CAPTURE,
	ROLE_FETCHER,
	ROLE_CONNECTOR,
	ROLE_INSTALLER,
	ROLE_COUNT,
};

/*
 * The fixed table of descriptors. 0 is /dev/null, 1 and 2 are the supervisor's stderr. Then the
 * channels by the other side's role; that to the supervisor is the control channel.
 */
#define FD_CHANNEL(role) (3 + (int)(role))
#define FD_CONTROL       FD_CHANNEL(ROLE_SUPERVISOR)
#define FD_PACKET        8  /* capture: the packet socket, receive only */
#define FD_TIMESTAMPS    9  /* capture: the timestamp record's mapping */
#define FD_REPLAY_IPV4   10 /* installer: raw socket bound to lo */
#define FD_REPLAY_IPV6   11 /* installer: raw socket */
#define FD_CACHE         12 /* fetcher: the cache's database, where one is configured */
#define FD_CACHE_LOG     13 /* fetcher: its write-ahead log */
#define FD_INHERITED_END 16 /* nothing inherited at or above this */

/* What a number of the table stands for in a process. */
enum descriptor {
	DESCRIPTOR_NULL, /* /dev/null: 0, and whatever the table has not for that role */
	DESCRIPTOR_LOG,
	DESCRIPTOR_CHANNEL,
	DESCRIPTOR_PACKET,
	DESCRIPTOR_TIMESTAMPS,
	DESCRIPTOR_REPLAY_IPV4,
	DESCRIPTOR_REPLAY_IPV6,
	DESCRIPTOR_CACHE, /* or /dev/null, where none is configured; so the next */
	DESCRIPTOR_CACHE_LOG,
};

/* Of a child; fd is below FD_INHERITED_END. */
enum descriptor role_descriptor(enum role role, int fd);

/*
 * The timestamp record's mapping: four keys of the fleet for each one that may be installed at a
 * time, at 80 bytes a key (capture/timestamp_record.h). Pages that no record lies in take no
 * memory.
 */
#define TIMESTAMPS_BYTES(max_peers) (4096 + (size_t)(max_peers)*4 * 80)

/*
 * The cache's files, in the directory that is configured. None grows beyond CACHE_FILE_BYTES_MAX:
 * twice what the fetcher keeps in memory (fetcher/peer_cache.h), for the tree's pages are two thirds
 * full.
 */
#define CACHE_FILE_NAME      "peers.sqlite"
#define CACHE_LOG_NAME       CACHE_FILE_NAME "-wal"
#define CACHE_FILE_BYTES_MAX ((size_t)768 << 20)

/* "supervisor", "capture", ...; never NULL ("unknown" for a number that is no role). */
const char *role_name(enum role role);

/* Whether a and b share a channel. Every role has one with the supervisor. */
bool role_linked(enum role a, enum role b);

#endif
