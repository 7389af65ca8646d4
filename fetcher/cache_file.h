/* SPDX-License-Identifier: ISC */
/*
 * SQLite's files as two descriptors that the process was started with: its database and its
 * write-ahead log. A VFS (sqlite.org/vfs.html) that opens nothing: it knows no path, makes no journal
 * and no temporary file, maps no memory and locks nothing. That the files are one instance's alone is
 * the supervisor's doing, which holds a lock on them (supervisor/cache_files.h).
 */
#ifndef PULLGATE_FETCHER_CACHE_FILE_H
#define PULLGATE_FETCHER_CACHE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The name of the database and of the VFS, for sqlite3_open_v2(). */
#define CACHE_FILE_DATABASE "peers"
#define CACHE_FILE_VFS      "descriptors"

/* A database begins with as much (sqlite.org/fileformat.html section 1.3). */
#define CACHE_FILE_HEAD_BYTES 100

/*
 * Starts SQLite: with this VFS, with memory that is wiped before it is freed (wiping_memory.h) and
 * bounded, without locks between threads. Before any other call of SQLite's; once. 0 or -ENOMEM.
 */
int cache_file_install(void);

/* The descriptors that the VFS is for from here on; they stay the caller's. */
void cache_file_use(int database, int log);

/* The database's first bytes, zeros behind its end. 0, or a negative errno. */
int cache_file_read_head(uint8_t head[static CACHE_FILE_HEAD_BYTES]);

/* Makes both empty, which needs no room on the disk, also there. 0, or a negative errno. */
int cache_file_empty(void);

/* Returns when what was committed is on the disk: a commit is in the log. 0, or a negative errno. */
int cache_file_sync_log(void);

#endif
