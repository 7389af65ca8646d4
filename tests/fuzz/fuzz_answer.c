/* SPDX-License-Identifier: ISC */
/*
 * A whole answer of the origin as the fetcher's logic gets it: two bytes of status, a byte with
 * the greatest number of allowed IPs and, as its highest bit, whether the body is msgpack, four pieces (Cache-Control, Age, Date, Retry-After), and the body.
 */
#include "fetcher/answer.h"

#include <string.h>

#include "fetcher/http_field.h"
#include "fetcher/wiping_memory.h"
#include "tests/fuzz/fuzz.h"

#define FRESH_TTL_MS    300000
#define NEGATIVE_TTL_MS 3000
#define STALE_MS        86400000
#define NOW             1790000000

/* The key that the corpus' bodies are about: bytes 1 to 32. */
static uint8_t asked_key[WIREGUARD_KEY_BYTES];

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	(void)argument_count, (void)arguments;
	for (unsigned i = 0; i < sizeof(asked_key); i++)
		asked_key[i] = (uint8_t)(i + 1);
	FUZZ_CHECK(wiping_memory_install() == 0);
	return 0;
}

static bool is_zero(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0 && at[length - 1] == 0)
		length--;
	return length == 0;
}

/* peer_fields.h: what a found peer holds. */
static void check_found(const struct message_peer *peer, uint64_t max_allowed_ips)
{
	FUZZ_CHECK(memcmp(peer->public_key, asked_key, sizeof(asked_key)) == 0);
	FUZZ_CHECK(peer->allowed_ips.count >= 1 && peer->allowed_ips.count <= max_allowed_ips);
	for (uint32_t i = 0; i < peer->allowed_ips.count; i++) {
		const struct prefix *prefix = &peer->allowed_ips.item[i];

		FUZZ_CHECK(fuzz_is_prefix(prefix));
		for (uint32_t j = 0; j < i; j++)
			FUZZ_CHECK(
				memcmp(prefix, &peer->allowed_ips.item[j], sizeof(*prefix)) != 0);
	}
	FUZZ_CHECK(peer->has_preshared_key <= 1 && peer->persistent_keepalive <= 65535);
	FUZZ_CHECK(peer->has_preshared_key == 1 || is_zero(peer->preshared_key, 32));
}

static void check_not_found(const struct message_peer *peer)
{
	FUZZ_CHECK(is_zero(peer->public_key, sizeof(peer->public_key)));
	FUZZ_CHECK(is_zero(&peer->allowed_ips, sizeof(peer->allowed_ips)));
	FUZZ_CHECK(is_zero(peer->preshared_key, sizeof(peer->preshared_key)));
	FUZZ_CHECK(peer->has_preshared_key == 0 && peer->persistent_keepalive == 0);
}

