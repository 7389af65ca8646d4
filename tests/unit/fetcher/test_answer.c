/* SPDX-License-Identifier: ISC */
/* What each response of the origin comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/answer.h"

#define BODY                                                                  \
	"{\"public_key\": \"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\", " \
	"\"allowed_ips\": [\"10.64.0.7/32\"]}"

static const struct answer_rules rules = {
	.found = {.fresh_ms = 300000, .stale_if_error_ms = 86400000},
	.negative_ttl_ms = 3000,
	.max_allowed_ips = 8};

/* 1994-11-06 08:49:37 */
#define NOW 784111777

static uint8_t key[32];
static struct answer answer;

static int make_key(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		key[i] = (uint8_t)(i + 1);
	return 0;
}

static void respond(long status, const char *body, const char *cache_control, const char *age,
	const char *retry_after)
{
	const struct origin_response response = {.status = status,
		.cache_control = cache_control,
		.age = {.age = age, .date = ""},
		.etag = "",
		.last_modified = "",
		.retry_after = retry_after,
		.content_type = "application/json",
		.body = body,
		.length = strlen(body)};

	memset(&answer, 0x55, sizeof(answer));
	answer_read(&answer, &response, key, &rules, NOW);
	assert_memory_equal(answer.peer.key, key, 32);
}

static void tells_the_statuses_apart(void **state)
{
	static const struct {
		long status;
		enum peer_answer answer;
		bool credentials_refused;
		const char *reason;
	} rows[] = {
		{200, PEER_FOUND, false, ""},
		{404, PEER_ABSENT, false, ""},
		{410, PEER_REVOKED, false, ""},
		{401, PEER_FAILED, true,
			"status 401: the origin refuses the gateway's credentials"},
		{403, PEER_FAILED, true,
			"status 403: the origin refuses the gateway's credentials"},
		{304, PEER_FAILED, false, "status 304 to a request without conditions"},
		{301, PEER_FAILED, false, "status 301: redirects are not followed"},
		{302, PEER_FAILED, false, "status 302: redirects are not followed"},
		{308, PEER_FAILED, false, "status 308: redirects are not followed"},
		{201, PEER_FAILED, false, "status 201"},
		{203, PEER_FAILED, false, "status 203"},
		{204, PEER_FAILED, false, "status 204"},
		{206, PEER_FAILED, false, "status 206"},
		{400, PEER_FAILED, false, "status 400"},
		{405, PEER_FAILED, false, "status 405"},
		{407, PEER_FAILED, false, "status 407"},
		{429, PEER_FAILED, false, "status 429"},
		{500, PEER_FAILED, false, "status 500"},
		{502, PEER_FAILED, false, "status 502"},
		{503, PEER_FAILED, false, "status 503"},
		{101, PEER_FAILED, false, "status 101"},
		{0, PEER_FAILED, false, "status 0"},
		{999, PEER_FAILED, false, "status 999"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		respond(rows[i].status, BODY, "", "", "");
		assert_int_equal(answer.peer.answer, rows[i].answer);
		assert_int_equal(answer.credentials_refused, rows[i].credentials_refused);
		assert_string_equal(answer.reason, rows[i].reason);
		assert_int_equal(answer.hold_ms, 0);
		/* Only a 200's body is looked at. */
		assert_int_equal(answer.peer.allowed_ips.count, rows[i].status == 200 ? 1 : 0);
	}
}

static void fails_on_a_bad_body(void **state)
{
	(void)state;
	respond(200, "{}", "max-age=60", "", "");
	assert_int_equal(answer.peer.answer, PEER_FAILED);
	assert_string_equal(answer.reason, "public_key: missing");
	assert_int_equal(answer.peer.valid_ms, 0);
	key[0] ^= 1;
	respond(200, BODY, "", "", "");
	assert_int_equal(answer.peer.answer, PEER_FAILED);
	assert_string_equal(answer.reason, "public_key: not the key asked for");
	key[0] ^= 1;
}

static void says_how_long_it_holds(void **state)
{
	static const struct {
		long status;
		const char *cache_control, *age;
		uint64_t valid_ms;
	} rows[] = {
		{200, "", "", 300000},
		{200, "private", "", 300000},
		{200, "max-age=60", "", 60000},
		{200, "max-age=60", "50", 10000},
		{200, "max-age=60", "60", 0},
		{200, "max-age=60", "61", 0},
		{200, "max-age=60", "old", 60000},
		{200, "", "50", 300000},
		{200, "max-age=0", "", 0},
		{200, "max-age=60, no-cache", "", 0},
		{200, "no-store", "", 0},
		{200, "max-age=nonsense", "", 0},
		{200, "max-age=4294967", "", 4294967000},
		{200, "max-age=4294968", "", UINT32_MAX},
		{200, "max-age=9999999999999", "", UINT32_MAX},
		{404, "", "", 3000},
		{404, "max-age=60", "10", 50000},
		{404, "no-store", "", 0},
		{410, "", "", 3000},
		{410, "max-age=60", "", 60000},
		{500, "max-age=60", "", 0},
		{304, "max-age=60", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		respond(rows[i].status, BODY, rows[i].cache_control, rows[i].age, "");
		assert_int_equal(answer.peer.valid_ms, rows[i].valid_ms);
	}
}

static void holds_back_as_it_is_asked(void **state)
{
	static const struct {
		long status;
		const char *retry_after;
		uint32_t hold_ms;
	} rows[] = {
		{429, "5", 5000},
		{503, "5", 5000},
		{503, "0", 0},
		{503, "60", 60000},
		{503, "61", 60000},
		{503, "99999999999999", 60000},
		{503, "Sun, 06 Nov 1994 08:49:47 GMT", 10000},
		{503, "Sun, 06 Nov 1994 08:49:30 GMT", 0},
		{503, "Sun, 06 Nov 2094 08:49:30 GMT", 60000},
		{503, "soon", 0},
		{429, "", 0},
		/* Only these two statuses may hold everybody back. */
		{500, "5", 0},
		{200, "5", 0},
		{404, "5", 0},
		{301, "5", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		respond(rows[i].status, BODY, "", "", rows[i].retry_after);
		assert_int_equal(answer.hold_ms, rows[i].hold_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_statuses_apart),
		cmocka_unit_test(fails_on_a_bad_body),
		cmocka_unit_test(says_how_long_it_holds),
		cmocka_unit_test(holds_back_as_it_is_asked),
	};

	return cmocka_run_group_tests(tests, make_key, NULL);
}
