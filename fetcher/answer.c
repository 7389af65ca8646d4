/* SPDX-License-Identifier: ISC */
/* What the origin's response means. */
#include "fetcher/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *answer_name(enum peer_answer answer)
{
	static const char *const names[] = {
		[PEER_FOUND] = "found",
		[PEER_ABSENT] = "absent",
		[PEER_REVOKED] = "revoked",
		[PEER_FAILED] = "failed",
	};

	return names[answer];
}

static void begin(struct answer *answer, const uint8_t *key, enum peer_answer kind)
{
	memset(answer, 0, sizeof(*answer));
	memcpy(answer->peer.key, key, WIREGUARD_KEY_BYTES);
	answer->peer.answer = kind;
}

void answer_fail(struct answer *answer, const uint8_t key[static WIREGUARD_KEY_BYTES],
	const char *format, ...)
{
	va_list arguments;

	begin(answer, key, PEER_FAILED);
	va_start(arguments, format);
	vsnprintf(answer->reason, sizeof(answer->reason), format, arguments);
	va_end(arguments);
}

static void read_found(struct answer *answer, const struct origin_response *response,
	const uint8_t *key, const struct answer_rules *rules, time_t now)
{
	const struct peer_body body = {.content_type = response->content_type,
		.bytes = response->body,
		.length = response->length};
	char reason[PEER_REASON_BYTES];

	begin(answer, key, PEER_FOUND);
	if (peer_body_read(&answer->peer, &body, key, rules->max_allowed_ips, reason) != 0) {
		answer_fail(answer, key, "%s", reason);
		return;
	}
	http_read_cache_control(&answer->control, response->cache_control);
	freshness_of(&answer->freshness, &answer->control, &response->age, &rules->found, now);
	answer->peer.valid_ms = answer->freshness.fresh_ms;
	answer->peer.stale_ms = answer->freshness.stale_if_error_ms;
}

static void read_negative(struct answer *answer, const struct origin_response *response,
	const uint8_t *key, const struct answer_rules *rules, time_t now)
{
	const struct freshness_defaults defaults = {.fresh_ms = rules->negative_ttl_ms};
	struct cache_control control;
	struct freshness freshness;

	begin(answer, key, response->status == 410 ? PEER_REVOKED : PEER_ABSENT);
	http_read_cache_control(&control, response->cache_control);
	freshness_of(&freshness, &control, &response->age, &defaults, now);
	answer->peer.valid_ms = freshness.fresh_ms;
}

static void read_refused(
	struct answer *answer, const struct origin_response *response, const uint8_t *key)
{
	answer_fail(answer, key, "status %ld: the origin refuses the gateway's credentials",
		response->status);
	answer->credentials_refused = true;
}

static void read_busy(struct answer *answer, const struct origin_response *response,
	const uint8_t *key, time_t now)
{
	int64_t wait_ms = http_read_retry_after(response->retry_after, now);

	if (wait_ms > ANSWER_HOLD_MAX_MS)
		wait_ms = ANSWER_HOLD_MAX_MS;
	answer_fail(answer, key, "status %ld", response->status);
	answer->hold_ms = wait_ms > 0 ? (uint32_t)wait_ms : 0;
}

void answer_read(struct answer *answer, const struct origin_response *response,
	const uint8_t key[static WIREGUARD_KEY_BYTES], const struct answer_rules *rules, time_t now)
{
	long status = response->status;

	if (status == 200)
		read_found(answer, response, key, rules, now);
	else if (status == 404 || status == 410)
		read_negative(answer, response, key, rules, now);
	else if (status == 401 || status == 403)
		read_refused(answer, response, key);
	else if (status == 429 || status == 503)
		read_busy(answer, response, key, now);
	else if (status == 304)
		answer_fail(answer, key, "status 304 to a request without conditions");
	else if (status >= 300 && status < 400)
		answer_fail(answer, key, "status %ld: redirects are not followed", status);
	else
		answer_fail(answer, key, "status %ld", status);
}
