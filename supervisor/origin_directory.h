/* SPDX-License-Identifier: ISC */
/*
 * The directory of a file: URL, which the fetcher has as its root from its start on. When its name
 * comes to stand for another one, by a rename or a mount, the fetcher still has the old one.
 */
#ifndef PULLGATE_ORIGIN_DIRECTORY_H
#define PULLGATE_ORIGIN_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/config.h"

#define ORIGIN_DIRECTORY_EVERY_MS 5000

struct origin_directory {
	dev_t device;
	ino_t inode; /* 0: none was there */
};

/*
 * Whether there is a directory where the origin's URL says. 0, also without such a URL, or a negative
 * errno with error as "DIRECTORY: reason".
 */
int origin_directory_check(const struct config *config, char error[static CONFIG_ERROR_BYTES]);

/* Notes which one it is now. */
void origin_directory_note(struct origin_directory *noted, const char *path);

/* Whether there is one, and not the one that was noted. */
bool origin_directory_changed(const struct origin_directory *noted, const char *path);

#endif
