/* SPDX-License-Identifier: ISC */
/* Lookups become requests, responses become answers. */
#include "fetcher/requests.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "fetcher/lookups.h"

/* A request that failed is tried again after a random time up to this, doubled for each try. */
#define RETRY_MS     100
#define RETRIES_MAX  4
#define RETRY_MAX_MS 2000

/* What became of the response here, in the words of RFC 9211. */
static const char *cache_words(const struct lookup *lookup, long status, bool is_stored)
{
	if (status == 304 && lookup->is_conditional)
		return "fwd=stale; fwd-status=304";
	if (lookup->is_conditional)
		return is_stored ? "fwd=stale; stored" : "fwd=stale";
	return is_stored ? "fwd=miss; stored" : "fwd=miss";
}

static const char *version_name(enum http_version version)
{
	static const char *const names[] = {
		[HTTP_UNKNOWN] = "none", [HTTP_1] = "1.1", [HTTP_2] = "2"};

	return names[version];
}

static void log_response(const struct lookup *lookup, const struct http_result *result,
	const struct answer *answer, bool is_stored)
{
	char key[KEY_BASE64_BYTES];

	log_event(LOG_LEVEL_INFO, "response",
		"id=%" PRIu64 " key=%s status=%ld answer=%s time_ms=%" PRId64
		" http=%s reused=%s valid_ms=%" PRIu64 " cache=\"%s\"",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), result->origin.status,
		answer_name((enum peer_answer)answer->peer.answer), result->time_ms,
		version_name(result->version), result->reused ? "yes" : "no", answer->peer.valid_ms,
		cache_words(lookup, result->origin.status, is_stored));
}

/* The breaker's change is worth a line; each failure behind it is not. */
static void note_failure(struct fetcher *fetcher, bool unreachable, const char *reason)
{
	char quoted[LOG_QUOTED_BYTES];
	bool is_news = fetcher->breaker.state == BREAKER_CLOSED;

	if (!breaker_failed(&fetcher->breaker, unreachable, &fetcher->jitter, clock_ms()))
		return;
	if (is_news)
		log_event(LOG_LEVEL_ERROR, "origin_fails", "failures=%u reason=%s",
			fetcher->breaker.failures, log_quote(quoted, reason));
	lookups_fail_idle(fetcher, reason);
}

static void note_success(struct fetcher *fetcher)
{
	if (breaker_succeeded(&fetcher->breaker))
		log_event(LOG_LEVEL_NOTICE, "origin_answers", "");
}

void requests_no_connection(struct fetcher *fetcher, const char *reason)
{
	note_failure(fetcher, true, reason);
}

/* Whether a try is left that comes within the patience of whoever waits. */
static bool try_again(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	uint64_t most_ms = (uint64_t)RETRY_MS << lookup->retries;
	int64_t now_ms = clock_ms(), wait_ms;
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];

	/* The installer asks again by itself. */
	if (lookup->rank == LOOKUP_RENEWAL || lookup->retries == RETRIES_MAX ||
		breaker_refuses(&fetcher->breaker, now_ms))
		return false;
	wait_ms = (int64_t)jitter_draw(
		&fetcher->jitter, most_ms < RETRY_MAX_MS ? most_ms : RETRY_MAX_MS);
	if (now_ms + wait_ms >= lookup->asked_ms + FETCHER_PATIENCE_MS)
		return false;
	lookup->retries++;
	lookup_table_wait(fetcher->lookups, lookup, now_ms + wait_ms);
	log_event(LOG_LEVEL_INFO, "retry", "id=%" PRIu64 " key=%s in_ms=%" PRId64 " reason=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), wait_ms,
		log_quote(quoted, reason));
	return true;
}

/* Only what makes the next request for this key conditional, and can be sent back as it came. */
static struct validators validators_of(const struct origin_response *response)
{
	struct validators validators = {.etag = "", .last_modified = ""};

	if (http_is_entity_tag(response->etag))
		memcpy(validators.etag, response->etag, strlen(response->etag) + 1);
	if (http_read_date(response->last_modified) >= 0 &&
		strlen(response->last_modified) < sizeof(validators.last_modified))
		memcpy(validators.last_modified, response->last_modified,
			strlen(response->last_modified) + 1);
	return validators;
}

