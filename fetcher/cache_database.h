/* SPDX-License-Identifier: ISC */
/*
 * The cache's SQLite database: a table of entries, a row a key, and one that says whose they are.
 * Errors are SQLite's codes; SQLITE_OK is none.
 */
#ifndef PULLGATE_FETCHER_CACHE_DATABASE_H
#define PULLGATE_FETCHER_CACHE_DATABASE_H

#include <sqlite3.h>
#include <stdint.h>

#include "fetcher/cache_file.h"

/* Zeroed while it is closed. */
struct cache_database {
	sqlite3 *handle;
	sqlite3_stmt *put;    /* of a key and its value */
	sqlite3_stmt *remove; /* of a key */
};

/* What a file is by its first bytes: empty, or one whose making was broken off; a cache; neither. */
enum cache_kind { CACHE_NEW, CACHE_OURS, CACHE_FOREIGN };

enum cache_kind cache_database_kind(const uint8_t head[static CACHE_FILE_HEAD_BYTES]);

/* Opens the files of cache_file.h. Also after an error it is to be closed. */
int cache_database_open(struct cache_database *database);
void cache_database_close(struct cache_database *database);

/* Makes the tables in an empty one, which is that owner's from here on. */
int cache_database_make(struct cache_database *database, const char *owner);

/* *wrong says why the tables are not that owner's cache, or is NULL. */
int cache_database_examine(struct cache_database *database, const char *owner, const char **wrong);

/* Makes the two statements. */
int cache_database_prepare(struct cache_database *database);

/* Runs statements that have no result. */
int cache_database_run(struct cache_database *database, const char *sql);

/* What to say of an error; valid until the next call. */
const char *cache_database_reason(const struct cache_database *database, int code);

#endif
