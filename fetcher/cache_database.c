/* SPDX-License-Identifier: ISC */
/* The cache's SQLite database: its tables, and whether it is ours. */
#include "fetcher/cache_database.h"

#include <stdbool.h>
#include <string.h>

/* The database's header has both (sqlite.org/fileformat.html section 1.3); "pull", and the form of
 * the tables and records: one more for each change. */
#define APPLICATION_ID 0x70756c6c
#define FORMAT         1

#define SCHEMA_ENTRY "CREATE TABLE entry(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
#define SCHEMA_OWNER "CREATE TABLE owner(name TEXT NOT NULL)"

#define TEXT_OF(number)       TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number

int cache_database_run(struct cache_database *database, const char *sql)
{
	return sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
}

/* Whether the statement's first row begins with that text. */
static int expect_text(
	struct cache_database *database, const char *sql, const char *text, bool *is_so)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

	*is_so = false;
	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *found = (const char *)sqlite3_column_text(statement, 0);

		*is_so = found != NULL && strcmp(found, text) == 0;
	}
	return sqlite3_finalize(statement);
}

/* A database that was tampered with can do no more than be wrong. */
static void restrict_database(sqlite3 *handle)
{
	sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* What is closed is whole, or is thrown away. */
	sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
}

/* Exclusive first: with it the log has no file for its index. */
int cache_database_open(struct cache_database *database)
{
	int code = sqlite3_open_v2(CACHE_FILE_DATABASE, &database->handle,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, CACHE_FILE_VFS);

	if (code != SQLITE_OK)
		return code;
	restrict_database(database->handle);
	return cache_database_run(database,
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
		"PRAGMA cache_size = -4096; PRAGMA cell_size_check = ON;"
		"PRAGMA secure_delete = ON; PRAGMA synchronous = NORMAL;"
		"PRAGMA wal_autocheckpoint = 256;"
		"PRAGMA auto_vacuum = NONE; PRAGMA page_size = 4096");
}

void cache_database_close(struct cache_database *database)
{
	sqlite3_finalize(database->put);
	sqlite3_finalize(database->remove);
	sqlite3_close(database->handle);
	*database = (struct cache_database){.handle = NULL};
}

int cache_database_prepare(struct cache_database *database)
{
	int code = sqlite3_prepare_v2(
		database->handle, "REPLACE INTO entry VALUES(?1, ?2)", -1, &database->put, NULL);

	if (code != SQLITE_OK)
		return code;
	return sqlite3_prepare_v2(
		database->handle, "DELETE FROM entry WHERE key = ?1", -1, &database->remove, NULL);
}

static int write_owner(struct cache_database *database, const char *owner)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(
		database->handle, "INSERT INTO owner VALUES(?1)", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_text(statement, 1, owner, -1, SQLITE_STATIC);
	sqlite3_step(statement);
	return sqlite3_finalize(statement);
}

/*
 * In an empty database. Its header has our mark as soon as it has anything, so that whatever a crash
 * leaves of this is known as ours. There is nothing yet that a journal could save.
 */
int cache_database_make(struct cache_database *database, const char *owner)
{
	bool is_so = false;
	int code = cache_database_run(database,
		"PRAGMA journal_mode = MEMORY; BEGIN;"
		"PRAGMA application_id = " TEXT_OF(
			APPLICATION_ID) ";"
					"PRAGMA user_version = " TEXT_OF(FORMAT) ";" SCHEMA_ENTRY
										 ";" SCHEMA_OWNER);

	if (code == SQLITE_OK)
		code = write_owner(database, owner);
	if (code == SQLITE_OK)
		code = cache_database_run(database, "COMMIT");
	if (code == SQLITE_OK)
		code = expect_text(database, "PRAGMA journal_mode = WAL", "wal", &is_so);
	return code == SQLITE_OK && !is_so ? SQLITE_ERROR : code;
}

/* What is wrong with a database that can be read; NULL when nothing is. */
int cache_database_examine(struct cache_database *database, const char *owner, const char **wrong)
{
	static const struct {
		const char *sql, *expected, *wrong;
	} all[] = {
		{"PRAGMA user_version", TEXT_OF(FORMAT), "written by another version of pullgate"},
		{"SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)",
			SCHEMA_ENTRY ";" SCHEMA_OWNER, "has other tables"},
		{"SELECT group_concat(name, ' and ') FROM owner", NULL,
			"written for another interface or origin"},
	};
	bool is_so = true;
	int code = SQLITE_OK;

	*wrong = NULL;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && is_so && code == SQLITE_OK; i++) {
		code = expect_text(database, all[i].sql,
			all[i].expected != NULL ? all[i].expected : owner, &is_so);
		if (!is_so)
			*wrong = all[i].wrong;
	}
	return code;
}

const char *cache_database_reason(const struct cache_database *database, int code)
{
	return database->handle != NULL && code == SQLITE_ERROR ? sqlite3_errmsg(database->handle)
								: sqlite3_errstr(code);
}

/* By its head: section 1.3 of the file format. What has our mark but no log yet is one whose making
 * was broken off. */
enum cache_kind cache_database_kind(const uint8_t head[static CACHE_FILE_HEAD_BYTES])
{
	static const uint8_t nothing[CACHE_FILE_HEAD_BYTES];
	static const uint8_t mark[] = {APPLICATION_ID >> 24, APPLICATION_ID >> 16 & 0xff,
		APPLICATION_ID >> 8 & 0xff, APPLICATION_ID & 0xff};

	if (memcmp(head, nothing, sizeof(nothing)) == 0)
		return CACHE_NEW;
	if (memcmp(head, "SQLite format 3", 16) != 0 || memcmp(head + 68, mark, sizeof(mark)) != 0)
		return CACHE_FOREIGN;
	return head[18] == 2 && head[19] == 2 ? CACHE_OURS : CACHE_NEW;
}
