/* SPDX-License-Identifier: ISC */
/*
 * The files of the cache that survives: opened here, used by the fetcher alone, which sees no path
 * of them. They stay open as long as the supervisor lives, so that a fetcher that is restarted goes
 * on with them.
 */
#ifndef PULLGATE_CACHE_FILES_H
#define PULLGATE_CACHE_FILES_H

/* -1 without a cache. */
struct cache_files {
	int database, log;
};

/*
 * Opens both files in the directory, and makes what is missing of all three (0700 and 0600). An empty
 * directory's name: there is no cache, and both are -1. 0, or a negative errno with *what (static
 * text) was being done: -EPERM for a directory or a file that others than its owner, us, have a right
 * to, or that is something else; -EWOULDBLOCK when another instance has them.
 */
int cache_files_open(struct cache_files *files, const char *directory, const char **what);

#endif
