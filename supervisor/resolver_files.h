/* SPDX-License-Identifier: ISC */
/*
 * The files that the connector's resolver reads, which it has copies of from its start on: who
 * changes them wants the connector to know.
 */
#ifndef PULLGATE_RESOLVER_FILES_H
#define PULLGATE_RESOLVER_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define RESOLVER_FILES_COUNT    5
#define RESOLVER_FILES_EVERY_MS 5000

struct resolver_files {
	/* Of the file behind any symbolic link; all zero where there is none. */
	struct resolver_file {
		dev_t device;
		ino_t inode;
		off_t size;
		struct timespec modified;
	} seen[RESOLVER_FILES_COUNT];
};

/* Notes what they are now in that folder ("/etc"). */
void resolver_files_note(struct resolver_files *files, const char *folder);

/* The name of the first that isn't what was noted, "resolv.conf", or NULL. Static text. */
const char *resolver_files_changed(const struct resolver_files *files, const char *folder);

#endif
