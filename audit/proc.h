/* SPDX-License-Identifier: ISC */
/* The files of one process below /proc (proc(5)). */
#ifndef PULLGATE_AUDIT_PROC_H
#define PULLGATE_AUDIT_PROC_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* directory: "/proc"; a test has one of its own. Each function: 0 or more, or a negative errno. */

/* The path of /proc/PID/name; path has PATH_MAX bytes. -ENAMETOOLONG. */
int proc_path(const char *directory, pid_t pid, const char *name, char *path);

/* Reads at most size - 1 bytes, and ends them with a zero. The number of bytes. */
ssize_t proc_read(const char *directory, pid_t pid, const char *name, char *text, size_t size);

/* Where a symbolic link points to, ended with a zero, cut to size. */
int proc_link(const char *directory, pid_t pid, const char *name, char *text, size_t size);

/* Follows a last symbolic link. */
int proc_stat(const char *directory, pid_t pid, const char *name, struct stat *status);

/*
 * Calls each with every entry of a directory but . and .., in no order; it ends the walk by other
 * than 0, which is returned then.
 */
int proc_walk(const char *directory, pid_t pid, const char *name,
	int (*each)(void *context, const char *entry), void *context);

/* The same with the process IDs in directory itself. */
int proc_walk_processes(
	const char *directory, int (*each)(void *context, pid_t pid), void *context);

#endif
