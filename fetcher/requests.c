/* SPDX-License-Identifier: ISC */
/* Lookups become requests, responses become answers. */
#include "fetcher/requests.h"

#include <inttypes.h>
#include <time.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "fetcher/lookups.h"

static void log_response(
	const struct lookup *lookup, const struct http_result *result, const struct answer *answer)
{
	char key[KEY_BASE64_BYTES];

	log_event(LOG_LEVEL_INFO, "response",
		"id=%" PRIu64 " key=%s status=%ld answer=%s time_ms=%" PRId64 " http=%s reused=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), result->origin.status,
		answer_name((enum peer_answer)answer->peer.answer), result->time_ms,
		result->version == HTTP_2 ? "2" : "1.1", result->reused ? "yes" : "no");
}

static void take_response(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	const struct answer_rules rules = {
		.found = {.fresh_ms = fetcher->settings.fresh_ttl_ms,
			.stale_if_error_ms = fetcher->settings.stale_if_error_ms},
		.negative_ttl_ms = fetcher->settings.negative_ttl_ms,
		.max_allowed_ips = fetcher->settings.max_allowed_ips,
	};
	struct answer answer;

	answer_read(&answer, &result->origin, lookup->key, &rules, time(NULL));
	log_response(lookup, result, &answer);
	lookups_end(fetcher, lookup, &answer);
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
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_CLOSED_UNUSED && !lookup->retried) {
		lookup->retried = true;
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
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

static void start_request(struct fetcher *fetcher, struct lookup *lookup)
{
	char key[KEY_BASE64_BYTES], url[URL_BYTES];

	lookup_table_start(fetcher->lookups, lookup);
	/* Its length was tried with another key when the settings came. */
	if (url_template_expand(&fetcher->url, url, lookup->key) == NULL ||
		http_client_start(fetcher->http, url, NULL, lookup) != 0) {
		lookups_fail(fetcher, lookup, "no memory for the request");
		return;
	}
	log_event(LOG_LEVEL_INFO, "request", "id=%" PRIu64 " key=%s url=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), url);
}

static bool is_held(const struct fetcher *fetcher, int64_t now_ms)
{
	return now_ms < fetcher->held_until_ms;
}

bool requests_can_start(const struct fetcher *fetcher, int64_t now_ms)
{
	size_t active = lookup_table_active(fetcher->lookups);

	return lookup_table_queued(fetcher->lookups) > 0 && !is_held(fetcher, now_ms) &&
	       active < fetcher->settings.concurrency &&
	       socket_pool_can_start(&fetcher->sockets, active);
}

size_t requests_start(struct fetcher *fetcher, int64_t now_ms)
{
	size_t started = 0;

	for (; requests_can_start(fetcher, now_ms) && token_bucket_take(&fetcher->bucket, now_ms);
		started++)
		start_request(fetcher, lookup_table_newest(fetcher->lookups));
	return started;
}

void requests_expire(struct fetcher *fetcher, int64_t now_ms)
{
	struct lookup *lookup;

	while ((lookup = lookup_table_oldest(fetcher->lookups)) != NULL) {
		int64_t until_ms = lookup->asked_ms + FETCHER_PATIENCE_MS;

		if (now_ms >= until_ms)
			lookups_fail(fetcher, lookup, "waited 5000 ms for its turn");
		else if (fetcher->held_until_ms >= until_ms)
			lookups_fail(fetcher, lookup, "the origin asked to wait (Retry-After)");
		else
			break;
	}
}