/* Keeps what was found, or forgets what must not be kept. Whether it is kept. */
static bool keep(struct fetcher *fetcher, const struct answer *answer,
	const struct origin_response *response, int64_t now_ms)
{
	struct validators validators = validators_of(response);

	if (answer->peer.answer != PEER_FOUND)
		return false;
	if (answer->freshness.may_store)
		return peer_cache_put(fetcher->peers, &answer->peer, &answer->control,
			       &answer->freshness, &validators, now_ms) == 0;
	peer_cache_remove(fetcher->peers, answer->peer.key);
	return false;
}

/* RFC 9111 section 4.3.4: what is kept is confirmed, with the fields that the 304 brings. */
static void take_not_modified(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	const struct freshness_defaults defaults = {.fresh_ms = fetcher->settings.fresh_ttl_ms,
		.stale_if_error_ms = fetcher->settings.stale_if_error_ms};
	const struct cached_peer *cached = peer_cache_find(fetcher->peers, lookup->key);
	struct cache_control control;
	struct answer answer;
	int64_t now_ms = clock_ms();

	if (cached == NULL) {
		/* It gave way while the request was under way. */
		lookup->unconditionally = true;
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	control = *cached_peer_control(cached);
	if (result->origin.cache_control[0] != '\0')
		http_read_cache_control(&control, result->origin.cache_control);
	memset(&answer, 0, sizeof(answer));
	freshness_of(&answer.freshness, &control, &result->origin.age, &defaults, time(NULL));
	peer_cache_renew(fetcher->peers, lookup->key, &control, &answer.freshness, now_ms);
	cached_peer_read(&answer.peer, cached, now_ms);
	if (!answer.freshness.may_store)
		peer_cache_remove(fetcher->peers, lookup->key);
	log_response(lookup, result, &answer, false);
	lookups_end(fetcher, lookup, &answer);
}

/* A server's own failure, for which the request is not to blame; it may be over soon. */
static bool is_server_failure(long status)
{
	return status >= 500 && status <= 599;
}

/* A file that is written under its own name shows its parts for a while. */
static bool is_half_written(const struct fetcher *fetcher, const struct answer *answer)
{
	return fetcher->url.is_file && answer->peer.answer == PEER_FAILED;
}

static void take_answer(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	const struct answer_rules rules = {
		.found = {.fresh_ms = fetcher->settings.fresh_ttl_ms,
			.stale_if_error_ms = fetcher->settings.stale_if_error_ms},
		.negative_ttl_ms = fetcher->settings.negative_ttl_ms,
		.max_allowed_ips = fetcher->settings.max_allowed_ips,
	};
	long status = result->origin.status;
	struct answer answer;
	int64_t now_ms = clock_ms();

	answer_read(&answer, &result->origin, lookup->key, &rules, time(NULL));
	log_response(lookup, result, &answer, keep(fetcher, &answer, &result->origin, now_ms));
	if (answer.hold_ms > 0)
		fetcher->held_until_ms = now_ms + answer.hold_ms;
	if (is_server_failure(status) && answer.hold_ms == 0)
		note_failure(fetcher, false, answer.reason);
	if ((is_server_failure(status) || status == 429 || is_half_written(fetcher, &answer)) &&
		try_again(fetcher, lookup, answer.reason))
		return;
	lookups_end(fetcher, lookup, &answer);
}

static void take_response(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	if (!is_server_failure(result->origin.status))
		note_success(fetcher);
	if (result->origin.status == 304 && lookup->is_conditional)
		take_not_modified(fetcher, lookup, result);
	else
		take_answer(fetcher, lookup, result);
}

static void take_result(struct fetcher *fetcher, const struct http_result *result)
{
	struct lookup *lookup = result->context;

	if (result->end == HTTP_COMPLETE) {
		take_response(fetcher, lookup, result);
		return;
	}
	if (result->end == HTTP_NO_SOCKET) {
		token_bucket_return(&fetcher->bucket);
		breaker_not_sent(&fetcher->breaker);
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_CLOSED_UNUSED && !lookup->reconnected) {
		lookup->reconnected = true;
		breaker_not_sent(&fetcher->breaker);
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_UNUSABLE)
		note_success(fetcher); /* it has answered, after all */
	else
		note_failure(fetcher, false, result->reason);
	if (!try_again(fetcher, lookup, result->reason))
		lookups_fail(fetcher, lookup, result->reason);
}

void requests_take_results(struct fetcher *fetcher)
{
	struct http_result result;

	while (http_client_finished(fetcher->http, &result)) {
		take_result(fetcher, &result);
		http_client_release(fetcher->http, &result);
	}
}

/* The request's conditions, from what is kept of the key; the texts stay the cache's. */
static struct http_conditions conditions_for(struct fetcher *fetcher, struct lookup *lookup)
{
	const struct cached_peer *cached = peer_cache_find(fetcher->peers, lookup->key);
	struct http_conditions conditions = {
		.etag = "", .last_modified = "", .end_to_end = lookup->end_to_end};

	if (cached != NULL && !lookup->unconditionally) {
		conditions.etag = cached_peer_etag(cached);
		conditions.last_modified = cached_peer_last_modified(cached);
	}
	lookup->is_conditional = conditions.etag[0] != '\0' || conditions.last_modified[0] != '\0';
	return conditions;
}

/* A file's answer is there at once. */
static void ask_file(struct fetcher *fetcher, struct lookup *lookup, const char *url,
	const struct http_conditions *conditions)
{
	struct http_result result;

	file_origin_get(&fetcher->files, &result, url_template_file_name(url), conditions);
	result.context = lookup;
	take_result(fetcher, &result);
	file_origin_wipe(&fetcher->files);
}

static void start_request(struct fetcher *fetcher, struct lookup *lookup)
{
	struct http_conditions conditions = conditions_for(fetcher, lookup);
	char key[KEY_BASE64_BYTES], url[URL_BYTES];

	lookup_table_start(fetcher->lookups, lookup);
	breaker_started(&fetcher->breaker);
	/* Its length was tried with another key when the settings came. */
	if (url_template_expand(&fetcher->url, url, lookup->key) == NULL ||
		(!fetcher->url.is_file &&
			http_client_start(fetcher->http, url, &conditions, lookup) != 0)) {
		breaker_not_sent(&fetcher->breaker);
		lookups_fail(fetcher, lookup, "no memory for the request");
		return;
	}
	log_event(LOG_LEVEL_INFO, "request", "id=%" PRIu64 " key=%s url=%s cache=\"%s\"",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), url,
		lookup->is_conditional ? "fwd=stale" : "fwd=miss");
	if (fetcher->url.is_file)
		ask_file(fetcher, lookup, url, &conditions);
}

