/* SPDX-License-Identifier: ISC */
/* How many transfers may start, how many sockets are asked for, and what becomes of each. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetcher/socket_pool.h"

static struct socket_pool pool;
static int origin_ends[256];
static size_t origin_count;

/* A connected socket; its other end is the origin's. */
static int new_socket(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	origin_ends[origin_count++] = ends[1];
	return ends[0];
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static uint64_t last_id;

static uint64_t ask(int64_t now_ms)
{
	socket_pool_ask(&pool, ++last_id, now_ms);
	return last_id;
}

static int add_spare(int64_t now_ms)
{
	int fd = new_socket();

	assert_int_equal(socket_pool_connected(&pool, ask(now_ms), fd, now_ms), 0);
	return fd;
}

static int take(int64_t now_ms)
{
	int64_t waited_ms;

	return socket_pool_take(&pool, &waited_ms, now_ms);
}

static int open_http(void **state)
{
	(void)state;
	socket_pool_init(&pool);
	socket_pool_reset(&pool, false);
	origin_count = 0;
	return 0;
}

static int open_https(void **state)
{
	open_http(state);
	socket_pool_reset(&pool, true);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	while (pool.connection_count > 0)
		socket_pool_close(&pool, pool.connections[0].fd);
	socket_pool_reset(&pool, false);
	while (origin_count > 0)
		close(origin_ends[--origin_count]);
	return 0;
}

static void carries_one_each_over_http_1(void **state)
{
	int first, second;

	(void)state;
	assert_false(socket_pool_can_start(&pool, 0));
	first = add_spare(0);
	second = add_spare(0);
	assert_true(socket_pool_can_start(&pool, 1));
	assert_false(socket_pool_can_start(&pool, 2));
	/* The oldest first; a spare that becomes a connection carries what it was counted for. */
	assert_int_equal(take(0), first);
	assert_int_equal(socket_pool_capacity(&pool), 2);
	assert_int_equal(take(0), second);
	assert_int_equal(take(0), -1);
	assert_int_equal(socket_pool_capacity(&pool), 2);
	socket_pool_answered(&pool, first, HTTP_1, 0);
	assert_int_equal(socket_pool_capacity(&pool), 2);
	socket_pool_close(&pool, first);
	assert_false(is_open(first));
	assert_int_equal(socket_pool_capacity(&pool), 1);
}

static void carries_many_over_http_2(void **state)
{
	int first;

	(void)state;
	for (int i = 0; i < 10; i++)
		add_spare(0);
	/* Few, until the version is known. */
	assert_int_equal(socket_pool_capacity(&pool), SOCKET_POOL_UNKNOWN);
	first = take(0);
	take(0);
	assert_int_equal(socket_pool_capacity(&pool), SOCKET_POOL_UNKNOWN);
	socket_pool_answered(&pool, first, HTTP_2, 0);
	/* The one that has answered; another that is still shaking hands; eight spares. */
	assert_int_equal(socket_pool_capacity(&pool), SOCKET_POOL_STREAMS + 1 + 8);
	/* Without a connection that has answered, nothing is known again. */
	socket_pool_close(&pool, first);
	assert_int_equal(socket_pool_capacity(&pool), SOCKET_POOL_UNKNOWN);
	socket_pool_answered(&pool, pool.connections[0].fd, HTTP_1, 0);
	assert_int_equal(socket_pool_capacity(&pool), 9);
}

static void asks_for_what_is_needed(void **state)
{
	(void)state;
	/* Nothing to do: the spares that are kept. */
	assert_int_equal(socket_pool_wanted(&pool, 0, 0, 64, 0), SOCKET_POOL_SPARES_KEPT);
	/* A socket a lookup, up to the concurrency. */
	assert_int_equal(socket_pool_wanted(&pool, 10, 0, 64, 0), 10);
	assert_int_equal(socket_pool_wanted(&pool, 1000, 0, 16, 0), 16);
	assert_int_equal(socket_pool_wanted(&pool, 1000, 0, 1000, 0), SOCKET_POOL_CONNECTS);
	/* What was asked counts. */
	for (int i = 0; i < 8; i++)
		ask(0);
	assert_int_equal(socket_pool_wanted(&pool, 10, 0, 64, 0), 2);
	assert_int_equal(socket_pool_wanted(&pool, 0, 0, 64, 0), 0);
}

static void counts_kept_connections(void **state)
{
	int64_t waited_ms;

	(void)state;
	for (int i = 0; i < 4; i++) {
		add_spare(0);
		assert_true(socket_pool_take(&pool, &waited_ms, 0) >= 0);
	}
	/* Four idle connections serve four lookups; the spares are for what comes then. */
	assert_int_equal(socket_pool_wanted(&pool, 4, 0, 64, 0), SOCKET_POOL_SPARES_KEPT);
	assert_int_equal(socket_pool_wanted(&pool, 7, 0, 64, 0), 3);
	assert_int_equal(socket_pool_wanted(&pool, 3, 4, 64, 0), 3);
	/* Never more sockets than the concurrency and the kept ones. */
	assert_int_equal(socket_pool_wanted(&pool, 100, 4, 5, 0), 2);
	assert_int_equal(socket_pool_wanted(&pool, 100, 4, 4, 0), 2);
}

static void asks_for_few_until_the_version_is_known(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(socket_pool_wanted(&pool, 100, 0, 64, 0), SOCKET_POOL_UNKNOWN);
	add_spare(0);
	fd = take(0);
	assert_int_equal(socket_pool_wanted(&pool, 100, 1, 64, 0), SOCKET_POOL_UNKNOWN - 1);
	socket_pool_answered(&pool, fd, HTTP_2, 0);
	assert_int_equal(socket_pool_wanted(&pool, 90, 1, 64, 0), SOCKET_POOL_SPARES_KEPT);
	socket_pool_answered(&pool, fd, HTTP_1, 0);
	assert_int_equal(socket_pool_wanted(&pool, 90, 1, 64, 0), 63);
}

static void waits_for_a_spare_after_a_refusal(void **state)
{
	int fd;

	(void)state;
	add_spare(0);
	fd = take(0);
	socket_pool_answered(&pool, fd, HTTP_1, 0);
	assert_true(socket_pool_can_start(&pool, 0));
	/* The kept connection was dead, and no spare there. */
	socket_pool_refuse(&pool);
	assert_false(socket_pool_can_start(&pool, 0));
	assert_int_equal(socket_pool_wanted(&pool, 5, 0, 64, 0), 5);
	add_spare(0);
	assert_true(socket_pool_can_start(&pool, 0));
	take(0);
	assert_false(socket_pool_can_start(&pool, 1));
	/* A transfer that ends leaves its connection to the next. */
	socket_pool_ended(&pool);
	assert_true(socket_pool_can_start(&pool, 1));
}

static void notices_a_spare_that_closes(void **state)
{
	struct pollfd set[SOCKET_POOL_SPARES];
	int fds[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = add_spare(i);
	close(origin_ends[1]);
	assert_int_equal(socket_pool_watch(&pool, set), 3);
	assert_int_equal(poll(set, 3, 0), 1);
	socket_pool_check(&pool, set, 3, 5000);
	assert_int_equal(pool.spare_count, 2);
	assert_false(is_open(fds[1]));
	assert_int_equal(pool.spares[0].fd, fds[0]);
	assert_int_equal(pool.spares[1].fd, fds[2]);
	/* It had its time; the next may be asked for at once. */
	assert_int_equal(socket_pool_wanted(&pool, 3, 0, 64, 5000), 1);
	/* Data on an idle connection is as bad an end: an error message, at best. */
	assert_int_equal(send(origin_ends[0], "x", 1, 0), 1);
	assert_int_equal(take(5000), fds[2]);
	assert_false(is_open(fds[0]));
	origin_ends[1] = origin_ends[--origin_count];
}

static void pauses_where_spares_do_not_last(void **state)
{
	struct pollfd set[SOCKET_POOL_SPARES];
	int64_t now_ms = 0, pause_ms = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		add_spare(now_ms);
		close(origin_ends[--origin_count]);
		socket_pool_watch(&pool, set);
		assert_int_equal(poll(set, 1, 0), 1);
		socket_pool_check(&pool, set, 1, now_ms);
		assert_int_equal(socket_pool_wanted(&pool, 0, 0, 64, now_ms), 0);
		pause_ms = socket_pool_retry_at_ms(&pool, false) - now_ms;
		now_ms += pause_ms;
		/* One at a time tries, until something was answered. */
		assert_int_equal(socket_pool_wanted(&pool, 0, 0, 64, now_ms), 1);
	}
	assert_int_equal(pause_ms, SOCKET_POOL_BACKOFF_MAX_MS);
}

static void pauses_after_failures(void **state)
{
	int64_t now_ms = 1000;
	uint64_t id;

	(void)state;
	assert_int_equal(socket_pool_retry_at_ms(&pool, true), INT64_MAX);
	id = ask(now_ms);
	assert_int_equal(socket_pool_connect_failed(&pool, id, now_ms), 0);
	assert_int_equal(socket_pool_connect_failed(&pool, id, now_ms), -ENOENT);
	assert_int_equal(socket_pool_retry_at_ms(&pool, true), 1100);
	assert_int_equal(socket_pool_wanted(&pool, 5, 0, 64, 1099), 0);
	assert_int_equal(socket_pool_wanted(&pool, 5, 0, 64, 1100), 1);
	for (int i = 0; i < 10; i++)
		socket_pool_connect_failed(&pool, ask(now_ms), now_ms);
	assert_int_equal(socket_pool_retry_at_ms(&pool, false), 6000);
	assert_int_equal(socket_pool_retry_at_ms(&pool, true), 1500);
	assert_int_equal(socket_pool_wanted(&pool, 0, 0, 64, 5999), 0);
	assert_int_equal(socket_pool_wanted(&pool, 1, 0, 64, 1500), 1);
	/* An answer is what ends it. */
	add_spare(now_ms);
	socket_pool_answered(&pool, take(now_ms), HTTP_1, now_ms);
	assert_int_equal(socket_pool_wanted(&pool, 64, 0, 64, now_ms), 63);
}

static void expires_what_is_not_answered(void **state)
{
	uint64_t first = ask(0), second = ask(500);
	int fd = new_socket();

	(void)state;
	assert_int_equal(socket_pool_expire(&pool, 1000, 999), 0);
	assert_int_equal(socket_pool_expire(&pool, 1000, 1000), 1);
	assert_int_equal(socket_pool_connected(&pool, first, fd, 1000), -ENOENT);
	assert_true(is_open(fd));
	assert_int_equal(socket_pool_connected(&pool, second, fd, 1000), 0);
	assert_int_equal(pool.connect_count, 0);
	assert_int_equal(ask(0), second + 1);
	socket_pool_unask(&pool, second + 1);
	assert_int_equal(pool.connect_count, 0);
}

static void holds_so_many_spares(void **state)
{
	uint64_t id;
	int fd = new_socket();

	(void)state;
	for (int i = 0; i < SOCKET_POOL_SPARES; i++)
		add_spare(0);
	id = ask(0);
	assert_int_equal(socket_pool_connected(&pool, id, fd, 0), -ENOSPC);
	close(fd);
	fd = pool.spares[0].fd;
	socket_pool_trim(&pool);
	assert_int_equal(pool.spare_count, SOCKET_POOL_SPARES_KEPT);
	/* The oldest stay, for they are the next to be used. */
	assert_int_equal(pool.spares[0].fd, fd);
}

static void gives_up_a_silent_connection(void **state)
{
	int fd;
	char byte;

	(void)state;
	add_spare(0);
	fd = take(0);
	/* It answered another transfer since: slow, not dead. */
	socket_pool_answered(&pool, fd, HTTP_2, 150);
	assert_false(socket_pool_timed_out(&pool, fd, 100));
	assert_false(socket_pool_timed_out(&pool, fd + 1, 200));
	assert_true(socket_pool_timed_out(&pool, fd, 200));
	assert_false(socket_pool_timed_out(&pool, fd, 200));
	/* Shut down for libcurl to notice, and still open, so that its number isn't used anew. */
	assert_true(is_open(fd));
	assert_int_equal(recv(origin_ends[0], &byte, 1, 0), 0);
	assert_int_equal(socket_pool_capacity(&pool), 0);
}

static void gives_up_what_is_broken(void **state)
{
	int fd;
	char byte;

	(void)state;
	add_spare(0);
	fd = take(0);
	socket_pool_answered(&pool, fd, HTTP_2, 0);
	socket_pool_give_up(&pool, -1);
	socket_pool_give_up(&pool, fd);
	socket_pool_give_up(&pool, fd);
	assert_true(is_open(fd));
	assert_int_equal(recv(origin_ends[0], &byte, 1, 0), 0);
	assert_int_equal(socket_pool_capacity(&pool), 0);
}

static void knows_where_nothing_may_wait(void **state)
{
	int first, second;

	(void)state;
	add_spare(0);
	add_spare(0);
	first = take(0);
	second = take(0);
	assert_false(socket_pool_must_be_silent(&pool, first));
	socket_pool_answered(&pool, first, HTTP_1, 0);
	socket_pool_answered(&pool, second, HTTP_2, 0);
	assert_true(socket_pool_must_be_silent(&pool, first));
	assert_false(socket_pool_must_be_silent(&pool, second));
	socket_pool_reset(&pool, true);
	assert_true(socket_pool_must_be_silent(&pool, second));
	assert_false(socket_pool_must_be_silent(&pool, -1));
}

static void forgets_another_origin(void **state)
{
	uint64_t id = ask(0);
	int spare = add_spare(0), connection = -1;
	int fd = new_socket();

	(void)state;
	connection = take(0);
	assert_int_equal(connection, spare);
	spare = add_spare(0);
	socket_pool_answered(&pool, connection, HTTP_2, 0);
	socket_pool_reset(&pool, true);
	assert_false(is_open(spare));
	assert_true(is_open(connection));
	assert_int_equal(socket_pool_capacity(&pool), 0);
	assert_int_equal(socket_pool_connected(&pool, id, fd, 0), -ENOENT);
	close(fd);
	socket_pool_close(&pool, connection);
	assert_false(is_open(connection));
	assert_int_equal(pool.connection_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(carries_one_each_over_http_1, open_http, close_all),
		cmocka_unit_test_setup_teardown(carries_many_over_http_2, open_https, close_all),
		cmocka_unit_test_setup_teardown(asks_for_what_is_needed, open_http, close_all),
		cmocka_unit_test_setup_teardown(counts_kept_connections, open_http, close_all),
		cmocka_unit_test_setup_teardown(
			asks_for_few_until_the_version_is_known, open_https, close_all),
		cmocka_unit_test_setup_teardown(
			waits_for_a_spare_after_a_refusal, open_http, close_all),
		cmocka_unit_test_setup_teardown(notices_a_spare_that_closes, open_http, close_all),
		cmocka_unit_test_setup_teardown(
			pauses_where_spares_do_not_last, open_http, close_all),
		cmocka_unit_test_setup_teardown(pauses_after_failures, open_http, close_all),
		cmocka_unit_test_setup_teardown(expires_what_is_not_answered, open_http, close_all),
		cmocka_unit_test_setup_teardown(holds_so_many_spares, open_http, close_all),
		cmocka_unit_test_setup_teardown(
			gives_up_a_silent_connection, open_https, close_all),
		cmocka_unit_test_setup_teardown(gives_up_what_is_broken, open_https, close_all),
		cmocka_unit_test_setup_teardown(
			knows_where_nothing_may_wait, open_https, close_all),
		cmocka_unit_test_setup_teardown(forgets_another_origin, open_https, close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
