/* SPDX-License-Identifier: ISC */
/* LOOKUPs and what they are answered. */
#include "fetcher/lookups.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"

/* Lines about what isn't bounded by the rate of requests. */
#define LINES_A_SECOND 100

/* Whoever floods us with lookups, or reads no answers, must not flood the log. */
static bool may_log(struct fetcher *fetcher)
{
	return line_budget_take(&fetcher->lines, clock_ms(), LINES_A_SECOND);
}

/* What was lost and failed, in one line now and then. */
void lookups_report(struct fetcher *fetcher, int64_t now_ms)
{
	uint64_t unasked = fetcher->process.channels[ROLE_CONNECTOR].dropped;

	if (count_report_due(&fetcher->report, fetcher->lost + fetcher->failed + unasked, now_ms))
		log_event(LOG_LEVEL_NOTICE, "dropped",
			"answers_lost=%" PRIu64 " lookups_failed=%" PRIu64
			" unsent_connects=%" PRIu64,
			fetcher->lost, fetcher->failed, unasked);
}

/* An answer that finds the installer gone or busy is lost: the client's retry asks again, and so
 * does the installer. */
static void send_peer(struct fetcher *fetcher, const struct message *message)
{
	int error = channel_send(&fetcher->process.channels[ROLE_INSTALLER], message);

	if (error == 0)
		return;
	fetcher->lost++;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_WARNING, "answer_lost", "id=%" PRIu64 " error=\"%s\"",
			message->peer.id, strerror(-error));
}

/* Sends the answer to everybody who waits for it. */
static void answer_all(
	struct fetcher *fetcher, const struct lookup *lookup, const struct message_peer *peer)
{
	struct message message = {.type = MESSAGE_TYPE_PEER, .peer = *peer};

	for (unsigned i = 0; i < lookup->id_count; i++) {
		message.peer.id = lookup->ids[i];
		send_peer(fetcher, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

/* Sends a copy to one who asked; cache is what RFC 9211 calls it, but for its ttl. */
static void answer_copy(struct fetcher *fetcher, uint64_t id, const struct cached_peer *cached,
	const char *cache, int64_t now_ms)
{
	struct message message = {.type = MESSAGE_TYPE_PEER};
	char key[KEY_BASE64_BYTES];

	cached_peer_read(&message.peer, cached, now_ms);
	message.peer.id = id;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "answer_cached",
			"id=%" PRIu64 " key=%s answer=found valid_ms=%" PRIu64
			" cache=\"%s; ttl=%" PRIu64 "\"",
			id, key_to_base64(key, message.peer.key), message.peer.valid_ms, cache,
			message.peer.valid_ms / 1000);
	send_peer(fetcher, &message);
	explicit_bzero(&message, sizeof(message));
}

static bool may_be_used_on_error(const struct cached_peer *cached, int64_t now_ms)
{
	return cached != NULL && cached_peer_use(cached, now_ms) != CACHED_STALE;
}

bool lookups_use_stale(struct fetcher *fetcher, struct lookup *lookup, int64_t now_ms)
{
	const struct cached_peer *cached = peer_cache_find(fetcher->peers, lookup->key);

	if (!may_be_used_on_error(cached, now_ms))
		return false;
	for (unsigned i = 0; i < lookup->id_count; i++) {
		if ((lookup->ids[i] & LOOKUP_RENEWAL_BIT) == 0)
			answer_copy(fetcher, lookup->ids[i], cached, "hit; detail=stale", now_ms);
	}
	lookup_table_make_renewal(fetcher->lookups, lookup);
	return true;
}

static void log_failure(
	struct fetcher *fetcher, const struct lookup *lookup, const struct answer *answer)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];

	fetcher->failed++;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_WARNING, "answer_failed", "id=%" PRIu64 " key=%s reason=%s",
			lookup_newest_id(lookup), key_to_base64(key, lookup->key),
			log_quote(quoted, answer->reason));
}

void lookups_end(struct fetcher *fetcher, struct lookup *lookup, struct answer *answer)
{
	const struct message_peer *peer = &answer->peer;
	int64_t now_ms = clock_ms();

	if (peer->answer == PEER_FAILED) {
		log_failure(fetcher, lookup, answer);
		lookups_use_stale(fetcher, lookup, now_ms);
	} else if (peer->answer != PEER_FOUND) {
		/* A definite answer: nothing cached revives the key. */
		peer_cache_remove(fetcher->peers, lookup->key);
		negative_cache_put(fetcher->negatives, lookup->key, (enum peer_answer)peer->answer,
			(uint32_t)peer->valid_ms, now_ms);
	} else {
		/* And what was absent once is so no more. */
		negative_cache_put(fetcher->negatives, lookup->key, PEER_ABSENT, 0, now_ms);
	}
	answer_all(fetcher, lookup, peer);
	lookup_table_remove(fetcher->lookups, lookup);
	explicit_bzero(answer, sizeof(*answer));
}

