/* SPDX-License-Identifier: ISC */
/* What is stored of one key, as bytes. */
#include "fetcher/cache_record.h"

#include <errno.h>
#include <string.h>

#include "common/siphash.h"

#define CHECK_BYTES 8

/* Directives that are there, by bit. */
enum {
	NO_STORE = 1,
	NO_CACHE = 2,
	MUST_REVALIDATE = 4,
	MAX_AGE = 8,
	STALE_IF_ERROR = 16,
	STALE_WHILE_REVALIDATE = 32,
	DIRECTIVES = 63,
};

/* Not a secret: it tells accidents, and who can write the file can compute it. */
static uint64_t check_sum(const uint8_t *bytes, size_t length)
{
	static const uint8_t seed[SIPHASH_SEED_BYTES] = "pullgate's cache";

	return siphash(seed, bytes, length);
}

/* Writing; there is room for everything. */

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	return at + bytes;
}

static uint8_t *put_control(uint8_t *at, const struct cache_control *control)
{
	unsigned directives =
		(control->no_store ? NO_STORE : 0U) | (control->no_cache ? NO_CACHE : 0U) |
		(control->must_revalidate ? MUST_REVALIDATE : 0U) |
		(control->max_age.is_given ? MAX_AGE : 0U) |
		(control->stale_if_error.is_given ? STALE_IF_ERROR : 0U) |
		(control->stale_while_revalidate.is_given ? STALE_WHILE_REVALIDATE : 0U);

	at = put_number(at, directives, 1);
	at = put_number(at, control->max_age.seconds, 4);
	at = put_number(at, control->stale_if_error.seconds, 4);
	return put_number(at, control->stale_while_revalidate.seconds, 4);
}

static uint8_t *put_text(uint8_t *at, const char text[static HTTP_VALIDATOR_BYTES])
{
	size_t length = strnlen(text, HTTP_VALIDATOR_BYTES - 1);

	at = put_number(at, length, 1);
	memcpy(at, text, length);
	return at + length;
}

static int put_peer(uint8_t *at, size_t size, const struct message_peer *peer)
{
	struct message message = {.type = MESSAGE_TYPE_PEER, .peer = *peer};
	int length = message_encode(&message, at, size);

	explicit_bzero(&message, sizeof(message));
	return length;
}

int cache_record_encode(
	const struct cache_record *record, uint8_t bytes[static CACHE_RECORD_BYTES_MAX])
{
	uint8_t *at = bytes;
	int length;

	if (record->peer.answer == PEER_FAILED)
		return -EINVAL;
	at = put_number(at, (uint64_t)record->stored_ms, 8);
	at = put_number(at, record->stale_while_revalidate_ms, 4);
	at = put_control(at, &record->control);
	at = put_number(at, record->validators.origin, 1);
	at = put_text(at, record->validators.etag);
	at = put_text(at, record->validators.last_modified);
	length = put_peer(
		at, CACHE_RECORD_BYTES_MAX - CHECK_BYTES - (size_t)(at - bytes), &record->peer);
	if (length < 0)
		return length;
	at += length;
	at = put_number(at, check_sum(bytes, (size_t)(at - bytes)), CHECK_BYTES);
	return (int)(at - bytes);
}

/* Reading: what goes past the end makes all the rest fail. */

struct reader {
	const uint8_t *at, *end;
	bool failed;
};

static const uint8_t *take(struct reader *reader, size_t bytes)
{
	const uint8_t *at = reader->at;

	if (reader->failed || (size_t)(reader->end - at) < bytes) {
		reader->failed = true;
		return NULL;
	}
	reader->at += bytes;
	return at;
}

static uint64_t take_number(struct reader *reader, unsigned bytes)
{
	const uint8_t *at = take(reader, bytes);
	uint64_t number = 0;

	for (unsigned i = 0; i < bytes && at != NULL; i++)
		number = number << 8 | at[i];
	return number;
}

