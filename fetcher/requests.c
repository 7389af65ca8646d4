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
		"id=%" PRIu64 " key=%s origin=%u status=%ld answer=%s time_ms=%" PRId64
		" http=%s reused=%s valid_ms=%" PRIu64 " cache=\"%s; ttl=%" PRIu64 "\"",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), lookup->origin + 1,
		result->origin.status, answer_name((enum peer_answer)answer->peer.answer),
		result->time_ms, version_name(result->version), result->reused ? "yes" : "no",
		answer->peer.valid_ms, cache_words(lookup, result->origin.status, is_stored),
		answer->peer.valid_ms / 1000);
}

static struct origin *origin_of(struct fetcher *fetcher, const struct lookup *lookup)
{
	return &fetcher->origins.items[lookup->origin];
}

/* The breaker's change is worth a line; each failure behind it is not. */
static void note_failure(
	struct fetcher *fetcher, struct origin *origin, bool unreachable, const char *reason)
{
	char quoted[LOG_QUOTED_BYTES];
	bool is_news = origin->breaker.state == BREAKER_CLOSED;
	int64_t now_ms = clock_ms();

	if (!breaker_failed(&origin->breaker, unreachable, &fetcher->jitter, now_ms))
		return;
	if (is_news)
		log_event(LOG_LEVEL_ERROR, "origin_fails", "origin=%u url=%s failures=%u reason=%s",
			origin->place + 1, origin->name, origin->breaker.failures,
			log_quote(quoted, reason));
	if (origins_are_hopeless(&fetcher->origins, now_ms))
		lookups_fail_idle(fetcher, reason);
}

static void note_success(struct origin *origin)
{
	if (breaker_succeeded(&origin->breaker))
		log_event(LOG_LEVEL_NOTICE, "origin_answers", "origin=%u url=%s", origin->place + 1,
			origin->name);
}

/* Of use as well, not only there: one that refuses us would be news with each refusal. */
static void note_answer(struct fetcher *fetcher, const struct origin *origin)
{
	unsigned from;

	if (origins_came_back(&fetcher->origins, origin, &from))
		log_event(LOG_LEVEL_NOTICE, "origin_restored", "origin=%u url=%s instead_of=%u",
			origin->place + 1, origin->name, from + 1);
}

void requests_no_connection(struct fetcher *fetcher, struct origin *origin, const char *reason)
{
	note_failure(fetcher, origin, true, reason);
}

static void log_retry(const struct lookup *lookup, int64_t wait_ms, const char *reason)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];

	log_event(LOG_LEVEL_INFO, "retry",
		"id=%" PRIu64 " key=%s origin=%u in_ms=%" PRId64 " reason=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), lookup->origin + 1,
		wait_ms, log_quote(quoted, reason));
}

static int64_t patience_ms(const struct lookup *lookup)
{
	return lookup->rank == LOOKUP_RENEWAL ? FETCHER_RENEWAL_PATIENCE_MS : FETCHER_PATIENCE_MS;
}

/* Whether a try is left that comes within the patience of whoever waits. */
static bool try_again(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	uint64_t most_ms = (uint64_t)RETRY_MS << lookup->retries;
	int64_t now_ms = clock_ms(), wait_ms;

	/* The installer asks again by itself. */
	if (lookup->rank == LOOKUP_RENEWAL || lookup->retries == RETRIES_MAX ||
		origins_refuse(&fetcher->origins, now_ms))
		return false;
	wait_ms = (int64_t)jitter_draw(
		&fetcher->jitter, most_ms < RETRY_MAX_MS ? most_ms : RETRY_MAX_MS);
	if (now_ms + wait_ms >= lookup->asked_ms + FETCHER_PATIENCE_MS)
		return false;
	lookup->retries++;
	lookup_table_wait(fetcher->lookups, lookup, now_ms + wait_ms);
	log_retry(lookup, wait_ms, reason);
	return true;
}

/* Whether another origin is left, that hasn't failed this lookup yet: it is asked at once, or soon
 * where it is at its limits. */
