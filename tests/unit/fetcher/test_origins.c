/* SPDX-License-Identifier: ISC */
/* Which origin is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetcher/origins.h"
#include "fetcher/wiping_memory.h"

#define FIRST        (&origins.items[0])
#define SECOND       (&origins.items[1])
#define TRIED(place) (1U << (place))

static struct http_client *client;
static struct origins origins;
static struct jitter jitter;
static uint64_t last_id;
static int ends[16];
static size_t end_count;

/* A spare in hand. */
static void connect_to(struct origin *origin)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	socket_pool_ask(&origin->sockets, ++last_id, 0);
	assert_int_equal(socket_pool_connected(&origin->sockets, last_id, pair[1], 0), 0);
	ends[end_count++] = pair[0];
}

static void fail_to_connect(struct origin *origin)
{
	socket_pool_ask(&origin->sockets, ++last_id, 0);
	assert_int_equal(socket_pool_connect_failed(&origin->sockets, last_id, 0), 0);
}

static void open_breaker(struct origin *origin, int64_t now_ms)
{
	while (origin->breaker.state != BREAKER_OPEN)
		breaker_failed(&origin->breaker, false, &jitter, now_ms);
}

static int begin(void **state)
{
	struct origin_url urls[2];
	const char *reason;

	(void)state;
	memset(urls, 0, sizeof(urls));
	assert_int_equal(url_template_read(&urls[0].template, "https://a/{key}", &reason), 0);
	assert_int_equal(
		url_template_read(&urls[1].template, "http://localhost/p/{key}", &reason), 0);
	strcpy(urls[1].unix_path, "/run/b.sock");
	client = http_client_new();
	assert_non_null(client);
	assert_int_equal(origins_open(&origins, client), 0);
	assert_int_equal(origins_reset(&origins, urls, 2), 0);
	assert_true(origins_are(&origins, urls, 2));
	assert_false(origins_are(&origins, urls, 1));
	strcpy(urls[1].unix_path, "/run/c.sock");
	assert_false(origins_are(&origins, urls, 2));
	origins_limit_requests(&origins, 100, 0);
	origins_limit_breakers(&origins, 5);
	origins.concurrency = 2;
	return jitter_init(&jitter);
}

static int end(void **state)
{
	(void)state;
	origins_reset(&origins, NULL, 0); /* closes the spares */
	http_client_free(client);
	while (end_count > 0)
		close(ends[--end_count]);
	return 0;
}

static void names_them_as_the_operator_does(void **state)
{
	(void)state;
	assert_string_equal(FIRST->name, "https://a/{key}");
	assert_string_equal(SECOND->name, "unix:/run/b.sock:/p/{key}");
}

static void prefers_the_first(void **state)
{
	(void)state;
	connect_to(FIRST);
	connect_to(SECOND);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	/* Its limits are no reason to go elsewhere. */
	FIRST->active = 2;
	assert_false(origin_can_start(FIRST, 2));
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	FIRST->active = 0;
	while (token_bucket_take(&FIRST->bucket, 1000))
		continue;
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
}

static void leaves_one_whose_breaker_is_open(void **state)
{
	(void)state;
	connect_to(FIRST);
	connect_to(SECOND);
	open_breaker(FIRST, 1000);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), SECOND);
	assert_false(origins_refuse(&origins, 1000));
	/* One probe brings it back; meanwhile the others don't wait for it. */
	assert_ptr_equal(origins_choose(&origins, 0, FIRST->breaker.until_ms), FIRST);
	breaker_started(&FIRST->breaker);
	assert_ptr_equal(origins_choose(&origins, 0, FIRST->breaker.until_ms), SECOND);
	breaker_succeeded(&FIRST->breaker);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	/* Each has its own. */
	open_breaker(SECOND, 1000);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	open_breaker(FIRST, 1000);
	assert_null(origins_choose(&origins, 0, 1000));
	assert_true(origins_refuse(&origins, 1000));
}

static void leaves_one_that_wants_no_request(void **state)
{
	(void)state;
	connect_to(FIRST);
	connect_to(SECOND);
	FIRST->held_until_ms = 5000;
	assert_ptr_equal(origins_choose(&origins, 0, 4999), SECOND);
	assert_ptr_equal(origins_choose(&origins, 0, 5000), FIRST);
	assert_false(origins_hold(&origins, 4000));
	SECOND->held_until_ms = 4000;
	assert_true(origins_hold(&origins, 4000));
	assert_false(origins_hold(&origins, 4001));
}

static void leaves_one_that_can_not_be_connected_to(void **state)
{
	(void)state;
	connect_to(SECOND);
	/* Nothing is known yet. */
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	fail_to_connect(FIRST);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), SECOND);
	assert_false(origins_are_hopeless(&origins, 1000));
	open_breaker(SECOND, 1000);
	assert_true(origins_are_hopeless(&origins, 1000));
	assert_false(origins_refuse(&origins, 1000));
	connect_to(FIRST);
	assert_ptr_equal(origins_choose(&origins, 0, 1000), FIRST);
	assert_false(origins_are_hopeless(&origins, 1000));
}

static void goes_on_to_one_that_was_not_tried(void **state)
{
	(void)state;
	connect_to(FIRST);
	connect_to(SECOND);
	assert_ptr_equal(origins_choose(&origins, TRIED(0), 1000), SECOND);
	assert_ptr_equal(origins_choose(&origins, TRIED(1), 1000), FIRST);
	assert_ptr_equal(origins_choose(&origins, TRIED(0) | TRIED(1), 1000), FIRST);
	assert_ptr_equal(origins_first(&origins, TRIED(0), 1000), SECOND);
	assert_null(origins_first(&origins, TRIED(0) | TRIED(1), 1000));
	/* The other is at its limit: nobody waits for it. */
	SECOND->active = 2;
	assert_ptr_equal(origins_choose(&origins, TRIED(0), 1000), FIRST);
}

static void says_when_requests_go_elsewhere(void **state)
{
	unsigned from;

	(void)state;
	assert_false(origins_fell_back(&origins, FIRST, &from));
	assert_true(origins_fell_back(&origins, SECOND, &from));
	assert_int_equal(from, 0);
	assert_false(origins_fell_back(&origins, SECOND, &from));
	assert_false(origins_came_back(&origins, SECOND, &from));
	/* A probe is not enough: it has to be answered. */
	assert_false(origins_fell_back(&origins, FIRST, &from));
	assert_true(origins_came_back(&origins, FIRST, &from));
	assert_int_equal(from, 1);
	assert_false(origins_came_back(&origins, FIRST, &from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_them_as_the_operator_does, begin, end),
		cmocka_unit_test_setup_teardown(prefers_the_first, begin, end),
		cmocka_unit_test_setup_teardown(leaves_one_whose_breaker_is_open, begin, end),
		cmocka_unit_test_setup_teardown(leaves_one_that_wants_no_request, begin, end),
		cmocka_unit_test_setup_teardown(
			leaves_one_that_can_not_be_connected_to, begin, end),
		cmocka_unit_test_setup_teardown(goes_on_to_one_that_was_not_tried, begin, end),
		cmocka_unit_test_setup_teardown(says_when_requests_go_elsewhere, begin, end),
	};

	if (wiping_memory_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