static void take_control(struct reader *reader, struct cache_control *control)
{
	unsigned directives = (unsigned)take_number(reader, 1);

	if ((directives & ~(unsigned)DIRECTIVES) != 0)
		reader->failed = true;
	control->no_store = (directives & NO_STORE) != 0;
	control->no_cache = (directives & NO_CACHE) != 0;
	control->must_revalidate = (directives & MUST_REVALIDATE) != 0;
	control->max_age.is_given = (directives & MAX_AGE) != 0;
	control->stale_if_error.is_given = (directives & STALE_IF_ERROR) != 0;
	control->stale_while_revalidate.is_given = (directives & STALE_WHILE_REVALIDATE) != 0;
	control->max_age.seconds = (uint32_t)take_number(reader, 4);
	control->stale_if_error.seconds = (uint32_t)take_number(reader, 4);
	control->stale_while_revalidate.seconds = (uint32_t)take_number(reader, 4);
}

static void take_text(struct reader *reader, char text[static HTTP_VALIDATOR_BYTES])
{
	size_t length = (size_t)take_number(reader, 1);
	const uint8_t *at = take(reader, length);

	_Static_assert(HTTP_VALIDATOR_BYTES > UINT8_MAX, "no length is too great");
	if (at == NULL || memchr(at, '\0', length) != NULL)
		reader->failed = true;
	else
		memcpy(text, at, length);
}

/* They go into requests as they are. */
static bool are_valid(const struct validators *validators)
{
	return (validators->etag[0] == '\0' || http_is_entity_tag(validators->etag)) &&
	       (validators->last_modified[0] == '\0' ||
		       http_read_date(validators->last_modified) >= 0);
}

static bool take_peer(struct reader *reader, const uint8_t *key, struct message_peer *peer)
{
	struct message message;
	bool is_right;

	if (reader->failed)
		return false;
	is_right = message_decode(&message, reader->at, (size_t)(reader->end - reader->at)) == 0 &&
		   message.type == MESSAGE_TYPE_PEER && message.peer.id == 0 &&
		   message.peer.answer != PEER_FAILED &&
		   memcmp(message.peer.key, key, WIREGUARD_KEY_BYTES) == 0 &&
		   (message.peer.answer != PEER_FOUND ||
			   memcmp(message.peer.public_key, key, WIREGUARD_KEY_BYTES) == 0);
	if (is_right)
		*peer = message.peer;
	explicit_bzero(&message, sizeof(message));
	return is_right;
}

static bool decode(struct cache_record *record, const uint8_t *key, struct reader *reader)
{
	record->stored_ms = (int64_t)take_number(reader, 8);
	record->stale_while_revalidate_ms = (uint32_t)take_number(reader, 4);
	take_control(reader, &record->control);
	record->validators.origin = (unsigned)take_number(reader, 1);
	take_text(reader, record->validators.etag);
	take_text(reader, record->validators.last_modified);
	return record->stored_ms >= 0 && are_valid(&record->validators) &&
	       take_peer(reader, key, &record->peer);
}

int cache_record_decode(struct cache_record *record, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const uint8_t *bytes, size_t length)
{
	struct reader reader = {.at = bytes}, check;

	memset(record, 0, sizeof(*record));
	if (length < CHECK_BYTES || length > CACHE_RECORD_BYTES_MAX)
		return -EBADMSG;
	reader.end = bytes + length - CHECK_BYTES;
	check = (struct reader){.at = reader.end, .end = bytes + length};
	if (take_number(&check, CHECK_BYTES) == check_sum(bytes, length - CHECK_BYTES) &&
		decode(record, key, &reader))
		return 0;
	explicit_bzero(record, sizeof(*record));
	return -EBADMSG;
}

/* Time */

static uint64_t less(uint64_t ms, uint64_t gone_ms)
{
	return ms > gone_ms ? ms - gone_ms : 0;
}

void cache_record_age(struct cache_record *record, int64_t now_ms)
{
	struct message_peer *peer = &record->peer;
	uint64_t gone_ms = now_ms < record->stored_ms ? peer->valid_ms
						      : (uint64_t)(now_ms - record->stored_ms);
	uint64_t late_ms = less(gone_ms, peer->valid_ms);

	peer->valid_ms = less(peer->valid_ms, gone_ms);
	peer->stale_ms = less(peer->stale_ms, late_ms);
	record->stale_while_revalidate_ms =
		(uint32_t)less(record->stale_while_revalidate_ms, late_ms);
	record->stored_ms = now_ms;
}
