/* SPDX-License-Identifier: ISC */
/* What /proc/PID/status, limits and mountinfo say (proc(5)). */
#ifndef PULLGATE_AUDIT_STATUS_H
#define PULLGATE_AUDIT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "sandbox/credentials.h"

/* The files' sizes: a status with many groups, a mountinfo of a large host. */
#define PROC_TEXT_BYTES 65536

enum capability_kind {
	CAPABILITIES_INHERITABLE,
	CAPABILITIES_PERMITTED,
	CAPABILITIES_EFFECTIVE,
	CAPABILITIES_BOUNDING,
	CAPABILITIES_AMBIENT,
	CAPABILITY_KINDS,
};

/* "CapInh", ... as the file has them. */
extern const char *const capability_kind_names[CAPABILITY_KINDS];

/* Real, effective, saved, and that of the file system. */
#define IDS 4

struct process_status {
	bool ended; /* a zombie */
	pid_t parent, tracer;
	unsigned long user[IDS], group[IDS];
	size_t groups; /* supplementary ones */
	capability_set capabilities[CAPABILITY_KINDS];
	unsigned long umask, threads, no_new_privileges, seccomp, seccomp_filters;
};

/* 0, or -EINVAL where a line is missing or isn't as the kernel writes it. */
int process_status_parse(struct process_status *status, const char *text);

/* The limit of that name in /proc/PID/limits; RLIM_INFINITY for "unlimited". 0 or -EINVAL. */
int limit_parse(const char *text, const char *name, struct rlimit *limit);

#define MOUNT_POINT_BYTES 256

/* The mount at / in /proc/PID/mountinfo, how many there are, and the last of the others. */
struct root_mount {
	size_t mounts;
	char type[32], options[128];
	char other_point[MOUNT_POINT_BYTES], other_options[128];
};

/* 0, or -EINVAL where there is no mount at /, or a line isn't as the kernel writes it. */
int root_mount_parse(struct root_mount *mount, const char *text);

/* "ro,nosuid" holds "ro". */
bool mount_option(const char *options, const char *option);

#endif
