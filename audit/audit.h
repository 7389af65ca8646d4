/* SPDX-License-Identifier: ISC */
/*
 * Compares what the kernel says of running processes with what the design allows them, which are
 * the tables that made them so: sandbox/walls.h, sandbox/limits.h, common/role.h.
 */
#ifndef PULLGATE_AUDIT_H
#define PULLGATE_AUDIT_H

#include <stdio.h>
#include <sys/types.h>

#include "audit/instance.h"
#include "audit/report.h"
#include "audit/status.h"
#include "supervisor/users.h"

#define AUDIT_TEXT_BYTES 96

/* What a descriptor of another process is, when /proc says that it is a socket. */
typedef void describe_socket_function(pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES]);

struct audit {
	const char *proc; /* "/proc"; a test has a directory that looks like it */
	const char *config_path;
	const char *fetcher_root; /* the directory that is the fetcher's root; NULL: an empty one */
	struct user users[ROLE_COUNT];
	describe_socket_function *describe_socket;

	/* audit_run() fills the rest. */
	struct instance instance;
	struct process_status status[ROLE_COUNT];
	struct report report;
};

/* The exit statuses of pullgate --audit. */
enum audit_result {
	AUDIT_AS_DESIGNED = 0,
	AUDIT_DIFFERS = 1,
	AUDIT_IMPOSSIBLE = 3, /* no instance, or two: said on stderr */
};

/* Needs root, whose CAP_SYS_PTRACE opens what /proc says of other users' processes. */
enum audit_result audit_run(struct audit *audit, FILE *out);

/* "ipv4 stream", "unix seqpacket", "packet dgram, filter locked", ... through pidfd_getfd(2). */
void audit_describe_socket(pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES]);

#endif