/* Whether the reason repeats how a quoted key in the body begins: a secret would be one. */
static bool quotes_body(const char *reason, const char *body, size_t length)
{
	enum { DIGITS = 43, BEGINNING = 12 };

	for (size_t i = 0; i + DIGITS + 1 < length; i++) {
		char key[DIGITS + 1] = {0};

		if (body[i] != '"' || body[i + DIGITS + 1] != '=')
			continue;
		memcpy(key, body + i + 1, DIGITS);
		if (strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789+/") != DIGITS)
			continue;
		key[BEGINNING] = '\0';
		if (strstr(reason, key) != NULL)
			return true;
	}
	return false;
}

/* freshness.h, and RFC 9111: how long an answer counts. */
static void check_freshness(
	const struct answer *answer, const struct origin_response *response, uint64_t otherwise_ms)
{
	struct cache_control control;

	http_read_cache_control(&control, response->cache_control);
	FUZZ_CHECK(control.max_age.is_given || control.max_age.seconds == 0);
	FUZZ_CHECK(answer->peer.valid_ms <= UINT32_MAX && answer->peer.stale_ms <= UINT32_MAX);
	if (control.no_cache || control.no_store)
		FUZZ_CHECK(answer->peer.valid_ms == 0 && answer->peer.stale_ms == 0);
	else if (!control.max_age.is_given)
		FUZZ_CHECK(answer->peer.valid_ms == otherwise_ms);
	else
		FUZZ_CHECK(answer->peer.valid_ms <= (uint64_t)control.max_age.seconds * 1000);
	if (control.must_revalidate || answer->peer.answer != PEER_FOUND)
		FUZZ_CHECK(answer->peer.stale_ms == 0);
	else if (control.stale_if_error.is_given)
		FUZZ_CHECK(
			answer->peer.stale_ms <= (uint64_t)control.stale_if_error.seconds * 1000);
	else
		FUZZ_CHECK(answer->peer.stale_ms <= STALE_MS);
	if (answer->peer.answer == PEER_FOUND)
		FUZZ_CHECK(answer->freshness.may_store == !control.no_store);
}

static void check_message(const struct answer *answer)
{
	static struct message message, again;
	uint8_t bytes[MESSAGE_BYTES_MAX];
	int length;

	memset(&message, 0, sizeof(message));
	message.type = MESSAGE_TYPE_PEER;
	message.peer = answer->peer;
	length = message_encode(&message, bytes, sizeof(bytes));
	FUZZ_CHECK(length > 0);
	FUZZ_CHECK(message_decode(&again, bytes, (size_t)length) == 0);
	FUZZ_CHECK(memcmp(&message.peer, &again.peer, sizeof(again.peer)) == 0);
}

static void check_answer(const struct answer *answer, const struct origin_response *response,
	uint64_t max_allowed_ips)
{
	uint64_t kind = answer->peer.answer;

	FUZZ_CHECK(memcmp(answer->peer.key, asked_key, sizeof(asked_key)) == 0);
	FUZZ_CHECK(memchr(answer->reason, '\0', sizeof(answer->reason)) != NULL);
	FUZZ_CHECK(fuzz_is_printable(answer->reason));
	FUZZ_CHECK((kind == PEER_FAILED) == (answer->reason[0] != '\0'));
	FUZZ_CHECK(kind != PEER_FOUND || response->status == 200);
	FUZZ_CHECK((kind == PEER_ABSENT) == (response->status == 404));
	FUZZ_CHECK((kind == PEER_REVOKED) == (response->status == 410));
	FUZZ_CHECK(answer->hold_ms <= ANSWER_HOLD_MAX_MS);
	FUZZ_CHECK(answer->hold_ms == 0 || response->status == 429 || response->status == 503);
	FUZZ_CHECK(answer->credentials_refused ==
		   (response->status == 401 || response->status == 403));
	if (kind == PEER_FOUND)
		check_found(&answer->peer, max_allowed_ips);
	else
		check_not_found(&answer->peer);
	if (kind == PEER_FOUND)
		check_freshness(answer, response, FRESH_TTL_MS);
	else if (kind != PEER_FAILED)
		check_freshness(answer, response, NEGATIVE_TTL_MS);
	else
		FUZZ_CHECK(answer->peer.valid_ms == 0 && answer->peer.stale_ms == 0);
	FUZZ_CHECK(!quotes_body(answer->reason, response->body, response->length));
	check_message(answer);
}

static void check_retry_after(const char *value)
{
	int64_t wait_ms = http_read_retry_after(value, NOW);
	uint32_t seconds;

	FUZZ_CHECK(wait_ms >= -1);
	if (http_read_seconds(&seconds, value))
		FUZZ_CHECK(wait_ms == (int64_t)seconds * 1000);
	/* The later it is, the less is left; a date that can't be read stays one. */
	FUZZ_CHECK((http_read_retry_after(value, NOW + 1000) < 0) == (wait_ms < 0));
	FUZZ_CHECK(http_read_retry_after(value, NOW + 1000) <= wait_ms);
}

static char *next_text(struct fuzz_input *input)
{
	size_t length;
	uint8_t *piece = fuzz_piece(input, &length);
	struct fuzz_input of = {piece, length};
	char *text = fuzz_text(&of);

	free(piece);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer answer;
	struct fuzz_input input = {data, size};
	struct answer_rules rules = {
		.found = {.fresh_ms = FRESH_TTL_MS, .stale_if_error_ms = STALE_MS},
		.negative_ttl_ms = NEGATIVE_TTL_MS};
	struct origin_response response = {.status = fuzz_u16(&input)};
	char *cache_control, *age, *date, *retry_after, *body;
	uint8_t byte = fuzz_byte(&input);

	rules.max_allowed_ips = (byte & 0x7f) % 65;
	response.content_type = byte > 0x7f ? "application/msgpack" : "application/json";
	response.cache_control = cache_control = next_text(&input);
	response.age.age = age = next_text(&input);
	response.age.date = date = next_text(&input);
	response.etag = response.last_modified = "";
	response.retry_after = retry_after = next_text(&input);
	response.body = body = fuzz_copy(input.at, input.left);
	response.length = input.left;
	memset(&answer, 0xa5, sizeof(answer));
	answer_read(&answer, &response, asked_key, &rules, NOW);
	check_answer(&answer, &response, rules.max_allowed_ips);
	check_retry_after(retry_after);
	free(cache_control);
	free(age);
	free(date);
	free(retry_after);
	free(body);
	return 0;
}
