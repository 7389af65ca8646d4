/* SPDX-License-Identifier: ISC */
/*
 * A child process in a role's real sandbox and a PID namespace of its own, with the table of
 * descriptors that the supervisor would lay out. The numbers are what the filter compares, so a socket of Unix datagrams stands
 * for the packet socket and UDP sockets for the raw ones.
 */
#ifndef PULLGATE_TESTS_CELL_H
#define PULLGATE_TESTS_CELL_H

#include <stddef.h>
#include <sys/types.h>

#include "common/role.h"
#include "sandbox/root.h"

/* Not alike, so that one taken for the other is seen. */
#define CELL_USER  61001
#define CELL_GROUP 61002

/* What waits in each channel and in the packet socket. */
#define CELL_GREETING "greeting"

/* The installer's netlink socket, the first descriptor after the table. */
#define CELL_NETLINK FD_INHERITED_END

struct cell {
	pid_t pid;
	int outside[FD_INHERITED_END]; /* the other ends, or -1 */
	int log;                       /* reads its standard error */
};

/* What a test does in the child, with the argument of cell_open(); returns the exit status. */
typedef int cell_function(const void *argument);

/*
 * Starts a child that runs prepare (when there is one) as root, closes the sandbox of role as
 * user and group, then runs work. Statuses of their own: 100 when the cell can't be built, 101
 * when prepare returned anything but 0.
 */
struct cell cell_open_as(enum role role, uid_t user, gid_t group, cell_function *prepare,
	cell_function *work, const void *argument);

/* As CELL_USER and CELL_GROUP, without preparation. */
struct cell cell_open(enum role role, cell_function *work, const void *argument);

/* A connector whose origins need that. */
struct cell cell_open_sharing(const struct root_needs *needs, cell_function *work);

/* A fetcher whose origin is that directory. */
struct cell cell_open_within(const char *directory, cell_function *work, const void *argument);

/* Waits for its end; returns the status of waitpid(2). What it logged goes to log. */
int cell_close(struct cell *cell, char *log, size_t size);

/* Runs a cell from its begin to its end; prints its log only when its work returned an error. */
int cell_run(enum role role, cell_function *work, const void *argument);

/* Skips the test, with the reason printed, unless run by root. */
void cell_need_root(void);

#endif
