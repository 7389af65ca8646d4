/* SPDX-License-Identifier: ISC */
/* recv() and connect() as libcurl has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetcher/socket_calls.h"

#define SENT_BYTES (SOCKET_CALLS_ALLOWANCE_BYTES + 4096)

static int ends[2];

/* A connection where more waits than one turn's allowance. */
static int set_up(void **state)
{
	static const char bytes[4096];
	int room = 4 * SENT_BYTES;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	for (size_t sent = 0; sent < SENT_BYTES; sent += sizeof(bytes))
		assert_int_equal(send(ends[0], bytes, sizeof(bytes), 0), sizeof(bytes));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	socket_calls_let_go(ends[1]);
	socket_calls_ask(NULL);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Reads until nothing seems to be left. */
static size_t read_all(int fd)
{
	char buffer[1000];
	size_t total = 0;
	ssize_t got;

	while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		total += (size_t)got;
	assert_int_equal(got, -1);
	assert_int_equal(errno, EAGAIN);
	return total;
}

static void test_a_connection_gives_its_allowance_a_turn(void **state)
{
	(void)state;
	socket_calls_hold(ends[1]);
	assert_int_equal(read_all(ends[1]), SOCKET_CALLS_ALLOWANCE_BYTES);
	assert_int_equal(read_all(ends[1]), 0);
	socket_calls_begin_turn();
	assert_int_equal(read_all(ends[1]), SENT_BYTES - SOCKET_CALLS_ALLOWANCE_BYTES);
}

static void test_a_number_used_again_has_its_own_allowance(void **state)
{
	(void)state;
	socket_calls_hold(ends[1]);
	assert_int_equal(read_all(ends[1]), SOCKET_CALLS_ALLOWANCE_BYTES);
	socket_calls_let_go(ends[1]);
	socket_calls_hold(ends[1]);
	assert_int_equal(read_all(ends[1]), SENT_BYTES - SOCKET_CALLS_ALLOWANCE_BYTES);
}

/* The channels to the other processes: a message cut short would be lost. */
static void test_other_sockets_are_read_as_ever(void **state)
{
	(void)state;
	assert_int_equal(read_all(ends[1]), SENT_BYTES);
}

static int silent;

static bool is_silent(int fd)
{
	return fd == silent;
}

static void test_what_waits_unasked_looks_like_an_end(void **state)
{
	char byte;

	(void)state;
	socket_calls_hold(ends[1]);
	socket_calls_ask(is_silent);
	silent = -1;
	assert_int_equal(recv(ends[1], &byte, 1, MSG_PEEK), 1);
	silent = ends[1];
	assert_int_equal(recv(ends[1], &byte, 1, MSG_PEEK), 0);
	read_all(ends[1]);
	socket_calls_begin_turn();
	read_all(ends[1]);
	assert_int_equal(recv(ends[1], &byte, 1, MSG_PEEK), -1);
	assert_int_equal(errno, EAGAIN);
}

static void test_connecting_does_nothing(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &length), -1);
	assert_int_equal(errno, ENOTCONN);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_connection_gives_its_allowance_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_number_used_again_has_its_own_allowance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_other_sockets_are_read_as_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_waits_unasked_looks_like_an_end, set_up, tear_down),
		cmocka_unit_test(test_connecting_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