void lookups_fail(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	struct answer answer;

	answer_fail(&answer, lookup->key, "%s", reason);
	lookups_end(fetcher, lookup, &answer);
}

void lookups_fail_idle(struct fetcher *fetcher, const char *reason)
{
	struct lookup *lookup = NULL;

	while ((lookup = lookup_table_walk(fetcher->lookups, lookup)) != NULL) {
		if (lookup->state != LOOKUP_ACTIVE)
			lookups_fail(fetcher, lookup, reason);
	}
}

/* Whether the key is known as absent or revoked; then it is answered. */
static bool answer_negative(
	struct fetcher *fetcher, const struct message_lookup *lookup, int64_t now_ms)
{
	struct message message = {.type = MESSAGE_TYPE_PEER};
	char key[KEY_BASE64_BYTES];
	enum peer_answer answer;
	uint32_t left_ms = negative_cache_get(fetcher->negatives, lookup->key, &answer, now_ms);

	if (left_ms == 0)
		return false;
	message.peer.id = lookup->id;
	memcpy(message.peer.key, lookup->key, sizeof(message.peer.key));
	message.peer.answer = answer;
	message.peer.valid_ms = left_ms;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "answer_cached",
			"id=%" PRIu64 " key=%s answer=%s valid_ms=%u cache=\"hit; ttl=%u\"",
			lookup->id, key_to_base64(key, lookup->key), answer_name(answer), left_ms,
			left_ms / 1000);
	send_peer(fetcher, &message);
	return true;
}

static struct lookup *add(struct fetcher *fetcher, const uint8_t *key, uint64_t id,
	enum lookup_rank rank, int64_t now_ms)
{
	struct lookup *lookup, *displaced;
	char text[KEY_BASE64_BYTES];
	enum lookup_added added =
		lookup_table_add(fetcher->lookups, key, id, rank, now_ms, &lookup, &displaced);

	if (displaced != NULL)
		lookups_fail(fetcher, displaced, "too many lookups wait");
	if (added == LOOKUP_COLLAPSED && may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "collapsed", "id=%" PRIu64 " key=%s cache=collapsed", id,
			key_to_base64(text, key));
	return lookup;
}

/* Asks the origin for the cache's sake: its client has been answered. */
static void refresh(struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms)
{
	if (lookup_table_find(fetcher->lookups, message->key) != NULL ||
		origins_first(&fetcher->origins, 0, now_ms) == NULL)
		return;
	lookup_table_make_renewal(
		fetcher->lookups, add(fetcher, message->key, message->id, LOOKUP_RENEWAL, now_ms));
}

/* Whether what is cached of the key answers it. */
static bool answer_found(struct fetcher *fetcher, const struct message_lookup *message,
	const struct cached_peer *cached, int64_t now_ms)
{
	switch (cached_peer_use(cached, now_ms)) {
	case CACHED_FRESH:
		answer_copy(fetcher, message->id, cached, "hit", now_ms);
		return true;
	case CACHED_WHILE_REVALIDATE:
		answer_copy(fetcher, message->id, cached, "hit; detail=revalidated", now_ms);
		refresh(fetcher, message, now_ms);
		return true;
	case CACHED_IF_ERROR:
		if (!origins_refuse(&fetcher->origins, now_ms))
			return false;
		answer_copy(fetcher, message->id, cached, "hit; detail=stale", now_ms);
		return true;
	case CACHED_STALE:
		return false;
	}
	return false;
}

/* While the breaker is open nobody is kept waiting. */
static void end_refused(struct fetcher *fetcher, struct lookup *lookup, int64_t now_ms)
{
	if (origins_refuse(&fetcher->origins, now_ms) && lookup->state != LOOKUP_ACTIVE)
		lookups_fail(fetcher, lookup, "the origin fails, and is not asked for a while");
}

void lookups_take(struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms)
{
	const struct cached_peer *cached = peer_cache_find(fetcher->peers, message->key);
	enum lookup_rank rank = cached != NULL ? LOOKUP_KNOWN : LOOKUP_UNKNOWN;

	fetcher->asked_ms = now_ms;
	if (answer_negative(fetcher, message, now_ms))
		return;
	if (cached != NULL && answer_found(fetcher, message, cached, now_ms))
		return;
	end_refused(fetcher, add(fetcher, message->key, message->id, rank, now_ms), now_ms);
}

void lookups_renew(
	struct fetcher *fetcher, const struct message_revalidate *message, int64_t now_ms)
{
	struct lookup *lookup = add(fetcher, message->key, message->id, LOOKUP_RENEWAL, now_ms);

	if (message->end_to_end != 0)
		lookup->end_to_end = true;
	end_refused(fetcher, lookup, now_ms);
}