static bool try_another(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	int64_t now_ms = clock_ms();
	struct origin *other;

	lookup->tried |= 1U << lookup->origin;
	other = origins_first(&fetcher->origins, lookup->tried, now_ms);
	if (other == NULL) {
		lookup->tried = 0; /* each is worth trying again */
		return false;
	}
	if (now_ms >= lookup->asked_ms + patience_ms(lookup))
		return false;
	if (!origin_is_ready(other, fetcher->origins.concurrency, now_ms))
		return try_again(fetcher, lookup, reason);
	lookup->reconnected = false;
	log_retry(lookup, 0, reason);
	lookup_table_requeue(fetcher->lookups, lookup);
	return true;
}

/* Only what makes the next request for this key conditional, and can be sent back as it came. */
static struct validators validators_of(
	const struct origin_response *response, const struct lookup *lookup)
{
	struct validators validators = {.origin = lookup->origin, .etag = "", .last_modified = ""};

	if (http_is_entity_tag(response->etag))
		memcpy(validators.etag, response->etag, strlen(response->etag) + 1);
	if (http_read_date(response->last_modified) >= 0 &&
		strlen(response->last_modified) < sizeof(validators.last_modified))
		memcpy(validators.last_modified, response->last_modified,
			strlen(response->last_modified) + 1);
	return validators;
}

/* Keeps what was found, or forgets what must not be kept. Whether it is kept. */
static bool keep(struct fetcher *fetcher, const struct lookup *lookup, const struct answer *answer,
	const struct origin_response *response, int64_t now_ms)
{
	struct validators validators = validators_of(response, lookup);

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
	note_answer(fetcher, origin_of(fetcher, lookup));
	lookups_end(fetcher, lookup, &answer);
}

/* A server's own failure, for which the request is not to blame; it may be over soon. */
static bool is_server_failure(long status)
{
	return status >= 500 && status <= 599;
}

/* A file that is written under its own name shows its parts for a while. */
static bool is_half_written(const struct origin *origin, const struct answer *answer)
{
	return origin->url.template.is_file && answer->peer.answer == PEER_FAILED;
}

/* Once in a while, however many lookups meet it. */
static void log_refused_credentials(
	struct fetcher *fetcher, const struct origin *origin, const char *reason, int64_t now_ms)
{
	char quoted[LOG_QUOTED_BYTES];

	if (fetcher->loud_ms != 0 && now_ms - fetcher->loud_ms < FETCHER_LOUD_MS)
		return;
	fetcher->loud_ms = now_ms;
	log_event(LOG_LEVEL_ERROR, "credentials_refused",
		"origin=%u url=%s reason=%s "
		"hint=\"see bearer_token_file, client_cert_file, client_key_file\"",
		origin->place + 1, origin->name, log_quote(quoted, reason));
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
	struct origin *origin = origin_of(fetcher, lookup);
	long status = result->origin.status;
	struct answer answer;
	int64_t now_ms = clock_ms();

	answer_read(&answer, &result->origin, lookup->key, &rules, time(NULL));
	log_response(
		lookup, result, &answer, keep(fetcher, lookup, &answer, &result->origin, now_ms));
	if (answer.peer.answer != PEER_FAILED)
		note_answer(fetcher, origin);
	if (answer.hold_ms > 0) {
		origin->held_until_ms = now_ms + answer.hold_ms;
		breaker_not_sent(&origin->breaker); /* a probe has decided nothing: then another */
	}
	if (answer.credentials_refused)
		log_refused_credentials(fetcher, origin, answer.reason, now_ms);
	if (is_server_failure(status) && answer.hold_ms == 0)
		note_failure(fetcher, origin, false, answer.reason);
	if (answer.peer.answer == PEER_FAILED && try_another(fetcher, lookup, answer.reason))
		return;
	if ((is_server_failure(status) || status == 429 || is_half_written(origin, &answer)) &&
		try_again(fetcher, lookup, answer.reason))
		return;
	lookups_end(fetcher, lookup, &answer);
}