static bool is_held(const struct fetcher *fetcher, int64_t now_ms)
{
	return now_ms < fetcher->held_until_ms;
}

bool requests_can_start(const struct fetcher *fetcher, int64_t now_ms)
{
	size_t active = lookup_table_active(fetcher->lookups);

	return lookup_table_queued(fetcher->lookups) > 0 && !is_held(fetcher, now_ms) &&
	       breaker_allows(&fetcher->breaker, now_ms) &&
	       active < fetcher->settings.concurrency &&
	       (fetcher->url.is_file || socket_pool_can_start(&fetcher->sockets, active));
}

size_t requests_start(struct fetcher *fetcher, int64_t now_ms)
{
	size_t started = 0;

	for (; requests_can_start(fetcher, now_ms) && token_bucket_take(&fetcher->bucket, now_ms);
		started++)
		start_request(fetcher, lookup_table_next(fetcher->lookups));
	return started;
}

static int64_t patience_ms(const struct lookup *lookup)
{
	return lookup->rank == LOOKUP_RENEWAL ? FETCHER_RENEWAL_PATIENCE_MS : FETCHER_PATIENCE_MS;
}

/* What time brings for one lookup, which may end it. */
static void tend(struct fetcher *fetcher, struct lookup *lookup, int64_t now_ms)
{
	int64_t until_ms = lookup->asked_ms + patience_ms(lookup);

	if (lookup->rank != LOOKUP_RENEWAL &&
		now_ms - lookup->asked_ms >= (int64_t)fetcher->settings.stale_after_ms)
		lookups_use_stale(fetcher, lookup, now_ms);
	if (lookup->state == LOOKUP_ACTIVE)
		return; /* it has a time-out of its own */
	if (now_ms >= until_ms)
		lookups_fail(fetcher, lookup, "waited too long for its turn");
	else if (fetcher->held_until_ms >= until_ms)
		lookups_fail(fetcher, lookup, "the origin asked to wait (Retry-After)");
	else if (lookup->state == LOOKUP_WAITING && now_ms >= lookup->retry_ms)
		lookup_table_requeue(fetcher->lookups, lookup);
}

void requests_tend(struct fetcher *fetcher, int64_t now_ms)
{
	struct lookup *lookup = NULL;

	if (lookup_table_count(fetcher->lookups) == 0 ||
		now_ms - fetcher->tended_ms < FETCHER_TEND_MS)
		return;
	fetcher->tended_ms = now_ms;
	while ((lookup = lookup_table_walk(fetcher->lookups, lookup)) != NULL)
		tend(fetcher, lookup, now_ms);
}
