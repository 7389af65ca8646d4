/* SPDX-License-Identifier: ISC */
/* The caches of found peers and of refusals, kept on disk as well. */
#include "fetcher/cache_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "fetcher/cache_database.h"
#include "fetcher/cache_file.h"
#include "fetcher/cache_record.h"

#define TEXT_OF(number)       TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number

struct cache_store {
	struct peer_cache *peers;
	struct negative_cache *negatives;
	char owner[CACHE_STORE_OWNER_BYTES];
	bool keep_preshared_keys;

	struct cache_database database; /* closed: nothing is kept now */

	bool has_more; /* rows to read, with keys greater than this one */
	uint8_t read_to[WIREGUARD_KEY_BYTES];
	bool is_loading; /* some of them right now */
	struct loaded {
		unsigned peers, refusals, dropped;
		int64_t began_ms;
	} loaded;

	uint8_t (*notes)[WIREGUARD_KEY_BYTES]; /* a ring */
	size_t first, count;

	int64_t write_ms; /* not before; without a database: when it begins anew, 0: never */
	int64_t sync_ms;  /* when what was committed must be on the disk; 0: it is */
	int64_t retry_ms; /* after the next failure */
};

static int64_t wall_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void disconnect(struct cache_store *store)
{
	cache_database_close(&store->database);
	store->count = 0;
	store->sync_ms = 0;
	store->has_more = false;
}

/* Failure */

/* Nothing is kept until it begins anew. */
static void give_up(struct cache_store *store, const char *reason)
{
	char quoted[LOG_QUOTED_BYTES];
	int error;

	log_event(LOG_LEVEL_ERROR, "cache_not_kept",
		"reason=%s effect=\"emptied; peers are cached in memory alone\" again_ms=%" PRId64,
		log_quote(quoted, reason), store->retry_ms);
	disconnect(store);
	error = cache_file_empty();
	if (error != 0)
		log_event(LOG_LEVEL_ERROR, "cache_not_emptied",
			"error=\"%s\" hint=\"delete the files, or a restart reads what is old\"",
			strerror(-error));
	store->write_ms = clock_ms() + store->retry_ms;
	store->retry_ms *= 2;
	if (store->retry_ms > CACHE_STORE_RETRY_MAX_MS)
		store->retry_ms = CACHE_STORE_RETRY_MAX_MS;
}

/* Begins with an empty database. False, and said so, when that fails. */
static bool begin_anew(struct cache_store *store)
{
	int error, code;

	disconnect(store);
	error = cache_file_empty();
	if (error != 0) {
		give_up(store, strerror(-error));
		return false;
	}
	code = cache_database_open(&store->database);
	if (code == SQLITE_OK)
		code = cache_database_make(&store->database, store->owner);
	if (code == SQLITE_OK)
		code = cache_database_prepare(&store->database);
	if (code != SQLITE_OK)
		give_up(store, cache_database_reason(&store->database, code));
	return code == SQLITE_OK;
}

/* Reading */

static bool load_found(struct cache_store *store, const struct cache_record *record, int64_t now_ms)
{
	const struct freshness freshness = {.may_store = true,
		.fresh_ms = (uint32_t)record->peer.valid_ms,
		.stale_if_error_ms = (uint32_t)record->peer.stale_ms,
		.stale_while_revalidate_ms = record->stale_while_revalidate_ms};

	if (record->peer.has_preshared_key != 0 && !store->keep_preshared_keys)
		return false;
	return !peer_cache_is_full(store->peers) &&
	       peer_cache_put(store->peers, &record->peer, &record->control, &freshness,
		       &record->validators, now_ms) == 0;
}

static bool load_refusal(struct cache_store *store, const struct cache_record *record)
{
	const struct message_peer *peer = &record->peer;

	if (peer->valid_ms == 0)
		return false;
	negative_cache_put(store->negatives, peer->key, (enum peer_answer)peer->answer,
		(uint32_t)peer->valid_ms, clock_ms());
	return true;
}

/* What the caches have of a key came later than its row. */
static bool is_known(struct cache_store *store, const uint8_t *key)
{
	enum peer_answer answer;

	return peer_cache_peek(store->peers, key) != NULL ||
	       negative_cache_get(store->negatives, key, &answer, clock_ms()) > 0;
}

