/* SPDX-License-Identifier: ISC */
/*
 * A directory that looks like /proc to the audit, with an instance in it whose five processes are
 * as designed: process 100 is the supervisor, 100 + role a child. Tests spoil one file of it.
 */
#ifndef PULLGATE_TESTS_FAKE_PROC_H
#define PULLGATE_TESTS_FAKE_PROC_H

#include "audit/audit.h"

#define FAKE_SUPERVISOR 100
#define FAKE_CACHE      "/var/lib/pullgate/wg0/peers.sqlite"
#define FAKE_USER(role) (61000 + (unsigned)(role)) /* and group; 0 for the supervisor */

struct fake_proc {
	char top[64]; /* holds proc/, bin/ and wg0.conf */
	char proc[80], config[80];
};

/* Its own directory below /tmp. Needs root: a file's owner tells whether there are dumps. */
void fake_proc_make(struct fake_proc *fake);

void fake_proc_remove(const struct fake_proc *fake);

/* Replaces a process' file, or a symbolic link. name is relative to its directory. */
void fake_proc_write(
	const struct fake_proc *fake, int pid, const char *name, const char *text, size_t length);
void fake_proc_link(const struct fake_proc *fake, int pid, const char *name, const char *target);

/* Replaces a text that is there by another in a process' file. */
void fake_proc_replace(
	const struct fake_proc *fake, int pid, const char *name, const char *old, const char *new);

/* A describe_socket_function: by number, as designed; 900 and above are UDP sockets. */
void fake_proc_describe_socket(pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES]);

#endif
