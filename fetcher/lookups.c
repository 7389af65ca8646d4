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

/* An answer that finds the installer gone or busy is lost: the client's retry asks again. */
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
static void answer_lookup(
	struct fetcher *fetcher, const struct lookup *lookup, const struct message_peer *peer)
{
	struct message message = {.type = MESSAGE_TYPE_PEER, .peer = *peer};

	for (unsigned i = 0; i < lookup->id_count; i++) {
		message.peer.id = lookup->ids[i];
		send_peer(fetcher, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

static void log_failure(
	struct fetcher *fetcher, const struct lookup *lookup, const struct answer *answer)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];
	int64_t now_ms = clock_ms();

	fetcher->failed++;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_WARNING, "answer_failed", "id=%" PRIu64 " key=%s reason=%s",
			lookup_newest_id(lookup), key_to_base64(key, lookup->key),
			log_quote(quoted, answer->reason));
	if (!answer->credentials_refused ||
		(fetcher->loud_ms != 0 && now_ms - fetcher->loud_ms < FETCHER_LOUD_MS))
		return;
	fetcher->loud_ms = now_ms;
	log_event(LOG_LEVEL_ERROR, "credentials_refused",
		"reason=%s hint=\"see bearer_token_file, client_cert_file, client_key_file\"",
		log_quote(quoted, answer->reason));
}

/* Ends a lookup with its answer, and wipes the answer. */
void lookups_end(struct fetcher *fetcher, struct lookup *lookup, struct answer *answer)
{
	const struct message_peer *peer = &answer->peer;

	if (peer->answer == PEER_FAILED)
		log_failure(fetcher, lookup, answer);
	else if (peer->answer != PEER_FOUND)
		negative_cache_put(fetcher->negatives, lookup->key, (enum peer_answer)peer->answer,
			(uint32_t)peer->valid_ms, clock_ms());
	if (answer->hold_ms > 0)
		fetcher->held_until_ms = clock_ms() + answer->hold_ms;
	answer_lookup(fetcher, lookup, peer);
	lookup_table_remove(fetcher->lookups, lookup);
	explicit_bzero(answer, sizeof(*answer));
}

void lookups_fail(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	struct answer answer;

	answer_fail(&answer, lookup->key, "%s", reason);
	lookups_end(fetcher, lookup, &answer);
}

void lookups_fail_queued(struct fetcher *fetcher, const char *reason)
{
	struct lookup *lookup;

	while ((lookup = lookup_table_newest(fetcher->lookups)) != NULL)
		lookups_fail(fetcher, lookup, reason);
}

static bool answer_from_cache(
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
			"id=%" PRIu64 " key=%s answer=%s valid_ms=%u", lookup->id,
			key_to_base64(key, lookup->key), answer_name(answer), left_ms);
	send_peer(fetcher, &message);
	return true;
}

void lookups_take(struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms)
{
	struct lookup *displaced;
	char key[KEY_BASE64_BYTES];
	enum lookup_added added;

	fetcher->asked_ms = now_ms;
	if (answer_from_cache(fetcher, message, now_ms))
		return;
	added = lookup_table_add(fetcher->lookups, message->key, message->id, now_ms, &displaced);
	if (displaced != NULL)
		lookups_fail(fetcher, displaced, "too many lookups wait");
	if (added == LOOKUP_COLLAPSED && may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "collapsed", "id=%" PRIu64 " key=%s", message->id,
			key_to_base64(key, message->key));
}