/* Whether the row is worth its place. */
static bool load_row(struct cache_store *store, const uint8_t *key, sqlite3_stmt *row)
{
	const uint8_t *value = sqlite3_column_blob(row, 1);
	struct cache_record record;
	bool is_kept;

	if (is_known(store, key))
		return true;
	if (value == NULL ||
		cache_record_decode(&record, key, value, (size_t)sqlite3_column_bytes(row, 1)) != 0)
		return false;
	cache_record_age(&record, wall_clock_ms());
	if (record.peer.answer == PEER_FOUND) {
		is_kept = load_found(store, &record, clock_ms());
		store->loaded.peers += is_kept;
	} else {
		is_kept = load_refusal(store, &record);
		store->loaded.refusals += is_kept;
	}
	explicit_bzero(&record, sizeof(record));
	return is_kept;
}

static int drop_row(struct cache_store *store, sqlite3_stmt *row)
{
	store->loaded.dropped++;
	sqlite3_bind_value(store->database.remove, 1, sqlite3_column_value(row, 0));
	sqlite3_step(store->database.remove);
	return sqlite3_reset(store->database.remove);
}

/* From the first key behind read_to on. A key of another length is nobody's, and goes. */
static int load_rows(struct cache_store *store, sqlite3_stmt *row)
{
	unsigned count = 0;
	int code;

	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		const uint8_t *key = sqlite3_column_blob(row, 0);
		bool is_key = key != NULL && sqlite3_column_bytes(row, 0) == WIREGUARD_KEY_BYTES;

		count++;
		if (is_key)
			memcpy(store->read_to, key, WIREGUARD_KEY_BYTES);
		if (is_key && load_row(store, key, row))
			continue;
		code = drop_row(store, row);
		if (code != SQLITE_OK)
			return code;
	}
	store->has_more = count == CACHE_STORE_ROWS_EACH;
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_some(struct cache_store *store)
{
	sqlite3_stmt *row;
	int code = cache_database_run(&store->database, "BEGIN");

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(store->database.handle,
			"SELECT key, value FROM entry WHERE key > ?1 ORDER BY key LIMIT " TEXT_OF(
				CACHE_STORE_ROWS_EACH),
			-1, &row, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_blob(row, 1, store->read_to, WIREGUARD_KEY_BYTES, SQLITE_STATIC);
	store->is_loading = true;
	code = load_rows(store, row);
	store->is_loading = false;
	sqlite3_finalize(row);
	return code == SQLITE_OK ? cache_database_run(&store->database, "COMMIT") : code;
}

/* When all is read the log is made empty: nothing of the rows that went stays in it. */
static int finish_loading(struct cache_store *store)
{
	log_event(LOG_LEVEL_NOTICE, "cache_loaded",
		"peers=%u refusals=%u dropped=%u time_ms=%" PRId64, store->loaded.peers,
		store->loaded.refusals, store->loaded.dropped, clock_ms() - store->loaded.began_ms);
	return cache_database_run(&store->database, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static int load(struct cache_store *store, int64_t patience_ms)
{
	int code = SQLITE_OK;

	store->has_more = true;
	memset(store->read_to, 0, sizeof(store->read_to));
	while (code == SQLITE_OK && store->has_more &&
		clock_ms() - store->loaded.began_ms < patience_ms)
		code = load_some(store);
	return code == SQLITE_OK && !store->has_more ? finish_loading(store) : code;
}

/* What is wrong with it, or NULL. */
static const char *read_database(struct cache_store *store, int64_t patience_ms)
{
	const char *wrong = NULL;
	int code = cache_database_open(&store->database);

	if (code == SQLITE_OK)
		code = cache_database_examine(&store->database, store->owner, &wrong);
	if (code == SQLITE_OK && wrong != NULL)
		return wrong;
	if (code == SQLITE_OK)
		code = cache_database_prepare(&store->database);
	if (code == SQLITE_OK)
		code = load(store, patience_ms);
	return code == SQLITE_OK ? NULL : cache_database_reason(&store->database, code);
}

/* Opening */

/* What is damaged is empty: some of it may have been read before that showed. */
static void empty_damaged(struct cache_store *store, const char *wrong)
{
	char quoted[LOG_QUOTED_BYTES];

	peer_cache_clear(store->peers);
	negative_cache_clear(store->negatives);
	log_event(LOG_LEVEL_WARNING, "cache_emptied", "reason=%s", log_quote(quoted, wrong));
	begin_anew(store);
}

static void take_over(struct cache_store *store, int64_t patience_ms)
{
	const char *wrong;

	store->loaded = (struct loaded){.began_ms = clock_ms()};
	wrong = read_database(store, patience_ms);
	if (wrong != NULL)
		empty_damaged(store, wrong);
}

void cache_store_open(
	struct cache_store *store, const char *owner, bool keep_preshared_keys, int64_t patience_ms)
{
	uint8_t head[CACHE_FILE_HEAD_BYTES];
	int error = cache_file_read_head(head);

	snprintf(store->owner, sizeof(store->owner), "%s", owner);
	store->keep_preshared_keys = keep_preshared_keys;
	if (error != 0) {
		log_event(LOG_LEVEL_ERROR, "cache_unusable", "error=\"%s\"", strerror(-error));
		return;
	}
	switch (cache_database_kind(head)) {
	case CACHE_NEW:
		begin_anew(store);
		return;
	case CACHE_OURS:
		take_over(store, patience_ms);
		return;
	case CACHE_FOREIGN:
		log_event(LOG_LEVEL_ERROR, "cache_unusable",
			"reason=\"the file is no cache of pullgate's\" "
			"effect=\"it is left alone; peers are cached in memory alone\"");
		return;
	}
}

/* Writing */

/* The wall clock's time goes with what is left by the other one. */
static bool record_found(
	struct cache_store *store, struct cache_record *record, const uint8_t *key, int64_t now_ms)
{
	const struct cached_peer *cached = peer_cache_peek(store->peers, key);

	if (cached == NULL)
		return false;
	cached_peer_read(&record->peer, cached, now_ms);
	record->stale_while_revalidate_ms = cached_peer_while_revalidate_ms(cached, now_ms);
	record->control = *cached_peer_control(cached);
	record->validators.origin = cached_peer_origin(cached);
	snprintf(record->validators.etag, sizeof(record->validators.etag), "%s",
		cached_peer_etag(cached));
	snprintf(record->validators.last_modified, sizeof(record->validators.last_modified), "%s",
		cached_peer_last_modified(cached));
	return record->peer.has_preshared_key == 0 || store->keep_preshared_keys;
}

static bool record_refusal(
	struct cache_store *store, struct cache_record *record, const uint8_t *key, int64_t now_ms)
{
	enum peer_answer answer;
	uint32_t left_ms = negative_cache_get(store->negatives, key, &answer, now_ms);

	if (left_ms < CACHE_STORE_REFUSAL_MS)
		return false;
	memcpy(record->peer.key, key, sizeof(record->peer.key));
	record->peer.answer = answer;
	record->peer.valid_ms = left_ms;
	return true;
}

/* The length of what is to be kept of the key, or 0. */
static int make_row(struct cache_store *store, uint8_t bytes[static CACHE_RECORD_BYTES_MAX],
	const uint8_t *key, bool *is_refusal, int64_t now_ms)
{
	struct cache_record record = {.stored_ms = wall_clock_ms()};
	int length = 0;

	*is_refusal = record_refusal(store, &record, key, now_ms);
	if (*is_refusal || record_found(store, &record, key, now_ms))
		length = cache_record_encode(&record, bytes);
	explicit_bzero(&record, sizeof(record));
	return length > 0 ? length : 0;
}

static int step(sqlite3_stmt *statement)
{
	int code;

	sqlite3_step(statement);
	code = sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code;
}

/* Writes what the caches have of the key. *takes_back: what was there before must not come back. */
static int write_key(
	struct cache_store *store, const uint8_t *key, bool *takes_back, int64_t now_ms)
{
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];
	bool is_refusal;
	int length = make_row(store, bytes, key, &is_refusal, now_ms), code;

	if (length == 0) {
		sqlite3_bind_blob(
			store->database.remove, 1, key, WIREGUARD_KEY_BYTES, SQLITE_STATIC);
		code = step(store->database.remove);
		*takes_back |= sqlite3_changes(store->database.handle) > 0;
		return code;
	}
	sqlite3_bind_blob(store->database.put, 1, key, WIREGUARD_KEY_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob(store->database.put, 2, bytes, length, SQLITE_STATIC);
	code = step(store->database.put);
	*takes_back |= is_refusal;
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

/* The oldest notes, as many as one commit is for. */
static int write_notes(struct cache_store *store, bool *takes_back, int64_t now_ms)
{
	int code = cache_database_run(&store->database, "BEGIN");

	for (unsigned i = 0; i < CACHE_STORE_KEYS_EACH && store->count > 0 && code == SQLITE_OK;
		i++) {
		code = write_key(store, store->notes[store->first], takes_back, now_ms);
		store->first = (store->first + 1) % CACHE_STORE_NOTES_MAX;
		store->count--;
	}
	return code == SQLITE_OK ? cache_database_run(&store->database, "COMMIT") : code;
}

static void sync_log(struct cache_store *store)
{
	int error = cache_file_sync_log();

	store->sync_ms = 0;
	if (error != 0)
		give_up(store, strerror(-error));
}

static void pace(struct cache_store *store, int64_t began_ms)
{
	int64_t ended_ms = clock_ms();
	int64_t rest_ms = (ended_ms - began_ms) * (CACHE_STORE_SHARE - 1);

	if (rest_ms < CACHE_STORE_WRITE_MS && store->count < CACHE_STORE_KEYS_EACH)
		rest_ms = CACHE_STORE_WRITE_MS;
	store->write_ms = ended_ms + rest_ms;
}

static void commit(struct cache_store *store, int64_t now_ms)
{
	int64_t began_ms = clock_ms();
	bool takes_back = false;
	int code = write_notes(store, &takes_back, now_ms);

	if (code != SQLITE_OK) {
		give_up(store, cache_database_reason(&store->database, code));
		return;
	}
	store->retry_ms = CACHE_STORE_RETRY_MS;
	if (store->sync_ms == 0)
		store->sync_ms = now_ms + CACHE_STORE_SYNC_MS;
	if (takes_back)
		sync_log(store);
	if (store->database.handle != NULL)
		pace(store, began_ms);
}

/* What changed meanwhile is written first: a row that is to go must not be read. */
static void read_on(struct cache_store *store, int64_t now_ms)
{
	int code;

	while (store->database.handle != NULL && store->count > 0)
		commit(store, now_ms);
	if (store->database.handle == NULL)
		return;
	code = load_some(store);
	if (code == SQLITE_OK && !store->has_more)
		code = finish_loading(store);
	store->write_ms = clock_ms() + 1;
	if (code != SQLITE_OK)
		empty_damaged(store, cache_database_reason(&store->database, code));
}

void cache_store_write(struct cache_store *store, int64_t now_ms)
{
	if (store->database.handle == NULL) {
		if (store->write_ms != 0 && now_ms >= store->write_ms && begin_anew(store))
			log_event(LOG_LEVEL_NOTICE, "cache_kept_again", "");
		return;
	}
	if (store->has_more) {
		if (now_ms >= store->write_ms)
			read_on(store, now_ms);
		return;
	}
	if (store->count > 0 && now_ms >= store->write_ms)
		commit(store, now_ms);
	if (store->sync_ms != 0 && now_ms >= store->sync_ms)
		sync_log(store);
}

int64_t cache_store_due_ms(const struct cache_store *store)
{
	int64_t write_ms = store->write_ms > 0 ? store->write_ms : 1;

	if (store->database.handle == NULL)
		return store->write_ms;
	if (store->has_more)
		return write_ms;
	if (store->count > 0 && (store->sync_ms == 0 || write_ms < store->sync_ms))
		return write_ms;
	return store->sync_ms;
}

/* A key that changed. While all is read it is as it was stored, but for what gives way. */
static void note(void *context, const uint8_t *key, bool is_gone)
{
	struct cache_store *store = context;

	if (store->database.handle == NULL || (store->is_loading && !is_gone))
		return;
	if (store->count == CACHE_STORE_NOTES_MAX && !store->is_loading)
		commit(store, clock_ms());
	if (store->database.handle == NULL || store->count == CACHE_STORE_NOTES_MAX)
		return;
	memcpy(store->notes[(store->first + store->count) % CACHE_STORE_NOTES_MAX], key,
		WIREGUARD_KEY_BYTES);
	store->count++;
}

/* Life */

struct cache_store *cache_store_new(struct peer_cache *peers, struct negative_cache *negatives)
{
	struct cache_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	store->peers = peers;
	store->negatives = negatives;
	store->retry_ms = CACHE_STORE_RETRY_MS;
	store->notes = calloc(CACHE_STORE_NOTES_MAX, sizeof(store->notes[0]));
	if (store->notes == NULL) {
		free(store);
		return NULL;
	}
	peer_cache_watch(peers, (struct cache_watcher){note, store});
	negative_cache_watch(negatives, (struct cache_watcher){note, store});
	return store;
}

void cache_store_free(struct cache_store *store)
{
	if (store == NULL)
		return;
	peer_cache_watch(store->peers, (struct cache_watcher){NULL, NULL});
	negative_cache_watch(store->negatives, (struct cache_watcher){NULL, NULL});
	disconnect(store);
	free(store->notes);
	free(store);
}

void cache_store_forget(struct cache_store *store, const char *owner)
{
	snprintf(store->owner, sizeof(store->owner), "%s", owner);
	if (store->database.handle != NULL)
		begin_anew(store);
}

void cache_store_keep_preshared_keys(struct cache_store *store, bool keep)
{
	bool must_go = store->keep_preshared_keys && !keep;

	store->keep_preshared_keys = keep;
	if (must_go && store->database.handle != NULL)
		begin_anew(store);
}