static void take_response(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	if (!is_server_failure(result->origin.status))
		note_success(origin_of(fetcher, lookup));
	if (result->origin.status == 304 && lookup->is_conditional)
		take_not_modified(fetcher, lookup, result);
	else
		take_answer(fetcher, lookup, result);
}

static void take_result(struct fetcher *fetcher, const struct http_result *result)
{
	struct lookup *lookup = result->context;
	struct origin *origin = origin_of(fetcher, lookup);

	origin->active--;
	if (result->end == HTTP_COMPLETE) {
		take_response(fetcher, lookup, result);
		return;
	}
	if (result->end == HTTP_NO_SOCKET) {
		token_bucket_return(&origin->bucket);
		breaker_not_sent(&origin->breaker);
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_CLOSED_UNUSED && !lookup->reconnected) {
		lookup->reconnected = true;
		breaker_not_sent(&origin->breaker);
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_UNUSABLE)
		note_success(origin); /* it has answered, after all */
	else
		note_failure(fetcher, origin, false, result->reason);
	if (!try_another(fetcher, lookup, result->reason) &&
		!try_again(fetcher, lookup, result->reason))
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

	if (cached != NULL && !lookup->unconditionally &&
		cached_peer_origin(cached) == lookup->origin) {
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

static void start_request(struct fetcher *fetcher, struct lookup *lookup, struct origin *origin)
{
	char key[KEY_BASE64_BYTES], url[URL_BYTES];
	struct http_conditions conditions;

	lookup->origin = origin->place;
	conditions = conditions_for(fetcher, lookup);
	lookup_table_start(fetcher->lookups, lookup);
	breaker_started(&origin->breaker);
	/* Its length was tried with another key when the settings came. */
	if (url_template_expand(&origin->url.template, url, lookup->key) == NULL ||
		(!origin->url.template.is_file && http_client_start(fetcher->http, origin->route,
							  url, &conditions, lookup) != 0)) {
		breaker_not_sent(&origin->breaker);
		lookups_fail(fetcher, lookup, "no memory for the request");
		return;
	}
	origin->active++;
	log_event(LOG_LEVEL_INFO, "request", "id=%" PRIu64 " key=%s origin=%u url=%s cache=\"%s\"",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), origin->place + 1, url,
		lookup->is_conditional ? "fwd=stale" : "fwd=miss");
	if (origin->url.template.is_file)
		ask_file(fetcher, lookup, url, &conditions);
}

struct origin *requests_next_origin(struct fetcher *fetcher, int64_t now_ms)
{
	const struct lookup *lookup = lookup_table_next(fetcher->lookups);
	struct origin *origin;

	if (lookup == NULL || origins_active(&fetcher->origins) >= HTTP_CLIENT_TRANSFERS)
		return NULL;
	origin = origins_choose(&fetcher->origins, lookup->tried, now_ms);
	if (origin == NULL || !origin_can_start(origin, fetcher->origins.concurrency))
		return NULL;
	return origin;
}

/* Where requests go that no origin has failed yet is news when it changes. */
static void note_start(
	struct fetcher *fetcher, const struct lookup *lookup, const struct origin *origin)
{
	unsigned from;

	if (lookup->tried == 0 && origins_fell_back(&fetcher->origins, origin, &from))
		log_event(LOG_LEVEL_ERROR, "origin_failover", "origin=%u url=%s instead_of=%u",
			origin->place + 1, origin->name, from + 1);
}

size_t requests_start(struct fetcher *fetcher, int64_t now_ms)
{
	struct origin *origin;
	size_t started = 0;

	while ((origin = requests_next_origin(fetcher, now_ms)) != NULL &&
		token_bucket_take(&origin->bucket, now_ms)) {
		struct lookup *lookup = lookup_table_next(fetcher->lookups);

		note_start(fetcher, lookup, origin);
		start_request(fetcher, lookup, origin);
		started++;
	}
	return started;
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
	else if (origins_hold(&fetcher->origins, until_ms))
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
